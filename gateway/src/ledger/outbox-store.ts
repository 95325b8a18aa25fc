/**
 * The outbox on disk: what was asked, the envelope that was sent, and what became of it. The large values lie in tables
 * of their own, or each change of a call's state would write them again.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { LogSync } from '@salus/network/log-sync';

import { inLazyTransaction, openDatabase } from '../keys/database.js';
import type { Seal } from '../keys/sealing.js';
import type { Commit, LedgerCall } from '../ports.js';
import { decodeCall, encodeCall, type KeptCall, type Share, type SharedCall } from './call-bytes.js';
import { parseRefusal, Refusal } from './refusal.js';
import type { Endorsed } from './steps.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS calls (
  id INTEGER PRIMARY KEY, state TEXT NOT NULL, tx_id TEXT, block INTEGER, refusal TEXT, created INTEGER NOT NULL
  ) STRICT;
CREATE TABLE IF NOT EXISTS bodies (call INTEGER PRIMARY KEY REFERENCES calls (id), sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS envelopes (call INTEGER PRIMARY KEY REFERENCES calls (id), bytes BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS keys (
  key TEXT PRIMARY KEY, call INTEGER NOT NULL REFERENCES calls (id), digest TEXT NOT NULL, written TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_by_call ON keys (call);
CREATE TABLE IF NOT EXISTS packs (call INTEGER PRIMARY KEY REFERENCES calls (id)) STRICT;
CREATE INDEX IF NOT EXISTS calls_open ON calls (id) WHERE state IN ('intent', 'endorsed');
`;

/** A client's request among those that one call carries. */
export interface OutboxEntry {
  /** HMAC of the client's Idempotency-Key, or of one made for it. */
  readonly key: string;
  /** HMAC of the request: tells a retry from another use of the key. */
  readonly digest: string;
  /** What the request writes, for the answer to a retry. */
  readonly written: readonly string[];
  /** The key is a client's: the ledger remembers it by itself, also where the request shares a call. */
  readonly isClients?: true;
}

/** How a call stands: asked, endorsed and perhaps sent, or ended. */
export type CallState =
  | { readonly state: 'intent' }
  | { readonly state: 'endorsed'; readonly endorsed: Endorsed }
  | { readonly state: 'committed'; readonly commit: Commit }
  | { readonly state: 'refused'; readonly refusal: Refusal };

/** An entry of the outbox with what became of its call. */
export interface FoundEntry extends OutboxEntry {
  readonly call: number;
  /** When its call was kept, ms since 1970. */
  readonly created: number;
  readonly standing: CallState;
}

/** A call that has not ended. */
export interface OpenCall extends KeptCall {
  readonly id: number;
  readonly standing: CallState;
}

/** A call that ended long ago. */
export interface OldCall {
  readonly call: number;
  /** By which the ledger remembers it; none where it does not. */
  readonly ledgerKeys: readonly string[];
}

/** The idempotency key of a call: its request's; of a shared call one that is made of all of theirs, in any order. */
export function callKey(keys: readonly string[]): string {
  const [only = ''] = keys;
  return keys.length === 1
    ? only
    : createHash('sha256')
        .update([...keys].sort().join('\n'))
        .digest('hex');
}

/** Whether requests share a call whose keys are clients' own. */
export function isPack(entries: readonly Pick<OutboxEntry, 'isClients'>[]): boolean {
  return entries.length > 1 && entries.every(({ isClients }) => isClients === true);
}

/** Statements over outbox.db of one gateway. What it keeps is on the disk once `durable` says so. */
export class OutboxStore {
  readonly #database: DatabaseSync;
  readonly #log: LogSync;
  readonly #sql: Record<keyof typeof SQL, StatementSync>;

  constructor(
    dataDir: string,
    gateway: string,
    private readonly seal: Seal,
  ) {
    const file = join(dataDir, `outbox-${gateway}.db`);
    this.#database = openDatabase(file, SCHEMA);
    this.#log = new LogSync(file);
    const names = Object.keys(SQL) as (keyof typeof SQL)[];
    const prepared = names.map((name) => [name, this.#database.prepare(SQL[name])]);
    this.#sql = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
  }

  /** Resolves when all that was kept so far is on the disk. */
  durable(): Promise<void> {
    return this.#log.sync();
  }

  /** Keeps a call and the requests it carries, and whose what is where they share it; returns its number. */
  intend(call: LedgerCall, entries: readonly OutboxEntry[], now: number, shares?: readonly Share[]): number {
    return inLazyTransaction(this.#database, () => {
      const id = this.#insert({ call, shares }, now);
      for (const { key, digest, written } of entries) this.#sql.insertKey.run(key, id, digest, JSON.stringify(written));
      if (isPack(entries)) this.#sql.insertPack.run(id);
      return id;
    });
  }

  /** Replaces a shared call that was refused by calls that each carry some of its requests; returns their numbers. */
  split(id: number, parts: readonly SharedCall[], now: number): number[] {
    return inLazyTransaction(this.#database, () => {
      const ids = parts.map((part) => this.#insertPart(part, now));
      this.#dropContent(id);
      this.#sql.dropPack.run(id);
      this.#sql.dropCall.run(id);
      return ids;
    });
  }

  /** Keeps the newest envelope of a call. */
  endorsed(id: number, { txId, envelope }: Endorsed): void {
    inLazyTransaction(this.#database, () => {
      this.#sql.setEndorsed.run(txId, id);
      this.#sql.putEnvelope.run(id, envelope);
    });
  }

