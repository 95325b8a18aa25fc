/** The kinds of fault: what is done to a running consortium, and undone. */
import { readDefinition } from '@salus/network/config/channel-files';
import { defineChaincode } from '@salus/network/fabric/lifecycle';
import { runningChannel } from '@salus/network/fabric/reconfigure';
import * as gateway from './gateway-faults.js';
import {
  cut,
  type Fault,
  type FaultWorld,
  follower,
  halt,
  HALT_MS,
  halted,
  killed,
  named,
  ORDERERS,
  SHORT_MS,
} from './acts.js';
import { isolated } from './isolation.js';
import * as orderer from './orderer-faults.js';

const ANYWHERE: Readonly<Record<string, Fault>> = {
  'leader killed': (world) => killed(world, [world.consortium.leader()]),
  'leader killed, the next one too': async (world) => {
    await killed(world, [world.consortium.leader()]);
    return killed(world, [world.consortium.leader()]);
  },
  'leader killed between SUCCESS and block': orderer.killedAfterSuccess,
  'leader halted 10 s': ({ consortium }) => halted(consortium, [consortium.leader()], HALT_MS),
  'leader and own peer halted 10 s': ({ consortium }) =>
    halted(consortium, [consortium.leader(), 'peer0.stmary'], HALT_MS),
  'follower killed': (world) => killed(world, [follower(world)]),
  'follower killed, caught up by snapshot': orderer.caughtUpBySnapshot,
  'follower halted': (world) => halted(world.consortium, [follower(world)], SHORT_MS),
  'quorum lost 30 s': orderer.quorumLost,
  'only endorsing peer killed': (world) => killed(world, ['peer0.stmary']),
  'only endorsing peer killed before submit': gateway.endorserKilledBeforeSubmit,
  'only endorsing peer halted 10 s': ({ consortium }) => halted(consortium, ['peer0.stmary'], HALT_MS),
  'peer of the witness killed': (world) => killed(world, ['peer0.authority']),
  'three peers killed': (world) => killed(world, ['peer0.northside', 'peer0.acme', 'peer0.tally']),
  'chaincode killed': (world) => killed(world, ['chaincode.stmary']),
  'chaincode hung 10 s': ({ consortium }) => halted(consortium, ['chaincode.stmary'], HALT_MS),
  'every chaincode killed': (world) => killed(world, named(world, 'chaincode.')),
  'gateway killed at intent': gateway.gatewayKilledAt('intent'),
  'gateway killed at endorsed': gateway.gatewayKilledAt('endorsed'),
  'gateway killed at endorsed, no orderer': gateway.gatewayKilledBeforeOrder,
  'gateway killed at committed': gateway.gatewayKilledAt('committed'),
  'gateway killed at refused': gateway.gatewayKilledAtRefused,
  'gateway halted 10 s': gateway.gatewayHalted,
  'both gateways killed': (world) => killed(world, ['gateway0.stmary', 'gateway1.stmary']),
  'gateway and its peer killed': (world) => killed(world, ['gateway0.northside', 'peer0.northside']),
  'all killed, cold start in random order': coldStart,
  'checkpoint and index lost': gateway.checkpointLost,
  'index’s log torn': gateway.indexTorn,
  'outbox’s log torn': gateway.outboxTorn,
  'half a write behind every log': gateway.halfWritten,
  'new chaincode definition under load': redefined,
};

/** These need a network and file systems of the run's own. */
const ISOLATED: Readonly<Record<string, Fault>> = {
  'gateway’s disk full': gateway.diskFull,
  'leader cut off 10 s': (world) => cut(world, [world.consortium.leader()], HALT_MS),
  'follower cut off 10 s': (world) => cut(world, [follower(world)], HALT_MS),
  'orderers cut off from all 10 s': (world) => cut(world, ORDERERS, HALT_MS),
  'own peer cut off 10 s': (world) => cut(world, ['peer0.stmary'], HALT_MS),
};

/** Every kind by what it is called in the table. */
export const FAULTS: Readonly<Record<string, Fault>> = { ...ANYWHERE, ...(isolated ? ISOLATED : {}) };

/** Everything is killed, gateways too, and comes up one after the other; a gateway serves when the rest lets it. */
async function coldStart({ consortium, random }: FaultWorld): Promise<boolean> {
  const gateways = [...consortium.gateways.keys()];
  const names = [...consortium.nodes.pids.keys(), ...gateways];
  halt(consortium, names);
  await Promise.all(names.map((name) => consortium.kill(name)));
  const order = names.map((name) => ({ name, at: random() })).sort((one, other) => one.at - other.at);
  const started: Promise<void>[] = [];
  for (const { name } of order) {
    const start = consortium.start(name);
    started.push(start);
    if (gateways.includes(name)) start.catch(() => undefined);
    else await start;
  }
  await Promise.all(started);
  return true;
}

/** Members approve and commit the next sequence; what was endorsed under the last one is invalid and endorsed again. */
async function redefined({ consortium, random }: FaultWorld): Promise<boolean> {
  const { stateDir } = consortium.prepared;
  const version = `0.1.${Math.floor(random() * 1e6)}`;
  await defineChaincode(runningChannel(stateDir), { ...readDefinition(stateDir), version });
  return true;
}
