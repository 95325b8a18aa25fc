import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ledger } from '@hyperledger/fabric-protos';
import type { StateEntry, StateValue } from '../ports.js';
import { joinPrivateSets, type PrivateWriteSet } from '../rwset/parse.js';
import { PRIVATE_SCHEMA } from './schema.js';
import { LogSync } from '../../log-sync.js';
import { atomically, blob, openForWriting, optionalBlob } from './sqlite.js';
import { TransientSets } from './transient-sets.js';

const { kvrwset } = ledger.rwset;

/** Rows fetched at a time while a range is read. */
const PAGE = 128;

/** Where a private key lies, by hash. */
export interface PrivateKey {
  readonly namespace: string;
  readonly collection: string;
  readonly keyHash: Buffer;
}

/** A private value as it stands after a block; undefined deletes it. */
export interface PrivateChange extends PrivateKey {
  readonly key: Buffer;
  readonly tx: number;
  readonly value: Buffer | undefined;
}

/** All that one block adds to a member's private store. */
export interface PrivateBlock {
  readonly number: number;
  readonly values: readonly PrivateChange[];
  /** Write sets for delivery, and the block after which each has expired. */
  readonly parts: readonly (PrivateWriteSet & { readonly tx: number; readonly expires: number | undefined })[];
  readonly purges: readonly (PrivateKey & { readonly tx: number })[];
  /** Keys that a write set holds and no value of its transaction stands for: written again, or never in force. */
  readonly hidden: readonly (PrivateKey & { readonly tx: number })[];
}

/** The file with what one member alone holds in clear. Values are read as of a height. */
export class PrivateStore {
  private readonly db: DatabaseSync;
  private readonly sql: Record<keyof typeof SQL, StatementSync>;
  private readonly log: LogSync;
  /** Write sets of transactions that are not committed yet. */
  readonly transient: TransientSets;

  constructor(file: string) {
    this.db = openForWriting(file, PRIVATE_SCHEMA);
    this.log = new LogSync(file);
    this.transient = new TransientSets(`${file}-transient`);
    const names = Object.keys(SQL) as (keyof typeof SQL)[];
    this.sql = Object.fromEntries(names.map((name) => [name, this.db.prepare(SQL[name])])) as typeof this.sql;
  }

  /** Drops what was written for blocks the public store never committed, and finishes what a crash left undone. */
  recover(height: number): void {
    atomically(this.db, () => {
      for (const name of ['dropValues', 'keepSuperseded', 'dropParts', 'dropPartKeys', 'dropPurges'] as const) {
        this.sql[name].run(height);
      }
    });
    this.settle(height, height);
  }

  /** The value with the greatest block below `height`. */
  value(namespace: string, collection: string, key: string, height: number): StateValue | undefined {
    const row = this.sql.value.get(namespace, collection, Buffer.from(key), height);
    const value = row && optionalBlob(row.value);
    return value && { value, version: { block: Number(row.block), tx: Number(row.tx) } };
  }

  *range(
    namespace: string,
    collection: string,
    start: string,
    end: string | undefined,
    height: number,
  ): IterableIterator<StateEntry> {
    const last = end === undefined ? null : Buffer.from(end);
    let next = Buffer.from(start);
    for (;;) {
      const keys = this.sql.keys.all(namespace, collection, next, last, PAGE).map((row) => blob(row.key));
      for (const bytes of keys) {
        const key = bytes.toString();
        const found = this.value(namespace, collection, key, height);
        if (found !== undefined) yield { ...found, key };
      }
      const lastKey = keys.at(-1);
      if (lastKey === undefined || keys.length < PAGE) return;
      next = Buffer.concat([lastKey, Buffer.of(0)]);
    }
  }

  /** The newest value of a key known by its hash. */
  newest({ namespace, collection, keyHash }: PrivateKey): { key: Buffer; value: Buffer; tx: number } | undefined {
    const row = this.sql.newest.get(namespace, collection, keyHash);
    const value = row && optionalBlob(row.value);
    return value && { key: blob(row.key), value, tx: Number(row.tx) };
  }

  /** rwset.TxPvtReadWriteSet of a block by index of the transaction. */
  parts(block: number): Map<number, Buffer> {
    const byTx = new Map<number, PrivateWriteSet[]>();
    for (const row of this.sql.parts.all(block)) {
      const tx = Number(row.tx);
      const parts = byTx.get(tx) ?? [];
      parts.push({
        namespace: String(row.namespace),
        collection: String(row.collection),
        bytes: blob(row.bytes),
      });
      byTx.set(tx, parts);
    }
    return new Map([...byTx].map(([tx, parts]) => [tx, joinPrivateSets(parts)]));
  }

  /**
   * Writes a block's rows, tagged with it: they count once the public store has committed the block. Resolves when they
   * are on the disk.
   */
  async write(block: PrivateBlock): Promise<void> {
    if (block.values.length + block.parts.length + block.purges.length === 0) return;
    atomically(this.db, () => {
      for (const change of block.values) this.writeValue(block.number, change);
      for (const part of block.parts) this.writePart(block.number, part);
      for (const { namespace, collection, keyHash, tx } of block.hidden) {
        this.sql.partKey.run(namespace, collection, keyHash, block.number, tx);
      }
      for (const { namespace, collection, keyHash, tx } of block.purges) {
        this.sql.purge.run(namespace, collection, keyHash, block.number, tx);
      }
    });
    await this.log.sync();
  }

