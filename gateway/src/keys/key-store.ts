/** One store of keys per member, shared by its gateways: what opens the content that the ledger keeps as ciphertext. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { LogSync } from '@salus/network/log-sync';

import { Refusal } from '../ledger/refusal.js';
import { joined } from './beside.js';
import { ContentFiles } from './content-files.js';
import { inLazyTransaction, inTransaction, openDatabase, truncateLog } from './database.js';
import { SECRET_BYTES } from './content.js';
import { memberSeal, type Seal } from './sealing.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS patient_keys (patient TEXT PRIMARY KEY, sealed BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS version_keys (
  salt BLOB PRIMARY KEY, ledger_key TEXT NOT NULL, patient TEXT, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS version_keys_by_ledger_key ON version_keys (ledger_key);
CREATE TABLE IF NOT EXISTS erasure_keys (
  erasure TEXT NOT NULL, position INTEGER NOT NULL, ledger_key TEXT NOT NULL,
  PRIMARY KEY (erasure, position)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS erasure_keys_by_ledger_key ON erasure_keys (ledger_key);
`;

/** RFC 3394 key wrap and its initial value. */
const WRAP = 'id-aes256-wrap';
const WRAP_IV = Buffer.alloc(8, 0xa6);

/**
 * A version's key and whose key wraps it: a patient's (FHIR id), or the member's own. It is found by the salt of the
 * stored value, since two attempts to write one version meet under one ledger key with different content.
 */
export interface VersionKey {
  readonly ledgerKey: string;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
  readonly patient?: string;
}

/** What a member's secret is for; each is made at first use and stays. */
export type SecretName = 'lookup' | 'idempotency' | 'member-key';

/** A member's keys in keys.db, sealed with the member's master key. */
export class KeyStore {
  readonly database: DatabaseSync;
  readonly seal: Seal;
  /** What lies encrypted beside the ledger under the version keys. */
  readonly contents: ContentFiles;
  readonly #secrets = new Map<SecretName, KeyObject>();
  // Kept as key objects: a cipher made from bytes spends most of its time on making one.
  readonly #patientKeys = new Map<string, KeyObject>();
  readonly #insertVersion: StatementSync;
  readonly #selectVersion: StatementSync;
  readonly #selectVersions: StatementSync;
  readonly #selectErased: StatementSync;
  /** Tells whether another process wrote to the database. */
  readonly #selectChanges: StatementSync;
  readonly #selectOwnChanges: StatementSync;
  readonly #log: LogSync;
  #changes = -1;

