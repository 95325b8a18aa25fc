/** Derives posted parameters while the gateway answers: a little at a time, with room for requests in between. */
import { setTimeout as delay } from 'node:timers/promises';

import { isDiskFailure } from '../../keys/database.js';
import type { Projection } from '../projection.js';

/** Milliseconds of work, and at least as many for others after it: p99 of a request does not notice. */
const WORK_MS = 5;
const REST_MS = 10;
/** And between looking whether there is anything to do, and after a full disk. */
const IDLE_MS = 200;

/** Goes on until the signal aborts, across restarts where it was. Rejects with what does not get better by trying again. */
export async function keepDeriving(
  projection: Pick<Projection, 'derive'>,
  signal: AbortSignal,
  onInterrupted: (error: unknown) => void,
): Promise<void> {
  for (let wait = IDLE_MS; ; wait = attempt(projection, onInterrupted) ? REST_MS : IDLE_MS) {
    await delay(wait, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
  }
}

function attempt(projection: Pick<Projection, 'derive'>, onInterrupted: (error: unknown) => void): boolean {
  try {
    return projection.derive(WORK_MS);
  } catch (error) {
    if (!isDiskFailure(error)) throw error;
    onInterrupted(error);
    return false;
  }
}
