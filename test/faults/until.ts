import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 50;

/** Waits until it holds, so long at most; returns whether it does. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  forMs: number,
  lookMs = LOOK_MS,
): Promise<boolean> {
  const end = Date.now() + forMs;
  while (Date.now() < end) {
    if (await holds()) return true;
    await sleep(lookMs);
  }
  return false;
}
