/** Whether the ledger is away, as a gateway finds out by itself: nobody's word for it is taken. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Ledger } from '../ports.js';
import { isRefusal } from '../ledger/refusal.js';
import { readTick } from './ticker.js';

/** Oldest tick by which the ledger counts as being there, ms: by an older one no door opens. */
export const TICK_FRESH_MS = 60_000;
/** How long the own peer may take to answer, ms. */
const ANSWER_MS = 5_000;

/** Asks the own peer for the last tick: away is one that does not answer, or whose orderers have let nobody tick lately. */
export async function isLedgerAway(ledger: Pick<Ledger, 'evaluate'>, now: () => number): Promise<boolean> {
  const answered = new AbortController();
  const unanswered = sleep(ANSWER_MS, undefined, { signal: answered.signal }).catch(() => undefined);
  try {
    const tick = await Promise.race([readTick(ledger), unanswered]);
    return tick === undefined || now() - Date.parse(tick.time) > TICK_FRESH_MS;
  } catch (error) {
    if (isRefusal(error, 'ledger-unreachable')) return true;
    throw error;
  } finally {
    answered.abort();
  }
}
