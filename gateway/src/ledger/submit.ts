/** Carries one call through endorse, send and commit, with bounded retries; knows no storage. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Commit, LedgerCall } from '../ports.js';
import { DEADLINES } from './connection.js';
import { OutcomeUnknown, Retriable } from './failure.js';
import { Refusal } from './refusal.js';
import type { Endorsed, TransactionSteps } from './steps.js';

/** Endorsements of one call at most, the first included. */
export const MAX_ENDORSEMENTS = 8;
/** Sendings of one envelope before its outcome is called unknown. */
export const MAX_SENDINGS = 4;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;

const MVCC_READ_CONFLICT = 11;
const PHANTOM_READ_CONFLICT = 12;
const DUPLICATE_TXID = 9;

/** Told of each step as it happens; what must be durable is durable when the promise resolves. */
export interface SubmitObserver {
  endorsed(endorsed: Endorsed): Promise<void>;
}

/** How patiently a call is carried, and who is told of each stage. */
export interface SubmitOptions {
  readonly observer?: SubmitObserver;
  /** Conflicts after which it gives up; MAX_ENDORSEMENTS unless told. */
  readonly conflictLimit?: number;
}

/** Submits a call. Throws Refusal, or OutcomeUnknown once it was sent and nobody could say what became of it. */
export async function submitCall(
  steps: TransactionSteps,
  call: LedgerCall,
  options: SubmitOptions = {},
): Promise<Commit> {
  const conflictLimit = options.conflictLimit ?? MAX_ENDORSEMENTS;
  let conflicts = 0;
  for (let attempt = 1; ; attempt += 1) {
    const commit = await attemptOnce(steps, call, options.observer);
    if (!(commit instanceof Retriable)) return commit;
    if (commit.reason === 'conflict') conflicts += 1;
    if (conflicts >= conflictLimit || attempt >= MAX_ENDORSEMENTS) throw exhausted(commit);
    await pause(attempt);
  }
}

async function attemptOnce(
  steps: TransactionSteps,
  call: LedgerCall,
  observer: SubmitObserver | undefined,
): Promise<Commit | Retriable> {
  let endorsed: Endorsed;
  try {
    endorsed = await steps.endorse(call);
  } catch (error) {
    if (error instanceof Retriable) return error;
    throw error;
  }
  await observer?.endorsed(endorsed);
  return await settle(steps, endorsed, { mayBeSent: false, ...(call.onOrdered && { onOrdered: call.onOrdered }) });
}

/**
 * Sends an endorsed envelope until its outcome is known. Returns the commit, or Retriable when it was ordered and
 * voided by a conflict. Throws Refusal or OutcomeUnknown.
 */
export async function settle(
  steps: TransactionSteps,
  endorsed: Endorsed,
  options: { readonly mayBeSent: boolean } & Pick<LedgerCall, 'onOrdered'>,
): Promise<Commit | Retriable> {
  for (let sending = 1; sending <= MAX_SENDINGS; sending += 1) {
    const reached = await sendOnce(steps, endorsed, options.mayBeSent || sending > 1);
    if (reached) options.onOrdered?.();
    const outcome = reached ? await steps.outcome(endorsed.txId, DEADLINES.commitStatus) : undefined;
    if (outcome !== undefined) return judge(endorsed.txId, outcome.block, outcome.code);
    await pause(sending);
  }
  throw new OutcomeUnknown(endorsed.txId);
}

/** Whether an orderer took it. A refusal counts only when no earlier sending can have been taken. */
async function sendOnce(steps: TransactionSteps, endorsed: Endorsed, mayBeSent: boolean): Promise<boolean> {
  try {
    await steps.send(endorsed);
    return true;
  } catch (error) {
    if (error instanceof Retriable || mayBeSent) return false;
    throw error;
  }
}

function judge(txId: string, block: number, code: number): Commit | Retriable {
  if (code === 0) return { txId, block };
  if (code === MVCC_READ_CONFLICT || code === PHANTOM_READ_CONFLICT) return new Retriable('conflict');
  if (code === DUPLICATE_TXID) throw new OutcomeUnknown(txId);
  throw new Refusal('unavailable', 'transaction-invalid', `the peers found transaction ${txId} invalid (code ${code})`);
}

/** What a caller is told who tries no more. */
export function exhausted(last: Retriable): Refusal {
  return last.reason === 'conflict'
    ? new Refusal('conflict', 'busy', 'others keep changing the same records; try again', { cause: last })
    : new Refusal('unavailable', 'ledger-unreachable', 'the ledger cannot be reached; try again later', {
        cause: last,
      });
}

/** Waits with full jitter, longer each time. */
async function pause(attempt: number): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  await sleep(Math.random() * longest);
}
