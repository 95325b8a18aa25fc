/** Ticks the consortium's clock when it is this member's turn. */
import { setTimeout as sleep } from 'node:timers/promises';

import { tickDelay, transactions, type Tick } from '@salus/chaincode/clock/api';

import { actorBytes, GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Ledger } from '../ports.js';

/** Longest and shortest time between two looks at the clock, milliseconds. */
const LOOK_MS = { longest: 30_000, shortest: 250, afterFailure: 2_000 } as const;

/** Between two members at the start, milliseconds. */
const FIRST_STEP_MS = 500;

/** Whose turn it is, and by which clock. */
export interface TickerOptions {
  readonly member: string;
  /** Members in the order in which they tick. */
  readonly order: () => readonly string[];
  /** Milliseconds since 1970, shifted as the whole network's clocks are. */
  readonly now: () => number;
  /** Told of a tick that failed; another member's turn comes 5 s later. */
  readonly onFailure?: (error: unknown) => void;
}

/** The last tick, as this member's own peer has it. */
export async function readTick(ledger: Pick<Ledger, 'evaluate'>): Promise<Tick | undefined> {
  const answer = Buffer.from(await ledger.evaluate({ transaction: transactions.read })).toString('utf8');
  return (JSON.parse(answer) as Tick | null) ?? undefined;
}

/** Runs until the signal aborts. */
export async function runTicker(ledger: Ledger, options: TickerOptions, signal: AbortSignal): Promise<void> {
  // Before the first tick it is everybody's turn: each gives those before it a moment.
  const place = options.order().indexOf(options.member);
  await sleep(Math.max(0, place) * FIRST_STEP_MS, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted) {
    const wait = await turn(ledger, options);
    await sleep(Math.max(LOOK_MS.shortest, Math.min(LOOK_MS.longest, wait)), undefined, { signal }).catch(
      () => undefined,
    );
  }
}

/** Ticks if it is time; returns how long to wait before looking again, milliseconds. */
async function turn(ledger: Ledger, options: TickerOptions): Promise<number> {
  try {
    const due = dueIn(await readTick(ledger), options);
    if (due > 0) return due;
    await ledger.submit({ transaction: transactions.tick, transient: { actor: actorBytes(GATEWAY_ACTOR) } });
    return dueIn(await readTick(ledger), options);
  } catch (error) {
    options.onFailure?.(error);
    return LOOK_MS.afterFailure;
  }
}

function dueIn(last: Tick | undefined, { order, member, now }: TickerOptions): number {
  const delay = tickDelay(order(), last, member);
  if (delay === undefined) return LOOK_MS.longest;
  return last === undefined ? 0 : Date.parse(last.time) + delay - now();
}
