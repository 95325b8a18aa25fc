/** A whole consortium on Fabric of which every process can be killed, halted and started again by its name. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { mintToken } from '@salus/gateway/commands';
import { type Child, startChild } from '@salus/network/commands/children';
import { writeEndpoints } from '@salus/network/endpoints';
import { startFabric, type RunningFabric } from '@salus/network/fabric/network';
import { prepareState, type PreparedState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { findTestPrograms } from '../../support/fabric-network.js';
import { freePortBase } from '../../support/free-ports.js';
import { projectRoot } from '../../support/shared.js';

/** stmary has two gateways, so that a client whose gateway died has another to ask. */
export const TWO_GATEWAYS = 'stmary';
const GATEWAY_MAIN = join(projectRoot, 'gateway', 'dist', 'main.js');
const LEADER_LINE = /(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+).*Raft leader changed: \d+ -> (\d+)/g;

export interface FaultyConsortium {
  readonly prepared: PreparedState;
  /** Nodes: orderer.<member>, peer0.<member>, chaincode.<member>. */
  readonly nodes: RunningFabric;
  /** Settings files of the gateways by name, such as gateway1.stmary. */
  readonly gateways: ReadonlyMap<string, string>;
  /** Base URLs of a member's gateways. */
  urlsOf(member: string): readonly string[];
  token(member: string): Promise<string>;
  /** Process id of a node or gateway. */
  pid(name: string): number;
  kill(name: string): Promise<void>;
  /** Starts what was killed; resolves when it listens, a gateway when it serves. */
  start(name: string): Promise<void>;
  /** The orderer that leads, as the orderers' logs say. */
  leader(): string;
  /** Stops everything; the state folder with its logs stays when `keep` is set. */
  stop(keep: boolean): Promise<void>;
}

/** Starts everything; resolves when every gateway serves. */
export async function startConsortium(): Promise<FaultyConsortium> {
  const topology = loadTopology(undefined, { portBase: await freePortBase(), gateways: { [TWO_GATEWAYS]: 2 } });
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-faults-'));
  const prepared = await prepareState(topology, stateDir, { engine: 'fabric' });
  writeEndpoints(topology, prepared.material, 'fabric');
  const path = process.env['PATH'] ?? '';
  const programs = await findTestPrograms();
  const nodes = await startFabric({ stateDir, programs, path, onProgress: () => undefined });
  const gateways = new Map(prepared.gatewaySettings.map((file) => [gatewayName(file), file]));
  const running = new Map<string, Child>();
  const startGateway = (name: string): Promise<void> => {
    const child = startChild({
      name,
      script: GATEWAY_MAIN,
      args: [gateways.get(name) ?? ''],
      env: {},
      logFile: join(stateDir, 'log', `${name}.log`),
    });
    running.set(name, child);
    return child.ready;
  };
  await Promise.all([...gateways.keys()].map(startGateway));
  return {
    prepared,
    nodes,
    gateways,
    urlsOf: (member) => urlsOf(prepared, member),
    token: (member) => mintToken(stateDir, { member, user: `dr-${member}`, role: 'physician' }),
    pid: (name) => running.get(name)?.pid ?? nodes.pids.get(name) ?? 0,
    kill: async (name) => {
      const gateway = running.get(name);
      if (gateway === undefined) return nodes.signal(name, 'SIGKILL');
      process.kill(gateway.pid, 'SIGKILL');
      await gateway.ended;
    },
    start: (name) => (gateways.has(name) ? startGateway(name) : nodes.restart(name)),
    leader: () => leaderIn(prepared),
    stop: async (keep) => {
      await Promise.all([...running.values()].map((gateway) => gateway.stop()));
      await nodes.stop();
      if (!keep) rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

function gatewayName(settings: string): string {
  const [member = '', , gateway = ''] = settings.split(sep).slice(-4);
  return `${gateway}.${member}`;
}

function urlsOf({ topology }: PreparedState, name: string): string[] {
  const member = topology.members.find((each) => each.name === name);
  return (member?.gateways ?? []).map(({ publicHost, port }) => `http://${publicHost}:${port}`);
}

/** Consenters are numbered from 1 in the order of the topology. */
function leaderIn({ stateDir, topology }: PreparedState): string {
  const folder = join(stateDir, 'log');
  const seen = readdirSync(folder)
    .filter((file) => file.startsWith('orderer.'))
    .flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(LEADER_LINE)])
    .filter(([, , leader]) => leader !== '0')
    .map(([, at = '', leader = '']) => ({ at, leader: Number(leader) }))
    .sort((one, other) => one.at.localeCompare(other.at));
  const orderers = topology.members.filter(({ orderer }) => orderer !== undefined);
  return `orderer.${orderers[(seen.at(-1)?.leader ?? 1) - 1]?.name ?? ''}`;
}
