import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 40;

/** Tries again every half second until it works; the last failure is thrown. Elections and reconnects take their time. */
export async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tries === TRIES) throw error;
      await sleep(500);
    }
  }
}
