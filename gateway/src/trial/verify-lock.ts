/** What anybody recomputes of a lock, from the ledger's records alone. Pure. */
import { lockRootOf, type MilestoneRecord, type PointRecord, type StatusRecord } from '@salus/chaincode/trial/api';

/** A trial's records as a peer's blocks have them, by the name of the key: the value that a valid transaction wrote last. */
export type TrialRecords = ReadonlyMap<string, object>;

/** By the ledger alone: nothing is locked, or what is there is what the lock named; unlocked since, it may have changed. */
export function checkLock(onLedger: TrialRecords, trial: string): readonly string[] {
  const status = onLedger.get(`trial-status/${trial}`) as StatusRecord | undefined;
  const lock = onLedger.get(`trial-milestone/${trial}/lock`) as MilestoneRecord | undefined;
  if (lock === undefined || !['locked', 'unblinded'].includes(status?.state ?? '')) return [];
  const acts = [...onLedger].filter(([name]) => name.startsWith('trial-point/')).map(([, record]) => record);
  const { root, points } = lockRootOf(acts as readonly PointRecord[]);
  if (root === lock.root && points === lock.points) return [];
  return [`the lock names ${lock.points} data points of another root than the ${points} that are there`];
}
