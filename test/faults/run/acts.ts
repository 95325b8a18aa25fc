/** What is done to processes, and undone: the parts that kinds of fault are made of. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reader } from '../load/reader.js';
import type { Writer } from '../load/writer.js';
import type { FaultyConsortium } from './consortium.js';
import { cutOff, joinAgain } from './isolation.js';

export interface FaultWorld {
  readonly consortium: FaultyConsortium;
  readonly writers: readonly Writer[];
  readonly reader: Reader;
  /** Uniform in [0, 1), from the run's seed. */
  readonly random: () => number;
}

/**
 * Resolves when the fault is healed: everything runs again, though perhaps not caught up. False = what the kind is
 * about did not come about this time.
 */
export type Fault = (world: FaultWorld) => Promise<boolean>;

export const HALT_MS = 10_000;
export const SHORT_MS = 3_000;
export const ORDERERS = ['orderer.stmary', 'orderer.acme', 'orderer.authority'];

/** Kills all at once, waits, and starts them together: a gateway serves when its peer does. */
export async function killed(
  { consortium, random }: FaultWorld,
  names: readonly string[],
  downMs?: number,
): Promise<boolean> {
  await Promise.all(names.map((name) => consortium.kill(name)));
  await sleep(downMs ?? 200 + random() * SHORT_MS);
  await Promise.all(names.map((name) => consortium.start(name)));
  return true;
}

export function halt(consortium: FaultyConsortium, names: readonly string[]): void {
  for (const name of names) process.kill(consortium.pid(name), 'SIGSTOP');
}

export function goOn(consortium: FaultyConsortium, names: readonly string[]): void {
  for (const name of names) process.kill(consortium.pid(name), 'SIGCONT');
}

export async function halted(consortium: FaultyConsortium, names: readonly string[], forMs: number): Promise<boolean> {
  halt(consortium, names);
  await sleep(forMs);
  goOn(consortium, names);
  return true;
}

/** Nothing these nodes send arrives anywhere, and nothing arrives at them. */
export async function cut({ consortium }: FaultWorld, names: readonly string[], forMs: number): Promise<boolean> {
  cutOff(names.flatMap((name) => consortium.cuttable.get(name) ?? []));
  await sleep(forMs);
  joinAgain();
  return true;
}

/** One of the orderers that do not lead. */
export function follower({ consortium, random }: FaultWorld): string {
  const others = followers(consortium);
  return others[Math.floor(random() * others.length)] ?? '';
}

export function followers(consortium: FaultyConsortium): string[] {
  const leader = consortium.leader();
  return ORDERERS.filter((name) => name !== leader);
}

export function named({ consortium }: FaultWorld, start: string): string[] {
  return [...consortium.nodes.pids.keys()].filter((name) => name.startsWith(start));
}
