import { ledger } from '@hyperledger/fabric-protos';
import type { Version } from '../ports.js';
import { RangeSummary, readsMessage } from './range-summary.js';

const { QueryReadsMerkleSummary } = ledger.rwset.kvrwset;

/** The rows a range query read, as they go into its kvrwset.RangeQueryInfo: raw, or a Merkle summary above MAX_DEGREE. */
export class RangeReads {
  readonly #summary = new RangeSummary();

  add(key: string, version: Version): void {
    this.#summary.add({ key, version });
  }

  /** Fills in what was read; nothing when no row was. Call it once, at the end. */
  describe(info: ledger.rwset.kvrwset.RangeQueryInfo): void {
    const read = this.#summary.done();
    if ('summary' in read) {
      const message = new QueryReadsMerkleSummary();
      message.setMaxDegree(read.summary.maxDegree);
      message.setMaxLevel(read.summary.maxLevel);
      message.setMaxLevelHashesList([...read.summary.hashes]);
      info.setReadsMerkleHashes(message);
    } else if (read.reads.length > 0) {
      info.setRawReads(readsMessage(read.reads));
    }
  }
}
