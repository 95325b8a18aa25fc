/** A whole consortium on Fabric of which every process can be killed, halted and started again by its name. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { type Child, startChild } from '@salus/network/commands/children';
import { writeEndpoints } from '@salus/network/endpoints';
import { startFabric, type RunningFabric } from '@salus/network/fabric/network';
import { layout } from '@salus/network/identity/layout';
import { prepareState, type PreparedState } from '@salus/network/prepare';
import { loadTopology, type Topology } from '@salus/network/topology';
import { findTestPrograms } from '../../support/fabric-network.js';
import { freePortBase } from '../../support/free-ports.js';
import { projectRoot } from '../../support/shared.js';
import { HOSPITALS, Members } from '../members.js';
import { type Cuttable, isolated, mountSmallDisk, unmountSmallDisk } from './isolation.js';
import { cuttableNodes, inGroups } from './programs.js';
import { takeSnapshotsEvery } from './snapshots.js';

/** stmary has two gateways, so that a client whose gateway died has another to ask. */
const TWO_GATEWAYS = 'stmary';
const GATEWAY_MAIN = join(projectRoot, 'gateway', 'dist', 'main.js');
/** The hospitals' data lies on a disk of its own, which may fill up. */
const DISK_MIB = 1024;
/** Blocks of a few seconds: whoever was away longer catches up by a snapshot. Default 16 MiB. */
const SNAPSHOT_BYTES = 64 * 1024;
const LEADER_LINE = /(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+).*Raft leader changed: \d+ -> (\d+)/g;

export interface FaultyConsortium {
  /** Folder of the run: the state folder, history and evidence. */
  readonly folder: string;
  readonly members: Members;
  readonly prepared: PreparedState;
  /** Nodes: orderer.<member>, peer0.<member>, chaincode.<member>. */
  readonly nodes: RunningFabric;
  /** Settings files of the gateways by name, such as gateway1.stmary. */
  readonly gateways: ReadonlyMap<string, string>;
  /** What the firewall knows nodes by; empty where the network cannot be cut. */
  readonly cuttable: ReadonlyMap<string, Cuttable>;
  /** Seconds from nothing until every gateway served. */
  readonly startSeconds: number;
  /** Folder of the databases of a member's gateways. */
  dataOf(member: string): string;
  /** The log of a node or gateway as it is now. */
  log(name: string): string;
  /** Gateways that have ended, by whatever. */
  ended(): string[];
  /** Process id of a node or gateway. */
  pid(name: string): number;
  kill(name: string): Promise<void>;
  /** Starts what was killed; resolves when it listens, a gateway when it serves. */
  start(name: string): Promise<void>;
  /** The orderer that leads, as the orderers' logs say. */
  leader(): string;
  /** Stops everything; the state folder with its logs stays. */
  stop(): Promise<void>;
  /** Deletes the state folder, or leaves it for somebody to look at. */
  discard(keep: boolean): void;
}

/** Starts everything, the default topology where no other is given; resolves when every gateway serves. */
export async function startConsortium(given?: Topology): Promise<FaultyConsortium> {
  const topology =
    given ?? loadTopology(undefined, { portBase: await freePortBase(), gateways: { [TWO_GATEWAYS]: 2 } });
  const folder = mkdtempSync(join(tmpdir(), 'salus-faults-'));
  const stateDir = join(folder, 'state');
  const began = Date.now();
  const prepared = await prepareState(topology, stateDir, { engine: 'fabric' });
  writeEndpoints(topology, prepared.material, 'fabric');
  const cuttable = isolated ? cuttableNodes(topology) : new Map<string, Cuttable>();
  const found = await findTestPrograms();
  const programs = isolated ? inGroups(join(stateDir, 'programs'), found, cuttable) : found;
  const nodes = await startFabric({ stateDir, programs, path: process.env['PATH'] ?? '', onProgress: () => undefined });
  if (isolated) for (const member of HOSPITALS) giveDisk(dataOf(stateDir, member));
  const gateways = new Gateways(stateDir, prepared.gatewaySettings);
  await Promise.all([...gateways.settings.keys()].map((name) => gateways.start(name)));
  const startSeconds = (Date.now() - began) / 1000;
  await takeSnapshotsEvery(SNAPSHOT_BYTES, stateDir);
  let stopped = false;
  return {
    ...{ folder, prepared, nodes, gateways: gateways.settings, cuttable, startSeconds },
    members: new Members(stateDir),
    dataOf: (member) => dataOf(stateDir, member),
    log: (name) => readFileSync(join(stateDir, 'log', `${name}.log`), 'utf8'),
    ended: () => [...gateways.gone],
    pid: (name) => gateways.running.get(name)?.pid ?? nodes.pids.get(name) ?? 0,
    kill: (name) => (gateways.settings.has(name) ? gateways.kill(name) : nodes.signal(name, 'SIGKILL')),
    start: (name) => (gateways.settings.has(name) ? gateways.start(name) : nodes.restart(name)),
    leader: () => leaderIn(prepared),
    stop: async () => {
      if (stopped) return;
      stopped = true;
      await Promise.all([...gateways.running.values()].map((gateway) => gateway.stop()));
      await nodes.stop();
    },
    discard: (keep) => {
      takeDisks(stateDir, keep);
      if (!keep) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The gateways' processes by name, such as gateway1.stmary. */
class Gateways {
  readonly settings: ReadonlyMap<string, string>;
  readonly running = new Map<string, Child>();
  readonly gone = new Set<string>();

  constructor(
    private readonly stateDir: string,
    settings: readonly string[],
  ) {
    this.settings = new Map(settings.map((file) => [gatewayName(file), file]));
  }

  start(name: string): Promise<void> {
    const logFile = join(this.stateDir, 'log', `${name}.log`);
    const args = [this.settings.get(name) ?? ''];
    const child = startChild({ name, script: GATEWAY_MAIN, args, env: {}, logFile });
    this.running.set(name, child);
    this.gone.delete(name);
    void child.ended.then(() => {
      if (this.running.get(name) === child) this.gone.add(name);
    });
    return child.ready;
  }

  async kill(name: string): Promise<void> {
    const child = this.running.get(name);
    if (child === undefined || this.gone.has(name)) return;
    process.kill(child.pid, 'SIGKILL');
    await child.ended;
  }
}

function dataOf(stateDir: string, member: string): string {
  return layout.data(layout.member(stateDir, member));
}

function giveDisk(folder: string): void {
  mkdirSync(folder, { recursive: true });
  mountSmallDisk(folder, DISK_MIB);
}

/** What is on the small disks ends with the run: what is kept is copied. */
function takeDisks(stateDir: string, keep: boolean): void {
  if (!isolated) return;
  for (const member of HOSPITALS) {
    const folder = dataOf(stateDir, member);
    if (keep) cpSync(folder, join(stateDir, 'kept', member), { recursive: true });
    unmountSmallDisk(folder);
  }
}

function gatewayName(settings: string): string {
  const [member = '', , gateway = ''] = settings.split(sep).slice(-4);
  return `${gateway}.${member}`;
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
