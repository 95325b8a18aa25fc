/** The outbox on disk: what was asked, the envelope that was sent, and what became of it. */
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { inLazyTransaction, inTransaction, openDatabase } from '../keys/database.js';
import type { Seal } from '../keys/sealing.js';
import type { Commit, LedgerCall } from '../ports.js';
import { parseRefusal, Refusal } from './refusal.js';
import type { Endorsed } from './steps.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS calls (
  id INTEGER PRIMARY KEY, state TEXT NOT NULL, call BLOB, tx_id TEXT, envelope BLOB, block INTEGER, refusal TEXT,
  created INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS keys (
  key TEXT PRIMARY KEY, call INTEGER NOT NULL REFERENCES calls (id), digest TEXT NOT NULL, written TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
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
}

/** How a call stands: asked, endorsed and perhaps sent, or ended. */
export type CallState =
  | { readonly state: 'intent' }
  | { readonly state: 'endorsed'; readonly endorsed: Endorsed }
  | { readonly state: 'committed'; readonly commit: Commit }
  | { readonly state: 'refused'; readonly refusal: Refusal };

export interface FoundEntry extends OutboxEntry {
  readonly call: number;
  readonly standing: CallState;
}

/** Statements over outbox.db of one gateway. */
export class OutboxStore {
  readonly #database: DatabaseSync;
  readonly #insertCall: StatementSync;
  readonly #insertKey: StatementSync;
  readonly #moveKey: StatementSync;
  readonly #setEndorsed: StatementSync;
  readonly #setCommitted: StatementSync;
  readonly #setRefused: StatementSync;
  readonly #select: StatementSync;

  constructor(
    dataDir: string,
    gateway: string,
    private readonly seal: Seal,
  ) {
    this.#database = openDatabase(join(dataDir, `outbox-${gateway}.db`), SCHEMA);
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    this.#insertCall = prepare(`INSERT INTO calls (state, call, created) VALUES ('intent', ?, ?)`);
    this.#insertKey = prepare('INSERT INTO keys VALUES (?, ?, ?, ?)');
    this.#moveKey = prepare('UPDATE keys SET call = ? WHERE key = ?');
    this.#setEndorsed = prepare(`UPDATE calls SET state = 'endorsed', tx_id = ?, envelope = ? WHERE id = ?`);
    this.#setCommitted = prepare(
      `UPDATE calls SET state = 'committed', call = NULL, envelope = NULL, tx_id = ?, block = ? WHERE id = ?`,
    );
    this.#setRefused = prepare(
      `UPDATE calls SET state = 'refused', call = NULL, envelope = NULL, refusal = ? WHERE id = ?`,
    );
    this.#select = prepare(
      'SELECT k.call, k.digest, k.written, c.* FROM keys k JOIN calls c ON c.id = k.call WHERE k.key = ?',
    );
  }

  /** Keeps a call and the requests it carries, durable on return; returns its number. */
  intend(call: LedgerCall, entries: readonly OutboxEntry[], now: number): number {
    return inTransaction(this.#database, () => {
      const id = Number(this.#insertCall.run(this.#sealCall(call), now).lastInsertRowid);
      for (const { key, digest, written } of entries) this.#insertKey.run(key, id, digest, JSON.stringify(written));
      return id;
    });
  }

  /** Replaces a shared call that was refused by one call for each of its requests; durable on return. */
  split(calls: readonly { readonly call: LedgerCall; readonly entry: OutboxEntry }[], now: number): number[] {
    return inTransaction(this.#database, () =>
      calls.map(({ call, entry }) => {
        const id = Number(this.#insertCall.run(this.#sealCall(call), now).lastInsertRowid);
        this.#moveKey.run(id, entry.key);
        return id;
      }),
    );
  }

  /** Durable on return: from here on the envelope may be sent. */
  endorsed(id: number, { txId, envelope }: Endorsed): void {
    inTransaction(this.#database, () => this.#setEndorsed.run(txId, envelope, id));
  }

  /** Can be learnt again by asking the ledger, so a power failure may forget it. */
  committed(id: number, { txId, block }: Commit): void {
    inLazyTransaction(this.#database, () => this.#setCommitted.run(txId, block, id));
  }

  refused(id: number, { category, code, detail }: Refusal): void {
    inLazyTransaction(this.#database, () => this.#setRefused.run(JSON.stringify({ category, code, detail }), id));
  }

  /** Removes a key whose request was refused, so that the client may use it for a corrected one. */
  release(key: string): void {
    inLazyTransaction(this.#database, () => this.#database.prepare('DELETE FROM keys WHERE key = ?').run(key));
  }

  find(key: string): FoundEntry | undefined {
    const row = this.#select.get(key);
    if (row === undefined) return undefined;
    const written = JSON.parse(row.written as string) as string[];
    return { key, digest: row.digest as string, written, call: row.id as number, standing: standing(row) };
  }

  /** Calls that have not ended, oldest first. */
  open(): { readonly id: number; readonly call: LedgerCall; readonly standing: CallState }[] {
    return this.#database
      .prepare(`SELECT * FROM calls WHERE state IN ('intent', 'endorsed') ORDER BY id`)
      .all()
      .map((row) => ({ id: row.id as number, call: this.#openCall(row.call as Uint8Array), standing: standing(row) }));
  }

  close(): void {
    this.#database.close();
  }

  #sealCall(call: LedgerCall): Buffer {
    return this.seal.seal(encodeCall(call), 'outbox');
  }

  #openCall(sealed: Uint8Array): LedgerCall {
    return decodeCall(this.seal.open(sealed, 'outbox'));
  }
}

interface CallHeader extends Omit<LedgerCall, 'transient'> {
  readonly parts: readonly (readonly [name: string, length: number])[];
}

/** A line of JSON, then the transient values one after the other as they are. */
function encodeCall({ transient, ...call }: LedgerCall): Buffer {
  const values = Object.entries(transient ?? {});
  const header: CallHeader = { ...call, parts: values.map(([name, value]) => [name, value.length]) };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...values.map(([, value]) => value)]);
}

function decodeCall(bytes: Buffer): LedgerCall {
  let at = bytes.indexOf('\n') + 1;
  const { parts, ...call } = JSON.parse(bytes.toString('utf8', 0, at)) as CallHeader;
  if (parts.length === 0) return call;
  const values = parts.map(([name, length]) => {
    at += length;
    return [name, bytes.subarray(at - length, at)] as const;
  });
  return { ...call, transient: Object.fromEntries(values) };
}

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
