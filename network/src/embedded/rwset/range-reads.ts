import { createHash } from 'node:crypto';
import { ledger } from '@hyperledger/fabric-protos';
import type { Version } from '../ports.js';
import { versionMessage } from './keys.js';

const { KVRead, QueryReads, QueryReadsMerkleSummary } = ledger.rwset.kvrwset;

/** Fabric's maximum degree of the Merkle summary of a range: up to as many reads are recorded one by one. */
export const MAX_DEGREE = 50;

const LEAF_LEVEL = 1;

/** The rows a range query read, as they go into its kvrwset.RangeQueryInfo: raw, or a Merkle summary above MAX_DEGREE. */
export class RangeReads {
  #pending: ledger.rwset.kvrwset.KVRead[] = [];
  readonly #tree = new MerkleTree();

  add(key: string, version: Version): void {
    const read = new KVRead();
    read.setKey(key);
    read.setVersion(versionMessage(version));
    this.#pending.push(read);
    if (this.#pending.length > MAX_DEGREE) this.#hashPending();
  }

  /** Fills in what was read; nothing when no row was. Call it once, at the end. */
  describe(info: ledger.rwset.kvrwset.RangeQueryInfo): void {
    if (!this.#tree.empty) {
      if (this.#pending.length > 0) this.#hashPending();
      info.setReadsMerkleHashes(this.#tree.summary());
    } else if (this.#pending.length > 0) {
      info.setRawReads(queryReads(this.#pending));
    }
  }

  #hashPending(): void {
    this.#tree.add(sha256(queryReads(this.#pending).serializeBinary()));
    this.#pending = [];
  }
}

function queryReads(reads: ledger.rwset.kvrwset.KVRead[]): ledger.rwset.kvrwset.QueryReads {
  const message = new QueryReads();
  message.setKvReadsList(reads);
  return message;
}

/** Fabric's incremental tree (rwsetutil/query_results_helper.go): a level with more than MAX_DEGREE hashes folds into one. */
class MerkleTree {
  readonly #levels = new Map<number, Buffer[]>();
  #top = LEAF_LEVEL;

  get empty(): boolean {
    return this.#levels.size === 0;
  }

  add(leaf: Buffer): void {
    this.#push(LEAF_LEVEL, leaf);
    for (let level = LEAF_LEVEL; this.#at(level).length > MAX_DEGREE; level++) this.#foldInto(level);
  }

  summary(): ledger.rwset.kvrwset.QueryReadsMerkleSummary {
    for (let level = LEAF_LEVEL; level < this.#top; level++) {
      if (this.#at(level).length > 0) this.#foldInto(level);
    }
    if (this.#at(this.#top).length > MAX_DEGREE) this.#foldInto(this.#top);
    const message = new QueryReadsMerkleSummary();
    message.setMaxDegree(MAX_DEGREE);
    message.setMaxLevel(this.#top);
    message.setMaxLevelHashesList(this.#at(this.#top));
    return message;
  }

  /** A lone hash rises unchanged; several rise as the hash of their concatenation. */
  #foldInto(level: number): void {
    const hashes = this.#at(level);
    const [only] = hashes;
    const folded = only && hashes.length === 1 ? only : sha256(Buffer.concat(hashes));
    this.#levels.delete(level);
    this.#push(level + 1, folded);
    this.#top = Math.max(this.#top, level + 1);
  }

  #push(level: number, hash: Buffer): void {
    this.#levels.set(level, [...this.#at(level), hash]);
  }

  #at(level: number): Buffer[] {
    return this.#levels.get(level) ?? [];
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
