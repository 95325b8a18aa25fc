/** What a lock commits to. */
import { canonical } from '../lib/canonical';
import { merkleRoot } from '../lib/merkle';
import type { PointRecord } from './records';

/** A trial's data points: every act on each, in any order. */
type Acts = readonly PointRecord[];

/**
 * Root over the newest record of every data point of a trial, how many there are, and how many acts: what a lock names and
 * anybody recomputes. RFC 9162 Merkle root, lower-case hex, over the RFC 8785 forms in the order of participant, visit and form.
 */
export function lockRootOf(acts: Acts): { readonly root: string; readonly points: number; readonly acts: number } {
  const newest = new Map<string, PointRecord>();
  for (const record of acts) {
    const name = nameOf(record);
    if (record.n > (newest.get(name)?.n ?? 0)) newest.set(name, record);
  }
  const names = [...newest.keys()].sort();
  const leaves = names.map((name) => Buffer.from(canonical(newest.get(name))));
  return { root: merkleRoot(leaves).toString('hex'), points: leaves.length, acts: acts.length };
}

/** No code has a space in it, so that no two data points have one name. */
function nameOf({ participant, visit, form }: PointRecord): string {
  return [participant, visit, form].join(' ');
}
