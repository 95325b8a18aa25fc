/** First pause after a failure, milliseconds. */
const FIRST_PAUSE_MS = 1_000;
/** Longest pause, milliseconds. */
const MOST_PAUSE_MS = 300_000;

/** Who failed is asked again ever more seldom. */
export class BackOff {
  readonly #next = new Map<string, { readonly at: number; readonly pause: number }>();

  /** Whether it is too early to ask again. */
  isWaiting(id: string): boolean {
    return Date.now() < (this.#next.get(id)?.at ?? 0);
  }

  /** It failed: the pause before the next time is twice as long. */
  failed(id: string): void {
    const { pause } = this.#next.get(id) ?? { pause: FIRST_PAUSE_MS };
    this.#next.set(id, { at: Date.now() + pause, pause: Math.min(2 * pause, MOST_PAUSE_MS) });
  }

  worked(id: string): void {
    this.#next.delete(id);
  }
}
