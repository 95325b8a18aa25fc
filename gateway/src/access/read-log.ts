/** The log of local reads: appended before the answer, on disk within 100 ms, anchored within 60 s. */
import { closeSync, fsync, openSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { inTransaction, openDatabase } from '../keys/database.js';
import { Refusal } from '../ledger/refusal.js';

/** Pause between an append and its fsync, ms: what is left of 100 is the disk's. */
const SYNC_AFTER_MS = 20;

const SALT_BYTES = 32;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS reads (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, patient TEXT NOT NULL, entry TEXT NOT NULL,
  salt BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS reads_by_patient ON reads (patient, at, seq);
CREATE TABLE IF NOT EXISTS anchored (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL) STRICT;
`;

/** Stands for the patient where a search came upon nobody's record. */
export const NOBODY = '';

/** One read of one patient's record. */
export interface ReadEntry {
  /** FHIR instant. */
  readonly at: string;
  /** FHIR id of the Patient, or NOBODY. */
  readonly patient: string;
  readonly user: string;
  readonly role: string;
  /** FHIR id of the RelatedPerson as whom a guardian or delegate came. */
  readonly person?: string;
  readonly purpose: string;
  /** HTTP method and path without query: what was asked. */
  readonly what: string;
}

/** Entries as they are anchored. */
export interface LogSlice {
  readonly first: number;
  readonly last: number;
  /** Salted bytes of each entry. */
  readonly items: readonly Buffer[];
}

/** Entries of one read, and whom to tell that they are in the log. */
interface Appended {
  readonly entries: readonly ReadEntry[];
  readonly told: PromiseWithResolvers<undefined>;
}

/** One gateway's read log, a SQLite file. */
export class ReadLog {
  readonly #database: DatabaseSync;
  readonly #wal: number;
  readonly #insertion: StatementSync;
  #waiting: Appended[] = [];
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #broken: Error | undefined;

  constructor(file: string) {
    this.#database = openDatabase(file, SCHEMA);
    // Appending hands the entry to the operating system; the sync below puts it on disk, for many reads at once.
    this.#database.exec('PRAGMA synchronous = NORMAL');
    this.#insertion = this.#database.prepare('INSERT INTO reads (at, patient, entry, salt) VALUES (?, ?, ?, ?)');
    this.#wal = openSync(`${file}-wal`, 'r+');
  }

  /**
   * Appends before the answer goes out, with all other reads of the same turn of the event loop in one transaction. Throws
   * Refusal unavailable when it cannot: then nobody reads.
   */
  async append(entries: readonly ReadEntry[]): Promise<void> {
    const told = Promise.withResolvers<undefined>();
    this.#waiting.push({ entries, told });
    this.#turn ??= setImmediate(() => {
      this.#write();
    });
    await told.promise;
  }

  /** Entries not anchored yet, at most `limit`; undefined where there are none. */
  unanchored(limit: number): LogSlice | undefined {
    const row = this.#database.prepare('SELECT last FROM anchored').get();
    const rows = this.#database
      .prepare('SELECT seq, entry, salt FROM reads WHERE seq > ? ORDER BY seq LIMIT ?')
      .all((row?.last as number | undefined) ?? 0, limit);
    if (rows.length === 0) return undefined;
    const items = rows.map(({ entry, salt }) => Buffer.concat([salt as Uint8Array, Buffer.from(entry as string)]));
    return { first: rows[0]?.seq as number, last: rows.at(-1)?.seq as number, items };
  }

  /** Remembers that entries up to `last` are anchored. */
  anchored(last: number): void {
    this.#database.prepare('INSERT OR REPLACE INTO anchored VALUES (1, ?)').run(last);
  }

  close(): void {
    this.#write();
    clearTimeout(this.#timer);
    closeSync(this.#wal);
    this.#database.close();
  }

  #write(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      if (this.#broken !== undefined) throw this.#broken;
      this.#insert(waiting.flatMap(({ entries }) => entries));
      for (const { told } of waiting) told.resolve(undefined);
    } catch (error) {
      for (const { told } of waiting) told.reject(unwritable(error));
    }
  }

  #insert(entries: readonly ReadEntry[]): void {
    if (entries.length === 0) return;
    const salts = randomBytes(SALT_BYTES * entries.length);
    const insert = (entry: ReadEntry, at: number): void => {
      const salt = salts.subarray(at * SALT_BYTES, (at + 1) * SALT_BYTES);
      this.#insertion.run(entry.at, entry.patient, JSON.stringify(entry), salt);
    };
    const [only] = entries;
    // One statement is a transaction of its own.
    if (only !== undefined && entries.length === 1) insert(only, 0);
    else {
      inTransaction(this.#database, () => {
        entries.forEach(insert);
      });
    }
    this.#timer ??= setTimeout(() => {
      this.#sync();
    }, SYNC_AFTER_MS);
  }

  #sync(): void {
    this.#timer = undefined;
    fsync(this.#wal, (error) => {
      if (error !== null) this.#broken = error;
    });
  }
}

function unwritable(cause: unknown): Refusal {
  return new Refusal(
    'unavailable',
    'read-log-unwritable',
    'reads cannot be logged, so nothing is shown; see the disk',
    {
      cause,
    },
  );
}
