/** Anchors the read log on the ledger: a Merkle root over its salted entries, at least once a minute. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { merkleRoot, transactions, type AnchorReads } from '@salus/chaincode/access/api';

import { byGateway } from '../ledger/vouched.js';
import type { Ledger } from '../ports.js';
import type { ReadLog } from './read-log.js';

/** Pause between anchors, ms; with the time a commit takes it stays under the 60 s promised. */
const ANCHOR_EVERY_MS = 30_000;
/** Entries in one anchor at most. */
const MAX_ENTRIES = 100_000;

/** The log that is anchored, where to, and who hears of a failure: the entries stay and are anchored later. */
export interface AnchorPorts {
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly mspId: string;
  readonly log: ReadLog;
  readonly onFailure: (error: unknown) => void;
}

/** Anchors what is new until the signal aborts. */
export async function keepAnchored(ports: AnchorPorts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(ANCHOR_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    if (!isAborted(signal)) await anchorReads(ports).catch(ports.onFailure);
  }
}

/** Anchors what is new; does nothing where nothing is. Throws Refusal. */
export async function anchorReads({ ledger, mspId, log }: Omit<AnchorPorts, 'onFailure'>): Promise<void> {
  const slice = log.unanchored(MAX_ENTRIES);
  if (slice === undefined) return;
  const request: AnchorReads = {
    anchorId: randomBytes(32).toString('hex'),
    root: merkleRoot(slice.items).toString('hex'),
    first: slice.first,
    last: slice.last,
    salt: randomBytes(32).toString('hex'),
  };
  await ledger.submit({
    transaction: transactions.anchor,
    transient: byGateway(request),
    endorsers: [mspId],
  });
  log.anchored(slice.last);
}

/** Read anew: it may have been aborted meanwhile. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
