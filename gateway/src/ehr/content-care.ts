/** Looks after what lies beside the ledger: deletes what no version names, and tells of what is missing. */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

import { namesIn } from '../keys/beside.js';
import type { UnsettledFiles } from '../keys/content-files.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Outbox } from '../ledger/outbox.js';
import type { Projection } from '../projection/projection.js';
import { outlineOf } from '../projection/stored.js';

/** Until the first look, and between two, ms. */
const LOOK_MS = { first: 5_000, usual: 3_600_000 } as const;
/** How old files are at least before it is asked whether anything needs them, ms. */
export const ORPHAN_MS = 86_400_000;
/** How long the projection may take to show what the ledger has, ms. */
const REACH_MS = 5_000;
/** Versions looked at in one turn of the event loop. */
const AT_ONCE = 200;

/** What tells whether a file is needed. */
export interface ContentCarePorts {
  readonly gateway: string;
  readonly keys: KeyStore;
  readonly outbox: Pick<Outbox, 'find'>;
  readonly projection: Pick<Projection, 'keyed' | 'beside' | 'awaited' | 'reached'>;
  /** Number of the newest block. */
  readonly tip: () => Promise<number>;
  /** Told how many versions lack content, where that are more than at the last look. */
  readonly onLost: (count: number) => void;
}

/** One gateway's care for what it kept, and its view of what all of the member's did. */
export class ContentCare {
  /** Versions of which some content was not there at the last look. */
  lost = 0;

  constructor(private readonly ports: ContentCarePorts) {}

  /** Goes on until the signal aborts. */
  async keepUp(signal: AbortSignal, onFailure: (error: unknown) => void): Promise<void> {
    const pause = (ms: number) => sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
    const running = (): boolean => !signal.aborted;
    await pause(LOOK_MS.first);
    while (running()) {
      await this.look(Date.now(), signal).catch(onFailure);
      await pause(LOOK_MS.usual);
    }
  }

  /** Looks once; `now` in ms since 1970. */
  async look(now: number, signal?: AbortSignal): Promise<void> {
    const { contents } = this.ports.keys;
    contents.dropKeyless(now - ORPHAN_MS);
    await this.#sweep(now - ORPHAN_MS, signal);
    await this.#count(signal);
    await contents.dropUnnamed(now - ORPHAN_MS, now);
  }

  /** What was kept before an instant and is on the ledger stays; what neither is nor may come there any more is deleted. */
  async #sweep(before: number, signal?: AbortSignal): Promise<void> {
    const { keys, gateway } = this.ports;
    const unsettled = keys.contents.unsettled(gateway, before);
    // What the ledger has must be seen, or it would be taken for what never came to be.
    if (unsettled.length === 0 || !(await this.#seesAll())) return;
    for (const [index, files] of unsettled.entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await turn();
      if (signal?.aborted === true) return;
      if (this.#isOnLedger(files)) keys.contents.settle(files.salt);
      else if (!this.#mayCome(files)) keys.dropVersionKeys([files]);
    }
  }

  async #seesAll(): Promise<boolean> {
    const { projection, tip } = this.ports;
    return (await projection.reached(await tip(), REACH_MS)) && projection.awaited === 0;
  }

  #isOnLedger({ ledgerKey, names }: UnsettledFiles): boolean {
    const versions = this.ports.projection.keyed(ledgerKey).filter(({ stored }) => stored.ledgerKey === ledgerKey);
    return versions.some(({ stored }) => namesIn(outlineOf(stored)).some((name) => names.includes(name)));
  }

  /** Whether the outbox still has the request, unless it was refused. */
  #mayCome({ request }: UnsettledFiles): boolean {
    const found = this.ports.outbox.find(request);
    return found !== undefined && found.standing.state !== 'refused';
  }

  async #count(signal?: AbortSignal): Promise<void> {
    const { projection, keys, onLost } = this.ports;
    let lost = 0;
    let after = 0;
    for (;;) {
      const page = projection.beside(after, AT_ONCE);
      const last = page.at(-1);
      if (last === undefined) break;
      const isLost = (names: readonly string[]): boolean => names.some((name) => !keys.contents.isThere(name));
      lost += page.filter(({ stored }) => isLost(namesIn(outlineOf(stored)))).length;
      after = last.position;
      await turn();
      if (signal?.aborted === true) return;
    }
    if (lost > this.lost) onLost(lost);
    this.lost = lost;
  }
}
