/** Follows the member's peer from the checkpoint on and feeds the projection, many blocks at a time while behind. */
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';

import { isDiskFailure } from '../keys/database.js';
import type { Ledger, LedgerBlock } from '../ports.js';
import { ProjectionError } from './block-applier.js';
import type { Projection } from './projection.js';

/** Blocks and writes that go into one database transaction: enough to be quick, few enough to keep answering. */
export const BATCH_LIMITS = { blocks: 64, writes: 128 } as const;

/** Waits between attempts when the peer cannot be reached, in ms. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

export interface FollowerEvents {
  /** The stream broke; the follower tries again. */
  onInterrupted?(error: unknown): void;
}

/**
 * Runs until the signal aborts, reconnecting as often as needed. Rejects with ProjectionError when the ledger does not
 * continue what the projection holds, and with whatever a projector throws: neither gets better by trying again. A full
 * disk does.
 */
export async function follow(
  projection: Projection,
  ledger: Ledger,
  signal: AbortSignal,
  events: FollowerEvents = {},
): Promise<void> {
  let wait = FIRST_RETRY_MS;
  const running = (): boolean => !signal.aborted;
  while (running()) {
    const before = projection.block;
    try {
      await followStream(projection, ledger, signal);
    } catch (error) {
      if (error instanceof StreamBroken) events.onInterrupted?.(error.cause);
      else if (isDiskFailure(error)) events.onInterrupted?.(error);
      else throw error;
    }
    wait = projection.block > before ? FIRST_RETRY_MS : Math.min(wait * 2, LAST_RETRY_MS);
    if (running()) await delay(wait, undefined, { signal }).catch(() => undefined);
  }
}

class StreamBroken extends Error {}

async function followStream(projection: Projection, ledger: Ledger, signal: AbortSignal): Promise<void> {
  // The block of the checkpoint is asked for once more: it must still be the one that was applied.
  const known = projection.checkpoint;
  const stream = ledger.blocks(known?.number ?? 0, signal)[Symbol.asyncIterator]();
  if (known !== undefined) {
    const first = await nextOf(stream);
    if (first === undefined) return;
    if (first.number !== known.number || first.hash !== known.hash) {
      throw new ProjectionError(`block ${known.number} of the ledger is not the one that was applied`);
    }
  }
  let pending: Promise<LedgerBlock | undefined> | undefined = nextOf(stream);
  try {
    do {
      const batch: Batch = await takeBatch(pending, stream);
      if (batch.blocks.length > 0) projection.apply(batch.blocks);
      pending = batch.next;
    } while (pending !== undefined);
  } finally {
    // Where applying failed the stream is still open, and perhaps waiting for a block: nobody waits for its end.
    stream.return?.().catch(() => undefined);
  }
}

interface Batch {
  readonly blocks: readonly LedgerBlock[];
  /** The block being waited for; undefined at the stream's end. */
  readonly next?: Promise<LedgerBlock | undefined>;
}

/** Waits for one block and takes along what has arrived by then. */
async function takeBatch(first: Promise<LedgerBlock | undefined>, stream: AsyncIterator<LedgerBlock>): Promise<Batch> {
  const blocks: LedgerBlock[] = [];
  let writes = 0;
  let next = first;
  let block = await next;
  while (block !== undefined) {
    blocks.push(block);
    writes += block.transactions.reduce((sum, transaction) => sum + transaction.writes.length, 0);
    next = nextOf(stream);
    // It may fail while nobody waits for it yet; whoever awaits it next hears of it.
    next.catch(() => undefined);
    if (blocks.length >= BATCH_LIMITS.blocks || writes >= BATCH_LIMITS.writes) return { blocks, next };
    const arrived = await Promise.race([next.catch(() => undefined), immediate(NOTHING)]);
    if (arrived === NOTHING || arrived === undefined) return { blocks, next };
    block = arrived;
  }
  return { blocks };
}

const NOTHING = Symbol('nothing has arrived');

async function nextOf(stream: AsyncIterator<LedgerBlock>): Promise<LedgerBlock | undefined> {
  try {
    const result = await stream.next();
    return result.done === true ? undefined : result.value;
  } catch (error) {
    throw new StreamBroken('the block stream broke', { cause: error });
  }
}
