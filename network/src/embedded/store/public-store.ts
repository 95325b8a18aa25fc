import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Version } from '../ports.js';
import { PUBLIC_SCHEMA } from './schema.js';
import { blob, durably, openForWriting, optionalBlob } from './sqlite.js';
import { StateReader, type ExpiringKey } from './state-reader.js';

/** A key's new value in public state or, by hashes, in a collection's; a value of undefined deletes the key. */
export interface StateChange {
  readonly namespace: string;
  /** Empty for public state. */
  readonly collection: string;
  readonly key: Buffer;
  readonly value: Buffer | undefined;
  readonly metadata: Buffer | undefined;
  readonly version: Version;
}

/** All that one block adds to the public store. */
export interface BlockChanges {
  readonly number: number;
  readonly headerHash: Buffer;
  readonly commitHash: Buffer;
  /** The block with its validation flags and commit hash. */
  readonly bytes: Buffer;
  /** The changes as the commit hash covers them; kept for the newest block only, to check it on opening. */
  readonly updates: Buffer;
  /** Number of the config block in force after this block. */
  readonly configBlock: number;
  readonly transactions: readonly { readonly id: string; readonly tx: number; readonly code: number }[];
  readonly changes: readonly StateChange[];
  readonly history: readonly { readonly namespace: string; readonly key: Buffer; readonly tx: number }[];
  readonly expiries: readonly (ExpiringKey & { readonly at: number })[];
}

/** Hashes of a stored block. */
export interface BlockHashes {
  readonly headerHash: Buffer;
  readonly commitHash: Buffer;
}

/** The file with what all members share. One writer; readers see the state as of their snapshot. */
export class PublicStore extends StateReader {
  private readonly db: DatabaseSync;
  private readonly writes: Record<keyof typeof WRITES, StatementSync>;

  constructor(private readonly file: string) {
    const db = openForWriting(file, PUBLIC_SCHEMA);
    super(db);
    this.db = db;
    const names = Object.keys(WRITES) as (keyof typeof WRITES)[];
    this.writes = Object.fromEntries(names.map((name) => [name, db.prepare(WRITES[name])])) as Record<
      keyof typeof WRITES,
      StatementSync
    >;
  }

  /** A connection of its own for a reader. */
  connect(): DatabaseSync {
    return new DatabaseSync(this.file, { readOnly: true });
  }

  hashes(number: number): BlockHashes | undefined {
    const row = this.writes.hashes.get(number);
    return row && { headerHash: blob(row.header_hash), commitHash: blob(row.commit_hash) };
  }

  /** The newest block's changes as its commit hash covers them. */
  lastUpdates(): Buffer | undefined {
    return optionalBlob(this.writes.fact.get('updates')?.value);
  }

  /** The config block in force. */
  configBlock(): Buffer | undefined {
    const number = optionalBlob(this.writes.fact.get('config block')?.value);
    return number && this.block(Number(number.toString()));
  }

  /** Writes a block and all it changes; on return it is on the disk. */
  commit(block: BlockChanges): void {
    durably(this.db, () => {
      this.writes.block.run(block.number, block.headerHash, block.commitHash, block.bytes);
      this.writes.setFact.run('updates', block.updates);
      this.writes.setFact.run('config block', Buffer.from(String(block.configBlock)));
      for (const { id, tx, code } of block.transactions) this.writes.tx.run(Buffer.from(id), block.number, tx, code);
      for (const change of block.changes) this.change(change);
      for (const { namespace, key, tx } of block.history) this.writes.history.run(namespace, key, block.number, tx);
      for (const { at, namespace, collection, keyHash, block: written } of block.expiries) {
        this.writes.expiry.run(at, namespace, collection, keyHash, written);
      }
      this.writes.dropExpiry.run(block.number);
    });
  }

  close(): void {
    this.db.close();
  }

  private change({ namespace, collection, key, value, metadata, version }: StateChange): void {
    const { block, tx } = version;
    if (collection === '') {
      if (value === undefined) this.writes.deleteState.run(namespace, key);
      else this.writes.putState.run(namespace, key, value, metadata ?? null, block, tx);
    } else if (value === undefined) this.writes.deleteHashed.run(namespace, collection, key);
    else this.writes.putHashed.run(namespace, collection, key, value, metadata ?? null, block, tx);
  }
}

const WRITES = {
  hashes: 'SELECT header_hash, commit_hash FROM block WHERE number = ?',
  fact: 'SELECT value FROM fact WHERE name = ?',
  setFact: 'INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)',
  block: 'INSERT INTO block (number, header_hash, commit_hash, bytes) VALUES (?, ?, ?, ?)',
  tx: 'INSERT OR IGNORE INTO tx (id, block, tx, code) VALUES (?, ?, ?, ?)',
  putState: 'INSERT OR REPLACE INTO state (namespace, key, value, metadata, block, tx) VALUES (?, ?, ?, ?, ?, ?)',
  deleteState: 'DELETE FROM state WHERE namespace = ? AND key = ?',
  putHashed:
    'INSERT OR REPLACE INTO hashed (namespace, collection, key, value, metadata, block, tx) VALUES (?, ?, ?, ?, ?, ?, ?)',
  deleteHashed: 'DELETE FROM hashed WHERE namespace = ? AND collection = ? AND key = ?',
  history: 'INSERT OR IGNORE INTO history (namespace, key, block, tx) VALUES (?, ?, ?, ?)',
  expiry: 'INSERT OR IGNORE INTO expiry (at, namespace, collection, key, block) VALUES (?, ?, ?, ?, ?)',
  dropExpiry: 'DELETE FROM expiry WHERE at <= ?',
} as const;
