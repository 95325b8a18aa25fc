/** When answers leave that something is not to be had: on a beat, so that the time says nothing of the reason. */
import { setTimeout as delay } from 'node:timers/promises';

/** Answers leave a whole number of these after the question came, ms. */
export const BEAT_MS = 25;

/** Waits for the next beat after `start` (of performance.now()). */
export async function onTheBeat(start: number): Promise<void> {
  await delay(BEAT_MS - ((performance.now() - start) % BEAT_MS));
}
