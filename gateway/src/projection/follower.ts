/** Follows the member's peer from the checkpoint on and feeds the projection, many blocks at a time while behind. */
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';

import { isDiskFailure } from '../keys/database.js';
import type { Ledger, LedgerBlock } from '../ports.js';
import { ProjectionError } from './block-applier.js';
import { askAgain, Hold, HELD_MS } from './hold.js';
import { keepDeriving } from './posted/background.js';
import type { Projection } from './projection.js';

/** Blocks and writes that go into one database transaction: enough to be quick, few enough to keep answering. */
export const BATCH_LIMITS = { blocks: 64, writes: 128 } as const;

/** Waits between attempts when the peer cannot be reached, in ms. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** And between asking for a block that lacks values, in ms: for so long the blocks behind it are looked at. */
const LAST_LOOK_MS = 1_000;

/** Who hears of interruptions, and the clock by which a value that stays away is given up. */
export interface FollowOptions {
  /** The stream broke; the follower tries again. */
  onInterrupted?(error: unknown): void;
  /** Milliseconds since 1970 on the clock that stamps transactions. */
  readonly now?: () => number;
  /** Instead of HELD_MS. */
  readonly heldMs?: number;
}

/**
 * Runs until the signal aborts, reconnecting as often as needed. A block without all values that the member should hold
 * is asked for again before it is applied, and if that does not bring them, later. Rejects with ProjectionError when the
 * ledger does not continue what the projection holds, and with whatever a projector throws: neither gets better by trying
 * again. A full disk does.
 */
export async function follow(
  projection: Projection,
  ledger: Ledger,
  signal: AbortSignal,
  options: FollowOptions = {},
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  try {
    await Promise.all([
      followBlocks(projection, ledger, either, options),
      askAgain(projection, ledger, either),
      keepDeriving(projection, either, (error) => options.onInterrupted?.(error)),
    ]);
  } finally {
    failed.abort();
  }
}

async function followBlocks(
  projection: Projection,
  ledger: Ledger,
  signal: AbortSignal,
  options: FollowOptions,
): Promise<void> {
  const { now = Date.now, heldMs = HELD_MS } = options;
  const hold = new Hold(projection, now, heldMs);
  let wait = FIRST_RETRY_MS;
  const running = (): boolean => !signal.aborted;
  while (running()) {
    const before = projection.block;
    const isHeld = await attempt({ projection, ledger, hold, wait }, signal, options);
    wait = projection.block > before ? FIRST_RETRY_MS : Math.min(wait * 2, isHeld ? LAST_LOOK_MS : LAST_RETRY_MS);
    if (running() && !isHeld) await delay(wait, undefined, { signal }).catch(() => undefined);
  }
}

interface Following {
  readonly projection: Projection;
  readonly ledger: Ledger;
  readonly hold: Hold;
  /** Milliseconds to look at what is behind a block that is held. */
  readonly wait: number;
}

class StreamBroken extends Error {}

/** Follows until the stream ends, or a block is held: then true. */
async function attempt(following: Following, signal: AbortSignal, options: FollowOptions): Promise<boolean> {
  try {
    return await followStream(following, signal);
  } catch (error) {
    if (error instanceof StreamBroken) options.onInterrupted?.(error.cause);
    else if (isDiskFailure(error)) options.onInterrupted?.(error);
    else throw error;
    return false;
  }
}

async function followStream(following: Following, signal: AbortSignal): Promise<boolean> {
  const { projection, ledger } = following;
  // The block of the checkpoint is asked for once more: it must still be the one that was applied.
  const known = projection.checkpoint;
  const stream = ledger.blocks(known?.number ?? 0, signal)[Symbol.asyncIterator]();
  if (known !== undefined) {
    const first = await nextOf(stream);
    if (first === undefined) return false;
    if (first.number !== known.number || first.hash !== known.hash) {
      throw new ProjectionError(`block ${known.number} of the ledger is not the one that was applied`);
    }
  }
  try {
    return await applyAll(stream, following, signal);
  } finally {
    // Where applying failed the stream is still open, and perhaps waiting for a block: nobody waits for its end.
    stream.return?.().catch(() => undefined);
  }
}

async function applyAll(
  stream: AsyncIterator<LedgerBlock>,
  { projection, hold, wait }: Following,
  signal: AbortSignal,
): Promise<boolean> {
  let pending: Promise<LedgerBlock | undefined> | undefined = nextOf(stream);
  while (pending !== undefined) {
    const batch: Batch = await takeBatch(pending, stream);
    const { complete, held } = hold.divide(batch.blocks);
    if (complete.length > 0) projection.apply(complete);
    if (held.length > 0) {
      await lookBehind(batch, stream, { hold, wait }, signal);
      return true;
    }
    pending = batch.next;
  }
  return false;
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

/** Looks for so long at the blocks behind one that is held. */
async function lookBehind(
  { next }: Batch,
  stream: AsyncIterator<LedgerBlock>,
  { hold, wait }: Pick<Following, 'hold' | 'wait'>,
  signal: AbortSignal,
): Promise<void> {
  const over = delay(wait, undefined, { signal }).catch(() => undefined);
  for (let pending = next; pending !== undefined; pending = nextOf(stream)) {
    pending.catch(() => undefined);
    const block = await Promise.race([pending, over]);
    if (block === undefined) break;
    hold.lookAt(block);
  }
  await over;
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
