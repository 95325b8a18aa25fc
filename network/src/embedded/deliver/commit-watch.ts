import type { Chain } from '../ports.js';

/** Wakes whoever waits for blocks to be committed: one listener on the chain for all streams and calls. */
export class CommitWatch {
  readonly #waiting = new Set<() => void>();
  readonly #stop: () => void;

  constructor(private readonly chain: Chain) {
    this.#stop = chain.onCommit(() => {
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const wake of waiting) wake();
    });
  }

  /** Resolves when the chain has at least so many blocks, or the signal is aborted. */
  async untilHeight(height: number, signal: AbortSignal): Promise<void> {
    while (this.chain.height < height && !signal.aborted) await this.nextCommit(signal);
  }

  /** Resolves at the next commit, or when the signal is aborted. */
  nextCommit(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  close(): void {
    this.#stop();
  }
}