  /**
   * Removes what nobody may or can read any more: purged and expired write sets, values older than every reader. Once no
   * snapshot sees a purged value, it is gone from the write-ahead log too. `height` is the public store's, `oldest` that
   * of the oldest snapshot in use.
   */
  settle(height: number, oldest: number): void {
    const purges = this.sql.purges.all(height);
    const isOver = purges.length > 0 && oldest >= height;
    const due = this.sql.due.get(oldest, height - 1);
    if (purges.length === 0 && due === undefined) return;
    atomically(this.db, () => {
      this.sql.pruneParts.run(height - 1);
      for (const name of ['keepKeys', 'pruneSuperseded', 'pruneDeleted'] as const) this.sql[name].run(oldest);
      for (const row of purges) this.purgeParts(row);
      if (isOver) this.sql.endPurges.run(height);
    });
    if (isOver) this.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.log.close();
    this.db.close();
  }

  private writeValue(block: number, { namespace, collection, key, keyHash, tx, value }: PrivateChange): void {
    this.sql.supersede.run(block, namespace, collection, key, block);
    this.sql.put.run(namespace, collection, key, block, tx, keyHash, value ?? null);
  }

  private writePart(block: number, part: PrivateBlock['parts'][number]): void {
    const { tx, namespace, collection, bytes, expires } = part;
    this.sql.part.run(block, tx, namespace, collection, bytes, expires ?? null);
  }

  /** Takes a purged key's writes out of every write set up to the purge's own. */
  private purgeParts(row: Record<string, unknown>): void {
    const { namespace, collection } = { namespace: String(row.namespace), collection: String(row.collection) };
    const hash = blob(row.hash);
    const [block, tx] = [Number(row.block), Number(row.tx)];
    for (const found of this.sql.partsOfKey.all(namespace, collection, hash, block, tx)) {
      const [atBlock, atTx] = [Number(found.block), Number(found.tx)];
      const stored = this.sql.onePart.get(atBlock, atTx, namespace, collection);
      if (stored === undefined) continue;
      const set = kvrwset.KVRWSet.deserializeBinary(blob(stored.bytes));
      set.setWritesList(set.getWritesList().filter((write) => !hashOf(write.getKey()).equals(hash)));
      this.sql.rewritePart.run(set.serializeBinary(), atBlock, atTx, namespace, collection);
    }
    this.sql.dropPartsOfKey.run(namespace, collection, hash, block, tx);
  }
}

function hashOf(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

const OF_KEY = 'namespace = ?1 AND collection = ?2 AND key = ?3';
const OF_HASH = 'namespace = ?1 AND collection = ?2 AND hash = ?3';
const UP_TO = '(block, tx) <= (?4, ?5)';

const SQL = {
  dropValues: 'DELETE FROM value WHERE block >= ?',
  keepSuperseded: 'UPDATE value SET superseded = NULL WHERE superseded >= ?',
  dropParts: 'DELETE FROM part WHERE block >= ?',
  dropPartKeys: 'DELETE FROM part_key WHERE block >= ?',
  dropPurges: 'DELETE FROM purge WHERE block >= ?',
  value: `SELECT value, block, tx FROM value WHERE ${OF_KEY} AND block < ?4 ORDER BY block DESC LIMIT 1`,
  keys: `SELECT DISTINCT key FROM value WHERE namespace = ?1 AND collection = ?2 AND key >= ?3
    AND key < coalesce(?4, x'ffffff') ORDER BY key LIMIT ?5`,
  newest: `SELECT key, value, tx FROM value WHERE ${OF_HASH} AND superseded IS NULL`,
  supersede: `UPDATE value SET superseded = ?1
    WHERE namespace = ?2 AND collection = ?3 AND key = ?4 AND superseded IS NULL AND block < ?5`,
  put: `INSERT OR REPLACE INTO value (namespace, collection, key, block, tx, hash, value)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  keepKeys: `INSERT OR IGNORE INTO part_key SELECT namespace, collection, hash, block, tx FROM value
    WHERE superseded < ?1 OR (value IS NULL AND block < ?1)`,
  pruneSuperseded: 'DELETE FROM value WHERE superseded < ?',
  pruneDeleted: 'DELETE FROM value WHERE value IS NULL AND block < ?',
  parts: 'SELECT tx, namespace, collection, bytes FROM part WHERE block = ? ORDER BY tx, namespace, collection',
  onePart: 'SELECT bytes FROM part WHERE block = ? AND tx = ? AND namespace = ? AND collection = ?',
  part: `INSERT OR REPLACE INTO part (block, tx, namespace, collection, bytes, expires) VALUES (?, ?, ?, ?, ?, ?)`,
  rewritePart: 'UPDATE part SET bytes = ? WHERE block = ? AND tx = ? AND namespace = ? AND collection = ?',
  pruneParts: 'DELETE FROM part WHERE expires <= ?',
  partKey: 'INSERT OR IGNORE INTO part_key (namespace, collection, hash, block, tx) VALUES (?, ?, ?, ?, ?)',
  partsOfKey: `SELECT block, tx FROM part_key WHERE ${OF_HASH} AND ${UP_TO}
    UNION SELECT block, tx FROM value WHERE ${OF_HASH} AND ${UP_TO}`,
  dropPartsOfKey: `DELETE FROM part_key WHERE ${OF_HASH} AND ${UP_TO}`,
  purge: 'INSERT OR IGNORE INTO purge (namespace, collection, hash, block, tx) VALUES (?, ?, ?, ?, ?)',
  purges: 'SELECT namespace, collection, hash, block, tx FROM purge WHERE block < ?',
  endPurges: 'DELETE FROM purge WHERE block < ?',
  due: `SELECT 1 FROM value WHERE superseded < ?1 UNION ALL SELECT 1 FROM value WHERE value IS NULL AND block < ?1
    UNION ALL SELECT 1 FROM part WHERE expires <= ?2 LIMIT 1`,
} as const;
