import { setTimeout as sleep } from 'node:timers/promises';

/** Far longer than it takes: a machine may be busy with other things, and one that is idle does not wait. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 500;

/** Tries again every half second until it works; after a minute the last failure is thrown. Elections and reconnects take their time. */
export async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
