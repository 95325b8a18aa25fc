/** When a gateway is ready: its projection has what the channel had, the consortium is in force, the clock ticks. */
import { setTimeout as sleep } from 'node:timers/promises';

import { TICK_STALE_MS } from '@salus/chaincode/clock/api';
import type { Logger } from 'pino';

import { readTick } from './clock/ticker.js';
import type { ExternalIssuer } from './identity/issuer.js';
import type { ConnectedLedger } from './ledger/fabric-ledger.js';
import type { Standing } from './pages/landing.js';
import type { Projection } from './projection/projection.js';
import { readRegistry } from './registry/approve.js';

/** A gateway that listens. */
export interface RunningMember {
  readonly member: string;
  readonly port: number;
  /** Resolves when projection, registry and clock are where they must be for every request to be served. */
  readonly ready: Promise<void>;
  /** Rejects when the gateway can go on no longer. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** What a gateway is given beside its settings. */
export interface MemberOptions {
  readonly log: Logger;
  readonly issuer?: ExternalIssuer;
  /** Origins of files that may be imported; absent = none. */
  readonly importOrigins?: readonly string[];
  /** Origins of those subscribers who may be told; absent = any of the public internet. */
  readonly subscriberOrigins?: readonly string[];
  /** Hears, each time the projection has got further while the gateway is not ready yet, how many blocks it has. */
  readonly onProgress?: (height: number, channelHeight: number) => void;
}

/** Pause between looks, milliseconds. */
const PAUSE_MS = 100;
/** How often it is said how far the projection is, milliseconds. */
const APPLY_WAIT_MS = 5_000;

/** What is asked whether the gateway is ready. */
export interface StartPorts {
  readonly connected: ConnectedLedger;
  readonly projection: Projection;
  readonly clock: () => number;
}

/** Resolves once all of it holds; waits for a peer that is not there yet, and for as long as blocks are applied. */
export async function untilReady(
  { connected, projection, clock }: StartPorts,
  signal: AbortSignal,
  onProgress?: MemberOptions['onProgress'],
): Promise<void> {
  await until(signal, async () => (await readRegistry(connected)).consortium !== undefined);
  await until(signal, async () => {
    const tick = await readTick(connected);
    return tick !== undefined && clock() - Date.parse(tick.time) < TICK_STALE_MS;
  });
  let told = projection.block;
  await until(signal, async () => {
    const tip = await connected.tip();
    const hasReached = await projection.reached(tip, APPLY_WAIT_MS);
    if (!hasReached && projection.block > told) {
      told = projection.block;
      onProgress?.(told + 1, tip + 1);
    }
    return hasReached;
  });
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
    contents,
  }: {
    readonly projection: Pick<Projection, 'block' | 'awaited' | 'faults'>;
    readonly live: { readonly height: number };
    readonly contents: { readonly lost: number };
  },
  isStarted: boolean,
): Standing {
  const height = projection.block + 1;
  return {
    ...{ ready: isStarted && height >= live.height, height, channelHeight: live.height },
    ...{ awaited: projection.awaited, ...projection.faults, lost: contents.lost },
  };
}
