/** Work that takes other members' doors: tried at once, kept until it ended, gone on with after a kill. */
import { setTimeout as sleep } from 'node:timers/promises';

import { BackOff } from './back-off.js';
import type { PendingWork } from './keys/pending-work.js';

/** Pause between looks at what did not end, milliseconds. */
const LOOK_MS = 1_000;

/** One gateway's errands of one kind. */
export class Errands<T extends object> {
  readonly #under = new Set<string>();
  readonly #doors = new BackOff();

  constructor(
    private readonly pending: Pick<PendingWork, 'keep' | 'drop' | 'list'>,
    /** How their ids begin: `handover/`. */
    private readonly kind: string,
  ) {}

  /** Keeps an errand, durable before `work` begins, and leaves it alone meanwhile; the same id replaces what it was. */
  async under<R>(id: string, errand: T, work: () => Promise<R>): Promise<R> {
    this.#under.add(id);
    try {
      this.keep(id, errand);
      return await work();
    } finally {
      this.#under.delete(id);
    }
  }

  /** How far it is. */
  keep(id: string, errand: T): void {
    this.pending.keep(this.kind + id, errand);
  }

  /** It is done, or never to be done. */
  drop(id: string): void {
    this.pending.drop(this.kind + id);
  }

  /**
   * Attempts what did not end again, ever more seldom, until the signal aborts; an attempt is true where it ended. One
   * after the other, or as many at once as is said.
   */
  async goOn(
    signal: AbortSignal,
    attempt: (id: string, errand: T) => Promise<boolean>,
    { atOnce = 1 }: { readonly atOnce?: number } = {},
  ): Promise<void> {
    while (!signal.aborted) {
      const open = this.pending.list<T>(this.kind);
      for (let first = 0; first < open.length; first += atOnce) {
        const some = open.slice(first, first + atOnce);
        await Promise.all(some.map(({ id, value }) => this.#again(id.slice(this.kind.length), value, attempt)));
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #again(id: string, errand: T, attempt: (id: string, errand: T) => Promise<boolean>): Promise<void> {
    if (this.#under.has(id) || this.#doors.isWaiting(id)) return;
    if (await attempt(id, errand)) this.#doors.worked(id);
    else this.#doors.failed(id);
  }
}
