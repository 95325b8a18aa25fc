/** The kinds of fault: what is done to a running consortium, and undone. */
import { rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDefinition } from '@salus/network/config/channel-files';
import { defineChaincode } from '@salus/network/fabric/lifecycle';
import { runningChannel } from '@salus/network/fabric/reconfigure';
import type { FaultyConsortium } from './consortium.js';

export interface FaultWorld {
  readonly consortium: FaultyConsortium;
  /** Uniform in [0, 1), from the run's seed. */
  readonly random: () => number;
}

/** Resolves when the fault is healed: everything runs again, though perhaps not caught up. */
export type Fault = (world: FaultWorld) => Promise<void>;

const HALT_MS = 10_000;
const SHORT_MS = 3_000;
const QUORUM_LOST_MS = 12_000;
const ORDERERS = ['orderer.stmary', 'orderer.acme', 'orderer.authority'];

/** Every kind by what it is called in the table. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'leader killed': (world) => killed(world, [world.consortium.leader()]),
  'leader killed at once again': async (world) => {
    await killed(world, [world.consortium.leader()]);
    await killed(world, [world.consortium.leader()]);
  },
  'leader halted': ({ consortium }) => halted(consortium, [consortium.leader()], HALT_MS),
  'follower killed': (world) => killed(world, [follower(world)]),
  'follower halted': (world) => halted(world.consortium, [follower(world)], HALT_MS),
  'quorum lost': (world) => killed(world, [world.consortium.leader(), follower(world)], QUORUM_LOST_MS),
  'leader and own peer halted': ({ consortium }) => halted(consortium, [consortium.leader(), 'peer0.stmary'], HALT_MS),
  'only endorsing peer killed': (world) => killed(world, ['peer0.stmary']),
  'only endorsing peer halted': ({ consortium }) => halted(consortium, ['peer0.stmary'], HALT_MS),
  'peer of the witness killed': (world) => killed(world, ['peer0.authority']),
  'three peers killed': (world) => killed(world, ['peer0.northside', 'peer0.acme', 'peer0.tally']),
  'chaincode killed': (world) => killed(world, ['chaincode.stmary']),
  'chaincode hung': ({ consortium }) => halted(consortium, ['chaincode.stmary'], HALT_MS),
  'every chaincode killed': (world) => killed(world, named(world, 'chaincode.')),
  'gateway killed, key retried at the other': (world) => killed(world, ['gateway0.stmary']),
  'gateway halted': ({ consortium }) => halted(consortium, ['gateway0.stmary'], SHORT_MS),
  'both gateways killed': (world) => killed(world, ['gateway0.stmary', 'gateway1.stmary']),
  'gateway and its peer killed': (world) => killed(world, ['gateway0.northside', 'peer0.northside']),
  'all nodes killed, cold start in random order': coldStart,
  'checkpoint and index lost': async ({ consortium }) => {
    await consortium.kill('gateway0.northside');
    for (const end of ['', '-wal', '-shm']) rmSync(`${projectionOf(consortium)}${end}`, { force: true });
    await consortium.start('gateway0.northside');
  },
  'index’s log torn': async ({ consortium, random }) => {
    await consortium.kill('gateway0.northside');
    const log = `${projectionOf(consortium)}-wal`;
    const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    if (size > 0) truncateSync(log, Math.floor(size * random()));
    await consortium.start('gateway0.northside');
  },
  'new chaincode definition under load': redefined,
};

/** Kills all at once, waits, and starts them together: a gateway serves when its peer does. */
async function killed({ consortium, random }: FaultWorld, names: readonly string[], downMs?: number): Promise<void> {
  await Promise.all(names.map((name) => consortium.kill(name)));
  await sleep(downMs ?? 200 + random() * SHORT_MS);
  await Promise.all(names.map((name) => consortium.start(name)));
}

async function halted(consortium: FaultyConsortium, names: readonly string[], forMs: number): Promise<void> {
  const pids = names.map((name) => consortium.pid(name));
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await sleep(forMs);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
}

async function coldStart({ consortium, random }: FaultWorld): Promise<void> {
  const names = [...consortium.nodes.pids.keys()];
  await Promise.all(names.map((name) => consortium.kill(name)));
  const order = names.map((name) => ({ name, at: random() })).sort((one, other) => one.at - other.at);
  for (const { name } of order) await consortium.start(name);
}

/** Members approve and commit the next sequence; what was endorsed under the last one is invalid and endorsed again. */
async function redefined({ consortium, random }: FaultWorld): Promise<void> {
  const { stateDir } = consortium.prepared;
  const version = `0.1.${Math.floor(random() * 1e6)}`;
  const channel = runningChannel(stateDir);
  await defineChaincode(channel, { ...readDefinition(stateDir), version });
}

function follower({ consortium, random }: FaultWorld): string {
  const followers = ORDERERS.filter((name) => name !== consortium.leader());
  return followers[Math.floor(random() * followers.length)] ?? '';
}

function named({ consortium }: FaultWorld, start: string): string[] {
  return [...consortium.nodes.pids.keys()].filter((name) => name.startsWith(start));
}

function projectionOf({ gateways }: FaultyConsortium): string {
  const settings = gateways.get('gateway0.northside') ?? '';
  return join(settings, '..', '..', '..', 'data', 'projection-gateway0.db');
}
