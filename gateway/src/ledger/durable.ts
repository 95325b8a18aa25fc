/** The ledger whose writes pass through the outbox: what a caller was told nothing of is carried on all the same. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Commit, Ledger, LedgerCall } from '../ports.js';
import type { Outbox } from './outbox.js';
import { Refusal } from './refusal.js';

/** How long a caller waits for the outcome, milliseconds. */
const ANSWER_WAIT_MS = 20_000;

/** Asked again under a new id rather than carried on: whoever asked is gone after a restart. */
const SHORT_LIVED = /^(access|clock):/;

/** Evaluates and follows as `ledger` does; submits by way of the outbox. */
export function durableLedger(ledger: Ledger, outbox: Outbox): Ledger {
  return {
    evaluate: (call) => ledger.evaluate(call),
    blocks: (start, signal) => ledger.blocks(start, signal),
    submit: (call) => (SHORT_LIVED.test(call.transaction) ? ledger.submit(call) : inTime(outbox, call)),
  };
}

async function inTime(outbox: Outbox, call: LedgerCall): Promise<Commit> {
  const waiting = new AbortController();
  const late = sleep(ANSWER_WAIT_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
  const submitted = outbox.submit(call, []);
  submitted.catch(() => undefined);
  try {
    const commit = await Promise.race([submitted, late]);
    if (commit !== undefined) return commit;
  } finally {
    waiting.abort();
  }
  throw new Refusal('unavailable', 'outcome-unknown', 'it is not known yet whether this took effect: look again later');
}
