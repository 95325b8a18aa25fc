/** The ledger whose writes pass through the outbox: what a caller was told nothing of is carried on all the same. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Commit, Ledger } from '../ports.js';
import { OutcomeUnknown } from './failure.js';
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
    submit: (call) =>
      SHORT_LIVED.test(call.transaction)
        ? inTime(ledger.submit(call), NOT_RECORDED)
        : inTime(outbox.submit(call, []), NOT_KNOWN),
  };
}

/** Without its record nothing is read: nobody need know what became of the record. */
const NOT_RECORDED = [
  'ledger-unreachable',
  'the ledger does not answer, and nothing is read unrecorded: ask again',
] as const;
const NOT_KNOWN = ['outcome-unknown', 'it is not known yet whether this took effect: look again later'] as const;

async function inTime(submitted: Promise<Commit>, [code, detail]: readonly [string, string]): Promise<Commit> {
  const waiting = new AbortController();
  const late = sleep(ANSWER_WAIT_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
  submitted.catch(() => undefined);
  try {
    const commit = await Promise.race([submitted, late]);
    if (commit !== undefined) return commit;
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
  } finally {
    waiting.abort();
  }
  throw new Refusal('unavailable', code, detail);
}
