/** Erasures under way and done, in keys.db, shared by the gateways of a member: what a restart goes on from. */
import type { KeyStore } from '../keys/key-store.js';
import type { Act, Basis } from './rules.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS erasures (
  id TEXT PRIMARY KEY, patient TEXT NOT NULL, basis TEXT NOT NULL, reason BLOB NOT NULL, asked TEXT NOT NULL,
  approved TEXT, state TEXT NOT NULL, certificate TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS legal_holds (patient TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** Asked for; approved; keys destroyed, purges under way; done, with a certificate; void, never approved in time. */
export type ErasureState = 'pending' | 'approved' | 'destroyed' | 'done' | 'void';

/** One erasure. */
export interface Erasure {
  /** 256 random bits, hex: its name on the ledger. */
  readonly id: string;
  /** FHIR id of the Patient. */
  readonly patient: string;
  readonly basis: Basis;
  readonly asked: Act;
  readonly approved?: Act;
  readonly state: ErasureState;
  /** Compact JWS, once done. */
  readonly certificate?: string;
}

const COLUMNS = 'id, patient, basis, asked, approved, state, certificate';

/** Keeps each erasure with the step it has reached; the ids are random and name no patient outside this member. */
export class ErasureStore {
  constructor(private readonly keys: KeyStore) {
    keys.database.exec(SCHEMA);
  }

  /** Keeps a request, its reason sealed: it may say something of the patient. */
  ask({ id, patient, basis, asked }: Omit<Erasure, 'state'>, reason: string): void {
    const sealed = this.keys.seal.seal(Buffer.from(reason), `erasure/${id}`);
    this.keys.database
      .prepare(`INSERT INTO erasures VALUES (?, ?, ?, ?, ?, NULL, 'pending', NULL)`)
      .run(id, patient, basis, sealed, JSON.stringify(asked));
  }

  /** Puts a legal hold in force at every gateway of the member, before the ledger has it. */
  hold(patient: string): void {
    this.keys.database.prepare('INSERT OR IGNORE INTO legal_holds VALUES (?)').run(patient);
  }

  /** Leaves a hold to what the ledger says. */
  release(patient: string): void {
    this.keys.database.prepare('DELETE FROM legal_holds WHERE patient = ?').run(patient);
  }

  /** Whether a hold is in force, whatever this gateway's projection says. */
  isHeld(patient: string): boolean {
    return this.keys.database.prepare('SELECT 1 FROM legal_holds WHERE patient = ?').get(patient) !== undefined;
  }

  /** True for the one who approved it first. */
  approve(id: string, approved: Act): boolean {
    const done = this.keys.database
      .prepare(`UPDATE erasures SET state = 'approved', approved = ? WHERE id = ? AND state = 'pending'`)
      .run(JSON.stringify(approved), id);
    return done.changes === 1;
  }

  /** Ends a request that was not approved in time. */
  expire(id: string): void {
    this.keys.database.prepare(`UPDATE erasures SET state = 'void' WHERE id = ? AND state = 'pending'`).run(id);
  }

  /** Destroys the patient's key and keeps which ledger keys are to be purged, in one transaction; again does nothing. */
  destroy({ id, patient }: Erasure): void {
    const keep = this.keys.database.prepare('INSERT INTO erasure_keys VALUES (?, ?, ?)');
    const state = this.keys.database.prepare(`UPDATE erasures SET state = 'destroyed' WHERE id = ?`);
    this.keys.erasePatientKey(patient, (ledgerKeys) => {
      for (const [position, ledgerKey] of ledgerKeys.entries()) keep.run(id, position, ledgerKey);
      state.run(id);
    });
  }

  /** Deletes what lies beside the ledger under destroyed keys. */
  dropContents(): void {
    this.keys.contents.dropKeyless();
  }

  /** Ledger keys of what was under the destroyed key, in the order of their purges. */
  ledgerKeys(id: string): string[] {
    const rows = this.keys.database
      .prepare('SELECT ledger_key FROM erasure_keys WHERE erasure = ? ORDER BY position')
      .all(id);
    return rows.map((row) => row.ledger_key as string);
  }

  /** Keeps the certificate: it is done. */
  done(id: string, certificate: string): void {
    this.keys.database.prepare(`UPDATE erasures SET state = 'done', certificate = ? WHERE id = ?`).run(certificate, id);
    this.keys.truncateLog();
  }

  byId(id: string): Erasure | undefined {
    return this.#one(`SELECT ${COLUMNS} FROM erasures WHERE id = ?`, id);
  }

  /** The request about a patient that waits for an approval. */
  pendingOf(patient: string): Erasure | undefined {
    return this.#one(`SELECT ${COLUMNS} FROM erasures WHERE patient = ? AND state = 'pending'`, patient);
  }

  /** Approved and not done. */
  underWay(): Erasure[] {
    return this.keys.database
      .prepare(`SELECT ${COLUMNS} FROM erasures WHERE state IN ('approved', 'destroyed')`)
      .all()
      .map(erasureOf);
  }

  #one(sql: string, value: string): Erasure | undefined {
    const row = this.keys.database.prepare(sql).get(value);
    return row === undefined ? undefined : erasureOf(row);
  }
}

function erasureOf(row: Record<string, unknown>): Erasure {
  return {
    id: row.id as string,
    patient: row.patient as string,
    basis: row.basis as Basis,
    asked: JSON.parse(row.asked as string) as Act,
    state: row.state as ErasureState,
    ...(row.approved === null ? {} : { approved: JSON.parse(row.approved as string) as Act }),
    ...(row.certificate === null ? {} : { certificate: row.certificate as string }),
  };
}
