/** What a member must remember whatever its ledger says: used proofs, consents' highest versions and what they said, its own words, refusals in force. */
import { Statements } from '../projection/statements.js';
import { inLazyTransaction, inTransaction } from './database.js';
import type { KeyStore } from './key-store.js';
import { machineStart, type MachineStart } from './machine-start.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS used_proofs (jti TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS machine_start (
  one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, lost_until INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS consents_seen (
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consents_seen_in (
  id TEXT PRIMARY KEY, block INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own_words (hash TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusals_in_force (
  subject TEXT PRIMARY KEY, reason TEXT NOT NULL, since TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS set_aside (hash TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** Pause between looks for expired proofs, ms: each look reads them all. */
const TIDY_EVERY_MS = 10_000;

/** Shared by all gateways of the member, in keys.db; every change but a proof's use is durable on return. */
export class Memory {
  readonly #statements: Statements;
  /** When expired proofs were last forgotten, ms since 1970. */
  #tidied = 0;
  /** Uses of proofs up to then may be lost, ms since 1970. */
  readonly #lostUntil: number;

  constructor(
    private readonly store: KeyStore,
    start: MachineStart = machineStart(Date.now()),
  ) {
    store.database.exec(SCHEMA);
    this.#statements = new Statements(store.database);
    this.#lostUntil = this.#since(start);
  }

  /** Changes whenever anybody, at any gateway of the member, changes what is remembered. */
  get mark(): string {
    return this.store.mark;
  }

  /**
   * Remembers a proof's id until it expires (ms since 1970): at once for every gateway of the member, and on the disk
   * when the promise resolves, before which nobody may be told anything. Undefined when it was used before.
   */
  useOnce(jti: string, expires: number, now: number): Promise<void> | undefined {
    return this.#isNew(jti, expires, now) ? this.store.durable() : undefined;
  }

  /**
   * Whether a proof is used for the first time, for every gateway of the member; nobody waits for the disk. What a process
   * wrote is still there after it, unless the machine itself stopped: one that could be used before the machine's
   * start is refused, since its use may be lost. All in ms since 1970.
   */
  takeOnce(jti: string, { from, expires }: { readonly from: number; readonly expires: number }, now: number): boolean {
    return from > this.#lostUntil && this.#isNew(jti, expires, now);
  }

  #isNew(jti: string, expires: number, now: number): boolean {
    return inLazyTransaction(this.store.database, () => {
      if (now > this.#tidied + TIDY_EVERY_MS) {
        this.#statements.run('DELETE FROM used_proofs WHERE expires < ?', now);
        this.#tidied = now;
      }
      const insertion = this.#statements.of('INSERT OR IGNORE INTO used_proofs VALUES (?, ?)');
      return insertion.run(jti, expires).changes === 1;
    });
  }

  /** Until when uses may be lost; 0 where the machine has not been started anew since there is a memory. On disk on return. */
  #since({ id, at }: MachineStart): number {
    return inTransaction(this.store.database, () => {
      const known = this.#statements.get('SELECT id, lost_until FROM machine_start');
      if (known?.id === id) return known.lost_until as number;
      const lostUntil = known === undefined ? 0 : at;
      this.#statements.run('INSERT OR REPLACE INTO machine_start VALUES (1, ?, ?)', id, lostUntil);
      return lostUntil;
    });
  }

  /**
   * Remembers a version seen, the hash of what it said and the block it is in; false when a higher version was seen
   * before, or other content of this one: somebody rolled back or rewrote.
   */
  sawVersion(id: string, version: number, hash: string, block: number): boolean {
    inTransaction(this.store.database, () => {
      const seen = this.#statements.of(
        `INSERT INTO consents_seen VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE
         SET version = excluded.version, hash = excluded.hash WHERE excluded.version > version`,
      );
      if (seen.run(id, version, hash).changes === 0) return;
      this.#statements.run('INSERT OR REPLACE INTO consents_seen_in VALUES (?, ?)', id, block);
    });
    return this.hasSeen(id, version, hash);
  }

  /** Block of the highest version seen; 0 where none was. */
  seenIn(id: string): number {
    return Number(this.#statements.get('SELECT block FROM consents_seen_in WHERE id = ?', id)?.block ?? 0);
  }

  /** Whether exactly this was seen of exactly this version, and no higher one. */
  hasSeen(id: string, version: number, hash: string): boolean {
    const row = this.#statements.get('SELECT version, hash FROM consents_seen WHERE id = ?', id);
    return row?.version === version && row.hash === hash;
  }

  /** The highest version seen; undefined before the first. */
  highestSeen(id: string): number | undefined {
    return this.#statements.get('SELECT version FROM consents_seen WHERE id = ?', id)?.version as number | undefined;
  }

  /** Remembers, before it is sent, what this member itself says without a signature. */
  keepWord(hash: string): void {
    this.#statements.run('INSERT OR IGNORE INTO own_words VALUES (?)', hash);
  }

  /** Whether this member itself said it. */
  isOwnWord(hash: string): boolean {
    return this.#statements.get('SELECT 1 FROM own_words WHERE hash = ?', hash) !== undefined;
  }

  /** Puts a refusal in force for a subject, such as a consent withdrawn or a patient under alarm. */
  refuse(subject: string, reason: string, since: string): void {
    this.#statements.run('INSERT OR IGNORE INTO refusals_in_force VALUES (?, ?, ?)', subject, reason, since);
  }

  /** A refusal in force, and since when (FHIR instant); undefined = none. */
  refusal(subject: string): { readonly reason: string; readonly since: string } | undefined {
    const row = this.#statements.get('SELECT * FROM refusals_in_force WHERE subject = ?', subject);
    return row && { reason: row.reason as string, since: row.since as string };
  }

  /** The refusals in force whose subject begins so. */
  refusals(prefix: string): readonly { readonly subject: string; readonly reason: string; readonly since: string }[] {
    return this.#statements
      .all('SELECT * FROM refusals_in_force WHERE subject >= ? AND subject < ?', prefix, `${prefix}\u{10ffff}`)
      .map(({ subject, reason, since }) => ({
        subject: subject as string,
        reason: reason as string,
        since: since as string,
      }));
  }

  /** The reason of a refusal in force; undefined = none. */
  refusalOf(subject: string): string | undefined {
    return this.refusal(subject)?.reason;
  }

  /** Lifts a refusal, once the ledger says the same. */
  lift(subject: string): void {
    this.#statements.run('DELETE FROM refusals_in_force WHERE subject = ?', subject);
  }

  /** Remembers what an officer looked at and that closes a patient no more (hashes of consents' versions). */
  setAside(hashes: readonly string[]): void {
    const insert = this.store.database.prepare('INSERT OR IGNORE INTO set_aside VALUES (?)');
    for (const hash of hashes) insert.run(hash);
  }

  /** Whether an officer looked at it and set it aside. */
  isSetAside(hash: string): boolean {
    return this.#statements.get('SELECT 1 FROM set_aside WHERE hash = ?', hash) !== undefined;
  }
}
