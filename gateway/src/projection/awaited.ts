/** Values that blocks were applied without, kept beside the checkpoint until the peer delivers them or a purge is seen. */
import type { AbsentValue, HashedKey } from './absent.js';
import { comparePlaces, type Place } from './place.js';
import type { FactChange } from './projector.js';
import type { Statements } from './statements.js';

/** A value that is awaited, and the header hash (hex) of its block. */
export interface AwaitedValue extends HashedKey {
  readonly tx: number;
  readonly hash: string;
}

/**
 * Facts have no history: a value that comes late must not overwrite what a later transaction said. So while anything is
 * awaited it is noted where each fact was said last; what nothing awaits any more needs no note.
 */
export class Awaited {
  private any: boolean;

  constructor(private readonly statements: Statements) {
    this.any = this.look();
  }

  /** How many. */
  get count(): number {
    return this.any ? (this.statements.get('SELECT count(*) AS n FROM awaited')?.n as number) : 0;
  }

  /** Numbers of blocks that values are missing from, from `start` on. */
  blocks(start: number, limit: number): number[] {
    if (!this.any) return [];
    const query = 'SELECT DISTINCT block FROM awaited WHERE block >= ? ORDER BY block LIMIT ?';
    return this.statements.all(query, start, limit).map((row) => row.block as number);
  }

  of(block: number): AwaitedValue[] {
    const rows = this.statements.all('SELECT tx, collection, key_hash, hash FROM awaited WHERE block = ?', block);
    return rows.map((row) => ({
      tx: row.tx as number,
      collection: row.collection as string,
      keyHash: row.key_hash as string,
      hash: row.hash as string,
    }));
  }

  add({ transaction, collection, keyHash }: AbsentValue, block: number, hash: string): void {
    this.any = true;
    this.statements.run(
      'INSERT INTO awaited (block, tx, collection, key_hash, hash) VALUES (?, ?, ?, ?, ?)',
      ...[block, transaction.index, collection, keyHash, hash],
    );
  }

  /** The value came. */
  came(block: number, { tx, collection, keyHash }: AwaitedValue): void {
    this.statements.run(
      'DELETE FROM awaited WHERE block = ? AND tx = ? AND collection = ? AND key_hash = ?',
      ...[block, tx, collection, keyHash],
    );
    this.settle();
  }

  /** A block purged the key: what was written under it by then will never come. */
  purged({ collection, keyHash }: HashedKey, block: number): void {
    if (!this.any) return;
    this.statements.run(
      'DELETE FROM awaited WHERE collection = ? AND key_hash = ? AND block <= ?',
      ...[collection, keyHash, block],
    );
    this.settle();
  }

  /** Whether a later transaction than the one at `place` said the fact; notes the place where none did. */
  isOvertaken({ space, key }: FactChange, { block, index }: Place): boolean {
    if (!this.any) return false;
    const last = this.statements.get('SELECT block, tx FROM said WHERE space = ? AND key = ?', space, key);
    if (last !== undefined && isAfter(last as unknown as Said, { block, index })) return true;
    this.statements.run('INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?)', space, key, block, index);
    return false;
  }

  /** After a transaction was rolled back, or the tables were emptied. */
  reset(): void {
    this.any = this.look();
  }

  private settle(): void {
    this.any = this.look();
    if (!this.any) this.statements.run('DELETE FROM said');
  }

  private look(): boolean {
    return this.statements.get('SELECT 1 FROM awaited LIMIT 1') !== undefined;
  }
}

interface Said {
  readonly block: number;
  readonly tx: number;
}

function isAfter({ block, tx }: Said, place: Place): boolean {
  return comparePlaces({ block, index: tx }, place) > 0;
}
