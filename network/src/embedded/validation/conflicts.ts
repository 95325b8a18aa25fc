import type { ledger } from '@hyperledger/fabric-protos';
import type { Version } from '../ports.js';
import type { CollectionReadWriteSet, NamespaceReadWriteSet } from '../rwset/parse.js';
import { RangeSummary, type MerkleSummary } from '../rwset/range-summary.js';
import type { KeyVersion } from '../store/state-reader.js';
import { Code } from './envelope.js';
import type { CommittedState, UpdateBatch } from './update-batch.js';

type RangeQuery = ledger.rwset.kvrwset.RangeQueryInfo;
type ReadVersion = ledger.rwset.kvrwset.Version;

/**
 * Compares what a transaction read with the state before the block and the valid transactions before it
 * (txmgmt/validation/validator.go): 0, MVCC_READ_CONFLICT or PHANTOM_READ_CONFLICT. Namespace by namespace: reads,
 * ranges, hashed reads.
 */
export function readConflict(
  sets: readonly NamespaceReadWriteSet[],
  committed: CommittedState,
  batch: UpdateBatch,
): number {
  for (const set of sets) {
    if (publicReadsChanged(set, committed, batch)) return Code.MVCC_READ_CONFLICT;
    if (set.public.getRangeQueriesInfoList().some((query) => rangeChanged(set.namespace, query, batch))) {
      return Code.PHANTOM_READ_CONFLICT;
    }
    const hashedReadChanged = set.collections.some((part) => hashedReadsChanged(set.namespace, part, committed, batch));
    if (hashedReadChanged) return Code.MVCC_READ_CONFLICT;
  }
  return Code.VALID;
}

function publicReadsChanged(set: NamespaceReadWriteSet, committed: CommittedState, batch: UpdateBatch): boolean {
  return set.public.getReadsList().some((read) => {
    if (batch.has(set.namespace, '', Buffer.from(read.getKey()))) return true;
    return !sameVersion(committed.state(set.namespace, read.getKey())?.version, read.getVersion());
  });
}

function hashedReadsChanged(
  namespace: string,
  { collection, hashed }: CollectionReadWriteSet,
  committed: CommittedState,
  batch: UpdateBatch,
): boolean {
  return hashed.getHashedReadsList().some((read) => {
    const keyHash = Buffer.from(read.getKeyHash_asU8());
    if (batch.has(namespace, collection, keyHash)) return true;
    return !sameVersion(committed.hashed(namespace, collection, keyHash)?.version, read.getVersion());
  });
}

function sameVersion(version: Version | undefined, read: ReadVersion | undefined): boolean {
  if (version === undefined || read === undefined) return version === undefined && read === undefined;
  return version.block === read.getBlockNum() && version.tx === read.getTxNum();
}

/** A range that was not read to its end was read up to and including the key it names as end. */
function rangeChanged(namespace: string, query: RangeQuery, batch: UpdateBatch): boolean {
  const end = query.getEndKey();
  const exclusive = query.getItrExhausted() ? end : `${end}\0`;
  const now = batch.range(namespace, query.getStartKey(), end === '' ? undefined : exclusive);
  const merkle = query.getReadsMerkleHashes();
  if (merkle === undefined) return rawReadsChanged(query, now);
  return summaryChanged(
    {
      maxDegree: merkle.getMaxDegree(),
      maxLevel: merkle.getMaxLevel(),
      hashes: merkle.getMaxLevelHashesList_asU8().map((hash) => Buffer.from(hash)),
    },
    now,
  );
}

function rawReadsChanged(query: RangeQuery, now: Iterator<KeyVersion>): boolean {
  for (const read of query.getRawReads()?.getKvReadsList() ?? []) {
    const found = now.next();
    if (found.done === true || found.value.key !== read.getKey()) return true;
    if (!sameVersion(found.value.version, read.getVersion())) return true;
  }
  return now.next().done !== true;
}

/** Stops at the first hash that differs, for a range may have grown long. */
function summaryChanged(recorded: MerkleSummary, now: Iterable<KeyVersion>): boolean {
  if (recorded.maxDegree < 2) return true;
  const summary = new RangeSummary(recorded.maxDegree);
  let matched = 0;
  for (const read of now) {
    summary.add(read);
    const { maxLevel, hashes } = summary.top;
    if (maxLevel < recorded.maxLevel || matched === hashes.length) continue;
    if (hashes.length > recorded.hashes.length) return true;
    if (!sameHash(hashes[matched], recorded.hashes[matched])) return true;
    matched += 1;
  }
  const result = summary.done();
  return !('summary' in result) || !sameSummary(result.summary, recorded);
}

function sameSummary(a: MerkleSummary, b: MerkleSummary): boolean {
  return (
    a.maxDegree === b.maxDegree &&
    a.maxLevel === b.maxLevel &&
    a.hashes.length === b.hashes.length &&
    a.hashes.every((hash, index) => sameHash(hash, b.hashes[index]))
  );
}

function sameHash(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a !== undefined && b !== undefined && a.equals(b);
}
