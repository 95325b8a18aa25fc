/** What this member listed of its patients and still has to list, in keys.db: shared by its gateways. */
import type { Quarter } from '@salus/chaincode/patient/api';

import { inTransaction } from '../keys/database.js';
import type { KeyStore } from '../keys/key-store.js';
import { REGISTRATIONS } from './registering-writer.js';

/** How long a patient is looked at again after a write began, ms: its outcome may come late. */
const LOOK_AGAIN_MS = 120_000;
/** After so long, ms, what was sent without an answer counts as listed for nothing. */
const LOST_MS = 600_000;
/** How long a gateway lists alone, ms, from when it last did. */
const TURN_MS = 120_000;

/** Of an entry: sent to the ledger, in force, over. */
const [SENT, IN_FORCE, OVER] = [0, 1, 2];

const SCHEMA = `
CREATE TABLE IF NOT EXISTS lookup_due (patient TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lookup_entries (
  entry TEXT PRIMARY KEY, patient TEXT NOT NULL, digest TEXT NOT NULL, state INTEGER NOT NULL, made INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lookup_entries_of ON lookup_entries (patient);
CREATE INDEX IF NOT EXISTS lookup_entries_over ON lookup_entries (state) WHERE state <> 1;
CREATE TABLE IF NOT EXISTS lookup_turn (
  one INTEGER PRIMARY KEY CHECK (one = 1), quarter TEXT NOT NULL, gateway TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO lookup_turn VALUES (1, '', '', 0);
`;

/** What is listed of a patient; `entryId` absent where nothing is. */
export interface Listed {
  readonly patient: string;
  /** Tells whether anything changed. */
  readonly digest: string;
  readonly entryId?: string;
}

/** Entries and patients due. */
export class CodeStore {
  constructor(private readonly keys: KeyStore) {
    keys.database.exec(REGISTRATIONS);
    keys.database.exec(SCHEMA);
  }

  /** Takes the turn to list; false while another gateway has it. In a new quarter every patient is due. */
  takeTurn(gateway: string, quarter: Quarter, now: number): boolean {
    const { database } = this.keys;
    return inTransaction(database, () => {
      const take = database.prepare('UPDATE lookup_turn SET gateway = ?, until = ? WHERE gateway = ? OR until < ?');
      if (take.run(gateway, now + TURN_MS, gateway, now).changes === 0) return false;
      const known = database.prepare('SELECT quarter FROM lookup_turn').get()?.quarter;
      if (known === quarter) return true;
      database.exec('INSERT OR IGNORE INTO lookup_due SELECT patient, 0 FROM registrations WHERE done = 1');
      database.prepare('UPDATE lookup_turn SET quarter = ?').run(quarter);
      return true;
    });
  }

  /** Has the patients looked at, from now on for a while. */
  mark(patients: readonly string[], now: number): void {
    const insert = this.keys.database.prepare('INSERT OR REPLACE INTO lookup_due VALUES (?, ?)');
    inTransaction(this.keys.database, () => {
      for (const patient of patients) insert.run(patient, now + LOOK_AGAIN_MS);
    });
  }

  /** After a start: what was under way when it ended may still come. */
  markAgain(now: number): void {
    this.keys.database.prepare('UPDATE lookup_due SET until = ? WHERE until > 0').run(now + LOOK_AGAIN_MS);
  }

  /** Patients to look at, in the order of their ids, after one. */
  due(after: string, most: number): string[] {
    const rows = this.keys.database
      .prepare('SELECT patient FROM lookup_due WHERE patient > ? ORDER BY patient LIMIT ?')
      .all(after, most);
    return rows.map((row) => row.patient as string);
  }

  /** What is in force of a patient. */
  digest(patient: string): string | undefined {
    const query = 'SELECT digest FROM lookup_entries WHERE patient = ? AND state = ?';
    return this.keys.database.prepare(query).get(patient, IN_FORCE)?.digest as string | undefined;
  }

  /** Keeps entries before they are sent: whatever comes of it, they can be purged. */
  sent(entries: readonly Listed[], now: number): void {
    const insert = this.keys.database.prepare('INSERT INTO lookup_entries VALUES (?, ?, ?, ?, ?)');
    inTransaction(this.keys.database, () => {
      for (const { entryId = '', patient, digest } of entries) insert.run(entryId, patient, digest, SENT, now);
    });
  }

  /** What was listed is in force, and what was before over. */
  changed(entries: readonly Listed[]): void {
    const { database } = this.keys;
    const end = database.prepare('UPDATE lookup_entries SET state = ? WHERE patient = ? AND state = ?');
    const begin = database.prepare('UPDATE lookup_entries SET state = ? WHERE entry = ?');
    inTransaction(database, () => {
      for (const { patient, entryId } of entries) {
        end.run(OVER, patient, IN_FORCE);
        if (entryId !== undefined) begin.run(IN_FORCE, entryId);
      }
    });
  }

  /** These were looked at: they are due no more, unless a write may still come. */
  looked(patients: readonly string[], now: number): void {
    const drop = this.keys.database.prepare('DELETE FROM lookup_due WHERE patient = ? AND until <= ?');
    inTransaction(this.keys.database, () => {
      for (const patient of patients) drop.run(patient, now);
    });
  }

  /** Entries to purge. */
  over(now: number, most: number): string[] {
    const rows = this.keys.database
      .prepare('SELECT entry FROM lookup_entries WHERE state = ? OR (state = ? AND made < ?) LIMIT ?')
      .all(OVER, SENT, now - LOST_MS, most);
    return rows.map((row) => row.entry as string);
  }

  /** Ends what is in force of a patient; its entries, to purge. */
  end(patient: string): string[] {
    this.changed([{ patient, digest: '' }]);
    const query = 'SELECT entry FROM lookup_entries WHERE patient = ? AND state = ?';
    return this.keys.database
      .prepare(query)
      .all(patient, OVER)
      .map((row) => row.entry as string);
  }

  /** Forgets entries that were purged. */
  purged(entries: readonly string[]): void {
    const drop = this.keys.database.prepare('DELETE FROM lookup_entries WHERE entry = ?');
    inTransaction(this.keys.database, () => {
      for (const entry of entries) drop.run(entry);
    });
  }
}
