/** When a block that lacks values is not applied yet, and how they are asked for once it was applied without them. */
import { setTimeout as delay } from 'node:timers/promises';

import type { Ledger, LedgerBlock } from '../ports.js';
import { absentValues, purgedKeys, type HashedKey } from './absent.js';
import type { Projection } from './projection.js';

/**
 * So long after its transaction a value is waited for, in ms: a peer's reconciler looks every 10 s. After that the
 * projection goes on without it. As a block's age counts, no number of such blocks holds it up for longer.
 */
export const HELD_MS = 60_000;
/** Waits between asking for what came late, in ms: after a round that brought something, and at most. */
const FIRST_ASK_MS = 1_000;
const LAST_ASK_MS = 30_000;
/** Blocks asked for in one round. */
export const ASKED_AT_ONCE = 64;

/** Tells blocks that may become complete from those that will not. */
export class Hold {
  /** Purged by blocks that were seen behind one that was held. */
  private readonly purged = new Set<string>();

  constructor(
    private readonly projection: Projection,
    private readonly now: () => number,
    private readonly heldMs: number,
  ) {}

  /** Blocks up to the first that lacks values which its peer may still bring, and those from it on. */
  divide(blocks: readonly LedgerBlock[]): { complete: readonly LedgerBlock[]; held: readonly LedgerBlock[] } {
    const first = blocks.findIndex((block) => this.holds(block));
    if (first < 0) return { complete: blocks, held: [] };
    const held = blocks.slice(first);
    for (const block of held) this.lookAt(block);
    return { complete: blocks.slice(0, first), held };
  }

  /** Learns from a block that is not applied yet what was purged: nobody waits for that. */
  lookAt(block: LedgerBlock): void {
    for (const key of purgedKeys(block, this.projection.held)) this.purged.add(nameOf(key));
  }

  private holds(block: LedgerBlock): boolean {
    return absentValues(block, this.projection.held).some(
      (value) => !this.purged.has(nameOf(value)) && this.isYoung(value.transaction.timestamp),
    );
  }

  private isYoung(timestamp: string): boolean {
    return Math.abs(this.now() - Date.parse(timestamp)) < this.heldMs;
  }
}

function nameOf({ collection, keyHash }: HashedKey): string {
  return `${collection}/${keyHash}`;
}

/** Asks for blocks that were applied without values until the signal aborts. Rejects as `Projection.applyLate` does. */
export async function askAgain(projection: Projection, ledger: Ledger, signal: AbortSignal): Promise<void> {
  let wait = FIRST_ASK_MS;
  let start = 0;
  const running = (): boolean => !signal.aborted;
  for (;;) {
    await delay(wait, undefined, { signal, ref: false }).catch(() => undefined);
    if (!running()) return;
    const before = projection.awaited;
    const numbers = projection.incomplete(start, ASKED_AT_ONCE);
    for (const number of numbers) {
      const block = await blockAt(ledger, number, signal);
      if (!running()) return;
      if (block !== undefined) projection.applyLate(block);
    }
    const last = numbers.length < ASKED_AT_ONCE ? undefined : numbers.at(-1);
    start = last === undefined ? 0 : last + 1;
    const isIdle = before === 0 || projection.awaited < before;
    wait = isIdle ? FIRST_ASK_MS : Math.min(wait * 2, LAST_ASK_MS);
  }
}

/** The block of a number; undefined when the peer cannot be asked now. */
export async function blockAt(
  ledger: Pick<Ledger, 'blocks'>,
  number: number,
  signal: AbortSignal,
): Promise<LedgerBlock | undefined> {
  try {
    for await (const block of ledger.blocks(number, signal)) return block;
  } catch {
    return undefined;
  }
  return undefined;
}
