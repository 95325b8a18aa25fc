import { createHash } from 'node:crypto';
import { ledger } from '@hyperledger/fabric-protos';
import type { Version } from '../ports.js';
import { versionMessage } from './keys.js';

const { kvrwset } = ledger.rwset;

/** Fan-out of the tree over a range's reads in Fabric's rwsets (ledger.state.maxDegreeQueryReadsHashing). */
export const MAX_DEGREE = 50;

const LEAF_LEVEL = 1;

/** A row a range query returned. */
export interface RangeRead {
  readonly key: string;
  readonly version: Version;
}

/** The hashes at the top level of the tree over a range's reads. */
export interface MerkleSummary {
  readonly maxDegree: number;
  readonly maxLevel: number;
  readonly hashes: readonly Buffer[];
}

/**
 * What a range query leaves in the read-write set (txmgmt/rwsetutil/query_results_helper.go): the reads themselves up
 * to the degree, beyond it a tree built as reads come, whose leaves hash a QueryReads message of degree + 1 reads.
 */
export class RangeSummary {
  private pending: RangeRead[] = [];
  private readonly levels = new Map<number, Buffer[]>();
  private maxLevel = LEAF_LEVEL;

  constructor(private readonly maxDegree = MAX_DEGREE) {
    if (maxDegree < 2) throw new RangeError(`maxDegree [${maxDegree}] should not be less than 2 in the merkle tree`);
  }

  add(read: RangeRead): void {
    this.pending.push(read);
    if (this.pending.length > this.maxDegree) this.hashPending();
  }

  /** The tree's top as it stands while reads still come. */
  get top(): MerkleSummary {
    return { maxDegree: this.maxDegree, maxLevel: this.maxLevel, hashes: this.levels.get(this.maxLevel) ?? [] };
  }

  /** Ends the range: its few reads, or the summary of its many. */
  done(): { readonly reads: readonly RangeRead[] } | { readonly summary: MerkleSummary } {
    if (this.maxLevel === LEAF_LEVEL && this.top.hashes.length === 0) return { reads: this.pending };
    if (this.pending.length > 0) this.hashPending();
    this.complete();
    return { summary: this.top };
  }

  private hashPending(): void {
    const reads = readsMessage(this.pending);
    this.pending = [];
    this.addLeaf(sha256([reads.serializeBinary()]));
  }

  private addLeaf(hash: Buffer): void {
    let level = LEAF_LEVEL;
    let hashes = this.append(level, hash);
    while (hashes.length > this.maxDegree) {
      this.levels.delete(level);
      const parent = sha256(hashes);
      level += 1;
      this.maxLevel = Math.max(this.maxLevel, level);
      hashes = this.append(level, parent);
    }
  }

  /** Lifts what is left below the top level into it. */
  private complete(): void {
    for (let level = LEAF_LEVEL; level < this.maxLevel; level += 1) {
      const hashes = this.levels.get(level) ?? [];
      const [only] = hashes;
      if (only === undefined) continue;
      this.levels.delete(level);
      this.append(level + 1, hashes.length === 1 ? only : sha256(hashes));
    }
    const top = this.top.hashes;
    if (top.length <= this.maxDegree) return;
    this.levels.delete(this.maxLevel);
    this.maxLevel += 1;
    this.levels.set(this.maxLevel, [sha256(top)]);
  }

  private append(level: number, hash: Buffer): Buffer[] {
    const hashes = this.levels.get(level) ?? [];
    hashes.push(hash);
    this.levels.set(level, hashes);
    return hashes;
  }
}

/** The kvrwset.QueryReads of rows in their order. */
export function readsMessage(rows: readonly RangeRead[]): ledger.rwset.kvrwset.QueryReads {
  const message = new kvrwset.QueryReads();
  for (const { key, version } of rows) {
    const read = message.addKvReads();
    read.setKey(key);
    read.setVersion(versionMessage(version));
  }
  return message;
}

function sha256(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
