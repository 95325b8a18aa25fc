/** Those who wait until the projection has reached a block. */

interface Waiter {
  readonly block: number;
  readonly settle: (reached: boolean) => void;
}

/** Wakes each waiter when its block is applied or its time is up. */
export class Waiters {
  private waiting: Waiter[] = [];

  /** Resolves true at once or when `reached` is told of the block, false after `timeoutMs`. */
  wait(block: number, height: number, timeoutMs: number): Promise<boolean> {
    if (height >= block) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        block,
        settle: (reached) => {
          clearTimeout(timer);
          resolve(reached);
        },
      };
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter((each) => each !== waiter);
        resolve(false);
      }, timeoutMs);
      timer.unref();
      this.waiting.push(waiter);
    });
  }

  /** The projection holds every block up to this one. */
  reached(block: number): void {
    if (this.waiting.length === 0) return;
    const [ready, rest] = [
      this.waiting.filter((each) => each.block <= block),
      this.waiting.filter((each) => each.block > block),
    ];
    this.waiting = rest;
    for (const waiter of ready) waiter.settle(true);
  }
}