  /** Can be learnt again by asking the ledger, so a power failure may forget it. */
  committed(id: number, { txId, block }: Commit): void {
    inLazyTransaction(this.#database, () => {
      this.#sql.setCommitted.run(txId, block, id);
      this.#dropContent(id);
    });
  }

  refused(id: number, { category, code, detail }: Refusal): void {
    inLazyTransaction(this.#database, () => {
      this.#sql.setRefused.run(JSON.stringify({ category, code, detail }), id);
      this.#dropContent(id);
    });
  }

  /** Removes a key whose request was refused, so that the client may use it for a corrected one. */
  release(key: string): void {
    inLazyTransaction(this.#database, () => this.#sql.dropKey.run(key));
  }

  find(key: string): FoundEntry | undefined {
    const row = this.#sql.find.get(key);
    if (row === undefined) return undefined;
    const written = JSON.parse(row.written as string) as string[];
    const [call, created] = [row.id as number, row.created as number];
    return { key, digest: row.digest as string, written, call, created, standing: standing(row) };
  }

  /** The oldest calls that ended and were kept before an instant (ms since 1970), at most so many. */
  old(before: number, most: number): OldCall[] {
    return this.#sql.old.all(most, before).map((row) => {
      const keys = JSON.parse(row.keys as string) as string[];
      const isRemembered = row.state === 'committed' && keys.length > 0;
      const remembered = row.pack === null ? [callKey(keys)] : keys;
      return { call: row.id as number, ledgerKeys: isRemembered ? remembered : [] };
    });
  }

  /** Lets go of calls that ended, and of the keys they were asked under. */
  drop(calls: readonly number[]): void {
    inLazyTransaction(this.#database, () => {
      for (const call of calls) {
        this.#sql.dropKeys.run(call);
        this.#sql.dropPack.run(call);
        this.#sql.dropCall.run(call);
      }
    });
  }

  /** Calls that have not ended, oldest first. */
  open(): OpenCall[] {
    return this.#sql.open.all().map((row) => ({
      id: row.id as number,
      ...decodeCall(this.seal.open(row.sealed as Uint8Array, 'outbox')),
      standing: standing(row),
    }));
  }

  close(): void {
    this.#log.close();
    this.#database.close();
  }

  #insert(kept: KeptCall, now: number): number {
    const id = Number(this.#sql.insertCall.run(now).lastInsertRowid);
    this.#sql.insertBody.run(id, this.seal.seal(encodeCall(kept), 'outbox'));
    return id;
  }

  #insertPart(part: SharedCall, now: number): number {
    const id = this.#insert(part, now);
    for (const { key } of part.shares) this.#sql.moveKey.run(id, key);
    if (isPack(part.shares)) this.#sql.insertPack.run(id);
    return id;
  }

  #dropContent(id: number): void {
    this.#sql.dropBody.run(id);
    this.#sql.dropEnvelope.run(id);
  }
}

const SQL = {
  insertCall: `INSERT INTO calls (state, created) VALUES ('intent', ?)`,
  insertBody: 'INSERT INTO bodies VALUES (?, ?)',
  // A key whose time is over may still be here.
  insertKey: 'INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)',
  moveKey: 'UPDATE keys SET call = ? WHERE key = ?',
  dropKey: 'DELETE FROM keys WHERE key = ?',
  dropKeys: 'DELETE FROM keys WHERE call = ?',
  insertPack: 'INSERT INTO packs VALUES (?)',
  dropPack: 'DELETE FROM packs WHERE call = ?',
  dropCall: 'DELETE FROM calls WHERE id = ?',
  // Calls are numbered as they are kept: where the first ones are not old, none is, and no more are looked at.
  old: `SELECT c.id, c.state, (SELECT json_group_array(k.key) FROM keys k WHERE k.call = c.id) AS keys,
    (SELECT p.call FROM packs p WHERE p.call = c.id) AS pack
    FROM (SELECT * FROM calls WHERE state IN ('committed', 'refused') ORDER BY id LIMIT ?) c WHERE c.created < ?`,
  setEndorsed: `UPDATE calls SET state = 'endorsed', tx_id = ? WHERE id = ?`,
  putEnvelope: 'INSERT OR REPLACE INTO envelopes VALUES (?, ?)',
  setCommitted: `UPDATE calls SET state = 'committed', tx_id = ?, block = ? WHERE id = ?`,
  setRefused: `UPDATE calls SET state = 'refused', refusal = ? WHERE id = ?`,
  dropBody: 'DELETE FROM bodies WHERE call = ?',
  dropEnvelope: 'DELETE FROM envelopes WHERE call = ?',
  find: `SELECT k.digest, k.written, c.*, e.bytes AS envelope FROM keys k JOIN calls c ON c.id = k.call
    LEFT JOIN envelopes e ON e.call = c.id WHERE k.key = ?`,
  open: `SELECT c.*, b.sealed, e.bytes AS envelope FROM calls c JOIN bodies b ON b.call = c.id
    LEFT JOIN envelopes e ON e.call = c.id WHERE c.state IN ('intent', 'endorsed') ORDER BY c.id`,
} as const;

function standing(row: Record<string, unknown>): CallState {
  const txId = row.tx_id as string;
  if (row.state === 'committed') return { state: 'committed', commit: { txId, block: row.block as number } };
  if (row.state === 'refused') return { state: 'refused', refusal: refusalOf(row.refusal as string) };
  if (row.state === 'endorsed') {
    return { state: 'endorsed', endorsed: { txId, envelope: row.envelope as Uint8Array } };
  }
  return { state: 'intent' };
}

function refusalOf(text: string): Refusal {
  return parseRefusal(text) ?? new Refusal('unavailable', 'refused', 'the ledger refused it');
}
