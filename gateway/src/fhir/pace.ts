/** When answers leave that something is not to be had: on a beat, so that the time says nothing of the reason. */
import { setTimeout as delay } from 'node:timers/promises';

/** Beat of an answer found in the projection alone, ms: some milliseconds of work and what the load adds. */
const BEAT_MS = 25;

/**
 * Beat of an answer for which access was asked on the ledger, in vain, ms: wide enough that a quiet machine's
 * transaction ends within the first, so that whether it took a little longer is not seen.
 */
export const ASKED_BEAT_MS = 250;

/** The time one request takes, from its coming on. */
export class Pace {
  readonly #start = performance.now();
  #inVain = false;

  /** Access was asked for on the ledger, and there is nothing to show for it: denied, of nobody, or permitted and empty. */
  askedInVain(): void {
    this.#inVain = true;
  }

  /** Waits until an answer of this HTTP status may leave: at once, unless it says that something is not to be had. */
  async leave(status: number): Promise<void> {
    if (!this.#inVain && status !== 404) return;
    const beat = this.#inVain ? ASKED_BEAT_MS : BEAT_MS;
    await delay(beat - ((performance.now() - this.#start) % beat));
  }
}
