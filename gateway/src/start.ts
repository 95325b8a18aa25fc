/** When a gateway is ready: its projection has what the channel had, the consortium is in force, the clock ticks. */
import { setTimeout as sleep } from 'node:timers/promises';

import { TICK_STALE_MS } from '@salus/chaincode/clock/api';

import { readTick } from './clock/ticker.js';
import type { ConnectedLedger } from './ledger/fabric-ledger.js';
import type { Standing } from './pages/landing.js';
import type { Projection } from './projection/projection.js';
import { readRegistry } from './registry/approve.js';

/** Pause between looks, milliseconds. */
const PAUSE_MS = 100;
const APPLY_WAIT_MS = 60_000;

/** What is asked whether the gateway is ready. */
export interface StartPorts {
  readonly connected: ConnectedLedger;
  readonly projection: Projection;
  readonly clock: () => number;
}

/** Resolves once all of it holds; waits for a peer that is not there yet. */
export async function untilReady({ connected, projection, clock }: StartPorts, signal: AbortSignal): Promise<void> {
  await until(signal, async () => (await readRegistry(connected)).consortium !== undefined);
  await until(signal, async () => {
    const tick = await readTick(connected);
    return tick !== undefined && clock() - Date.parse(tick.time) < TICK_STALE_MS;
  });
  await until(signal, async () => projection.reached(await connected.tip(), APPLY_WAIT_MS));
}

async function until(signal: AbortSignal, holds: () => Promise<boolean>): Promise<void> {
  while (!signal.aborted) {
    if (await holds().catch(() => false)) return;
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** How a gateway stands: ready once started, and while its projection has every block it knows of. */
export function standingOf(
  {
    projection,
    live,
  }: { readonly projection: Pick<Projection, 'block' | 'awaited'>; readonly live: { readonly height: number } },
  isStarted: boolean,
): Standing {
  const height = projection.block + 1;
  return { ready: isStarted && height >= live.height, height, channelHeight: live.height, awaited: projection.awaited };
}