  constructor(dataDir: string) {
    this.seal = memberSeal(dataDir);
    const file = join(dataDir, 'keys.db');
    this.database = openDatabase(file, SCHEMA);
    this.#log = new LogSync(file);
    this.contents = new ContentFiles(dataDir, this.database, () => this.durable());
    this.#insertVersion = this.database.prepare('INSERT INTO version_keys VALUES (?, ?, ?, ?)');
    this.#selectVersion = this.database.prepare(
      'SELECT patient, wrapped FROM version_keys WHERE salt = ? AND ledger_key = ?',
    );
    this.#selectVersions = this.database.prepare(
      'SELECT salt, patient, wrapped FROM version_keys WHERE ledger_key = ?',
    );
    this.#selectErased = this.database.prepare('SELECT 1 FROM erasure_keys WHERE ledger_key = ? LIMIT 1');
    this.#selectChanges = this.database.prepare('PRAGMA data_version');
    this.#selectOwnChanges = this.database.prepare('SELECT total_changes() AS n');
  }

  /** Changes whenever this or another process changes the database. */
  get mark(): string {
    return `${String(this.#selectChanges.get()?.data_version)}/${String(this.#selectOwnChanges.get()?.n)}`;
  }

  /** Hex HMAC-SHA256 of `text` under a secret only this member holds; the same text gives the same code. */
  hmac(name: SecretName, text: string): string {
    return createHmac('sha256', this.#secret(name)).update(text).digest('hex');
  }

  /** A patient's or guardian's subject, of the issuer's tokens, as the ledger may show it. */
  pseudonym(subject: string): string {
    return `p-${this.hmac('lookup', `subject/${subject}`).slice(0, 32)}`;
  }

  /** Resolves when all that was kept so far is on the disk. */
  durable(): Promise<void> {
    return this.#log.sync();
  }

  /**
   * Keeps version keys: on the disk once `durable` says so. Throws Refusal id-taken for a ledger key that was erased,
   * under which nothing may lie again, and not-found for a patient whose key was destroyed.
   */
  keepVersionKeys(keys: readonly VersionKey[]): void {
    try {
      inLazyTransaction(this.database, () => {
        // Nobody else can change the database before this ends: each patient's key is looked up once.
        const wrapping = new Map<string | undefined, KeyObject>();
        for (const { ledgerKey, salt, key, patient } of keys) {
          if (this.isErasedKey(ledgerKey)) throw erased();
          const by = wrapping.get(patient) ?? this.#wrappingKey(patient);
          wrapping.set(patient, by);
          this.#insertVersion.run(salt, ledgerKey, patient ?? null, wrap(key, by));
        }
      });
    } catch (error) {
      // A key made in a transaction that was undone is nowhere: nothing may be wrapped with it.
      this.#patientKeys.clear();
      throw error;
    }
  }

  /** Forgets the keys of versions that were refused and never came to be, and deletes what lies under them. */
  dropVersionKeys(keys: readonly Pick<VersionKey, 'salt'>[]): void {
    this.contents.drop(keys.map(({ salt }) => salt));
    const drop = this.database.prepare('DELETE FROM version_keys WHERE salt = ?');
    inTransaction(this.database, () => {
      for (const { salt } of keys) drop.run(salt);
    });
  }

  /**
   * The key of the stored value with this salt under this ledger key; undefined when none was kept for it there, as for a
   * copy of another version's value, or its patient's key is destroyed.
   */
  versionKey(ledgerKey: string, salt: Uint8Array): Buffer | undefined {
    const row = this.#selectVersion.get(salt, ledgerKey);
    return row === undefined ? undefined : this.#unwrapped(row);
  }

  /** Whether what lay under the ledger key, or was on its way there, was erased: its keys are gone by intention. */
  isErasedKey(ledgerKey: string): boolean {
    return this.#selectErased.get(ledgerKey) !== undefined;
  }

  /** Keys and salts kept for a ledger key; more than one only where an attempt to write it was cut short. */
  versionSecrets(ledgerKey: string): { readonly salt: Uint8Array; readonly key: Uint8Array }[] {
    const rows = this.#selectVersions.all(ledgerKey);
    return rows.flatMap((row) => {
      const key = this.#unwrapped(row);
      return key === undefined ? [] : [{ salt: row.salt as Uint8Array, key }];
    });
  }

  /** A version's text with what lies beside the ledger; undefined where that is not there, or not what was written. */
  joined(ledgerKey: string, text: string): string | undefined {
    for (const { key } of this.versionSecrets(ledgerKey)) {
      const whole = joined(text, key, (name) => this.contents.read(name));
      if (whole !== undefined) return whole;
    }
    return undefined;
  }

  /**
   * Destroys a patient's key: no version it wraps can be opened again, by anyone. `keep` is told, in the same database
   * transaction, under which ledger keys those versions lie, or may come to lie.
   */
  erasePatientKey(patient: string, keep: (ledgerKeys: readonly string[]) => void = () => undefined): void {
    this.#patientKeys.delete(patient);
    inTransaction(this.database, () => {
      const rows = this.database
        .prepare('SELECT DISTINCT ledger_key FROM version_keys WHERE patient = ? ORDER BY ledger_key')
        .all(patient);
      keep(rows.map((row) => row.ledger_key as string));
      this.database
        .prepare('INSERT INTO patient_keys VALUES (?, NULL) ON CONFLICT (patient) DO UPDATE SET sealed = NULL')
        .run(patient);
      this.database.prepare('DELETE FROM version_keys WHERE patient = ?').run(patient);
    });
  }

  /** Whether the patient's key was destroyed: nothing is written or signed under that id any more. */
  isErasedPatient(patient: string): boolean {
    return (
      this.database.prepare('SELECT 1 FROM patient_keys WHERE patient = ? AND sealed IS NULL').get(patient) !==
      undefined
    );
  }

  /** Leaves nothing in the write-ahead log: what was deleted is then on no page of any file. */
  truncateLog(): void {
    truncateLog(this.database);
  }

  /** Whether the patient's key was destroyed. */
  isErased(patient: string): boolean {
    this.#forgetIfChanged();
    if (this.#patientKeys.has(patient)) return false;
    const row = this.database.prepare('SELECT sealed FROM patient_keys WHERE patient = ?').get(patient);
    return row !== undefined && row.sealed === null;
  }

  close(): void {
    this.#log.close();
    this.database.close();
  }

  #unwrapped(row: Record<string, unknown>): Buffer | undefined {
    const patient = typeof row.patient === 'string' ? row.patient : undefined;
    this.#forgetIfChanged();
    const known = patient === undefined ? this.#secret('member-key') : this.#patientKeys.get(patient);
    if (known === undefined && patient !== undefined && this.isErased(patient)) return undefined;
    return unwrap(row.wrapped as Uint8Array, known ?? this.#wrappingKey(patient));
  }

  #wrappingKey(patient: string | undefined): KeyObject {
    return patient === undefined ? this.#secret('member-key') : this.#patientKey(patient);
  }

  /** Another gateway of the member may have destroyed a key that is open here. */
  #forgetIfChanged(): void {
    const version = this.#selectChanges.get()?.data_version as number;
    if (version !== this.#changes) this.#patientKeys.clear();
    this.#changes = version;
  }

  #patientKey(patient: string): KeyObject {
    this.#forgetIfChanged();
    const cached = this.#patientKeys.get(patient);
    if (cached !== undefined) return cached;
    const use = `patient-key/${patient}`;
    const fresh = this.seal.seal(randomBytes(SECRET_BYTES), use);
    this.database.prepare('INSERT OR IGNORE INTO patient_keys VALUES (?, ?)').run(patient, fresh);
    const row = this.database.prepare('SELECT sealed FROM patient_keys WHERE patient = ?').get(patient);
    if (!(row?.sealed instanceof Uint8Array)) {
      throw new Refusal('not-found', 'not-found', 'no such patient is known here');
    }
    const key = createSecretKey(this.seal.open(row.sealed, use));
    if (this.#patientKeys.size >= MAX_CACHED_PATIENTS) this.#patientKeys.clear();
    this.#patientKeys.set(patient, key);
    return key;
  }

  #secret(name: SecretName): KeyObject {
    const cached = this.#secrets.get(name);
    if (cached !== undefined) return cached;
    const use = `secret/${name}`;
    const fresh = this.seal.seal(randomBytes(SECRET_BYTES), use);
    this.database.prepare('INSERT OR IGNORE INTO secrets VALUES (?, ?)').run(name, fresh);
    const row = this.database.prepare('SELECT sealed FROM secrets WHERE name = ?').get(name);
    const secret = createSecretKey(this.seal.open(row?.sealed as Uint8Array, use));
    this.#secrets.set(name, secret);
    return secret;
  }
}

/** Patients' keys kept open in memory at most. */
const MAX_CACHED_PATIENTS = 10_000;

function erased(): Refusal {
  return new Refusal('invalid', 'id-taken', 'this id cannot be given: take another, or another Idempotency-Key');
}

function wrap(key: Uint8Array, by: KeyObject): Buffer {
  const cipher = createCipheriv(WRAP, by, WRAP_IV);
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

function unwrap(wrapped: Uint8Array, by: KeyObject): Buffer {
  const decipher = createDecipheriv(WRAP, by, WRAP_IV);
  return Buffer.concat([decipher.update(wrapped), decipher.final()]);
}
