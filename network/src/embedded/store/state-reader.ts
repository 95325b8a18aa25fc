import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { HashedValue, StateEntry, StateValue, TransactionPosition, Version } from '../ports.js';
import { blob, optionalBlob } from './sqlite.js';

/** Rows fetched at a time while a range is read. */
const PAGE = 128;

type Row = Record<string, unknown>;

/** Reads of the public store over one connection, as of whatever that connection sees. */
export class StateReader {
  private readonly statements: Record<keyof typeof QUERIES, StatementSync>;

  constructor(db: DatabaseSync) {
    const names = Object.keys(QUERIES) as (keyof typeof QUERIES)[];
    this.statements = Object.fromEntries(names.map((name) => [name, db.prepare(QUERIES[name])])) as Record<
      keyof typeof QUERIES,
      StatementSync
    >;
  }

  height(): number {
    return Number(this.statements.height.get()?.height);
  }

  state(namespace: string, key: string): StateValue | undefined {
    const row = this.statements.state.get(namespace, Buffer.from(key));
    return row && stateValue(row);
  }

  /** Public keys in [start, end), or to the end of the namespace when `end` is undefined. */
  *range(namespace: string, start: string, end: string | undefined): IterableIterator<StateEntry> {
    for (const row of this.pages('rangeTo', 'rangeFrom', namespace, start, end)) {
      yield { ...stateValue(row), key: blob(row.key).toString() };
    }
  }

  /** As `range`, without the values. */
  *versions(namespace: string, start: string, end: string | undefined): IterableIterator<KeyVersion> {
    for (const row of this.pages('versionsTo', 'versionsFrom', namespace, start, end)) {
      yield { key: blob(row.key).toString(), version: versionOf(row) };
    }
  }

  hashed(namespace: string, collection: string, keyHash: Buffer): HashedValue | undefined {
    const row = this.statements.hashed.get(namespace, collection, keyHash);
    if (row === undefined) return undefined;
    const { value, ...rest } = stateValue(row);
    return { ...rest, valueHash: value };
  }

  /** Positions of the valid transactions that wrote a public key, newest first. */
  writers(namespace: string, key: string): Version[] {
    return this.statements.history.all(namespace, Buffer.from(key)).map(versionOf);
  }

  transaction(txId: string): TransactionPosition | undefined {
    const row = this.statements.transaction.get(Buffer.from(txId));
    return row && { ...versionOf(row), code: Number(row.code) };
  }

  /** Keys of private collections that expire with the commit of a block, and the block each was written in. */
  expiring(block: number): ExpiringKey[] {
    return this.statements.expiring.all(block).map((row) => ({
      namespace: String(row.namespace),
      collection: String(row.collection),
      keyHash: blob(row.key),
      block: Number(row.block),
    }));
  }

  block(number: number): Buffer | undefined {
    return optionalBlob(this.statements.block.get(number)?.bytes);
  }

  private *pages(
    to: 'rangeTo' | 'versionsTo',
    from: 'rangeFrom' | 'versionsFrom',
    namespace: string,
    start: string,
    end: string | undefined,
  ): IterableIterator<Row> {
    let next = Buffer.from(start);
    const last = end === undefined ? undefined : Buffer.from(end);
    for (;;) {
      const rows =
        last === undefined
          ? this.statements[from].all(namespace, next, PAGE)
          : this.statements[to].all(namespace, next, PAGE, last);
      yield* rows;
      const lastRow = rows.at(-1);
      if (lastRow === undefined || rows.length < PAGE) return;
      next = Buffer.concat([blob(lastRow.key), Buffer.of(0)]);
    }
  }
}

/** A key and the height it was written at. */
export interface KeyVersion {
  readonly key: string;
  readonly version: Version;
}

/** A private key, by hash, whose time to live ends. */
export interface ExpiringKey {
  readonly namespace: string;
  readonly collection: string;
  readonly keyHash: Buffer;
  /** Block of the write that expires; a later write is not meant. */
  readonly block: number;
}

const FROM = 'FROM state WHERE namespace = ?1 AND key >= ?2';
const ROWS = 'ORDER BY key LIMIT ?3';

const QUERIES = {
  height: 'SELECT coalesce(max(number) + 1, 0) AS height FROM block',
  block: 'SELECT bytes FROM block WHERE number = ?',
  state: 'SELECT value, metadata, block, tx FROM state WHERE namespace = ? AND key = ?',
  rangeFrom: `SELECT key, value, metadata, block, tx ${FROM} ${ROWS}`,
  rangeTo: `SELECT key, value, metadata, block, tx ${FROM} AND key < ?4 ${ROWS}`,
  versionsFrom: `SELECT key, block, tx ${FROM} ${ROWS}`,
  versionsTo: `SELECT key, block, tx ${FROM} AND key < ?4 ${ROWS}`,
  hashed: 'SELECT value, metadata, block, tx FROM hashed WHERE namespace = ? AND collection = ? AND key = ?',
  history: 'SELECT block, tx FROM history WHERE namespace = ? AND key = ? ORDER BY block DESC, tx DESC',
  transaction: 'SELECT block, tx, code FROM tx WHERE id = ?',
  expiring: 'SELECT namespace, collection, key, block FROM expiry WHERE at = ?',
} as const;

function stateValue(row: Row): StateValue {
  const metadata = optionalBlob(row.metadata);
  const value = { value: blob(row.value), version: versionOf(row) };
  return metadata === undefined ? value : { ...value, metadata };
}

function versionOf(row: Row): Version {
  return { block: Number(row.block), tx: Number(row.tx) };
}
