/** Brings a consortium up as processes: material, configuration, engine, contracts, gateways. */
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CommandError } from '../command.js';
import { type Endpoints, readEndpoints, writeEndpoints } from '../endpoints.js';
import type { RunningAuthorities } from '../fabric/authorities.js';
import { inForce } from '../fabric/in-force.js';
import { findPrograms } from '../fabric/programs.js';
import { writeSuccessors } from '../fabric/successors.js';
import { exportedState, isExported, prepareOwn, type PreparedState, prepareState } from '../prepare.js';
import { type Topology, type TopologyOverrides, loadTopology } from '../topology.js';
import type { Child, ChildPlan } from './children.js';
import { checkPorts } from './free-ports.js';
import { standstillOver } from './halted.js';
import { emptyStateFolder, endNodes, removeRunFile, startTimeOf, takeStateFolder, writeRunFile } from './run-file.js';
import { searchPlaces } from './running-fabric.js';
import { Supervised } from './supervised.js';

/** Which ledger runs below: the embedded one, or Hyperledger Fabric from programs on this machine. */
export type Engine = 'embedded' | 'fabric';

/** Which consortium, on which engine, and who is told how it goes. */
export interface BringUpOptions {
  readonly engine: Engine;
  /** Begin anew: what the state folder holds is deleted, once it is this process's and nothing else stands in the way. */
  readonly fresh?: boolean;
  readonly stateDir: string;
  readonly topologyFile: string;
  readonly overrides?: TopologyOverrides;
  /** Told what is being done, one line a step. */
  readonly progress: (line: string) => void;
  /** Told when every gateway answers, before `run.json` tells other commands: they may read at once what this wrote. */
  readonly announce?: (running: RunningConsortium) => Promise<void>;
  /** Further environment of the children, for tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Shift of all clocks of the network, ms, for tests; refused in production. */
  readonly clockOffsetMs?: number;
}

/** A consortium that is up; `stop` ends its processes in reverse and keeps its state. */
export interface RunningConsortium {
  readonly engine: Engine;
  readonly topology: Topology;
  readonly endpoints: Endpoints;
  /** Those that run now: one that ends is started again. */
  readonly children: readonly Child[];
  /** Resolves with a sentence when a process ends again and again. */
  readonly failed: Promise<string>;
  stop(): Promise<void>;
}

const workspaces = join(fileURLToPath(import.meta.url), '..', '..', '..', '..');
const chaincodeMain = join(workspaces, 'chaincode', 'dist', 'main.js');
const gatewayMain = join(workspaces, 'gateway', 'dist', 'main.js');
/** The process of the ledger: on Fabric it starts the nodes. */
const LEDGER = 'ledger';
const engineMain = (engine: Engine): string => join(workspaces, 'network', 'dist', engine, 'main.js');

/** Starts everything; resolves when every member's gateway answers. */
export async function bringUp(options: BringUpOptions): Promise<RunningConsortium> {
  const isOwn = options.fresh !== true && isExported(options.stateDir);
  const topology = isOwn
    ? exportedState(options.stateDir).topology
    : startable(options, loadTopology(options.topologyFile, options.overrides));
  await checkEngine(options, topology);
  options.progress(`members: ${topology.members.map((member) => member.name).join(' ')}`);
  // Before anything is made there: two that start at once would mix their keys.
  await takeStateFolder(options.stateDir, options.engine);
  // A start has the contracts of the release that it is of.
  writeSuccessors(options.stateDir, {});
  const { authorities, state } = await prepared(options, topology);
  const endpoints = writeEndpoints(topology, state.material, options.engine);
  let ready = false;
  const supervised = new Supervised(plans(options, state), {
    progress: options.progress,
    changed: (children) => {
      recordRun(options, children, ready);
    },
    clear: async (name) => {
      await standstillOver(options.stateDir);
      if (name === LEDGER) await endNodes(options.stateDir);
    },
  });
  const stop = async (): Promise<void> => {
    await standstillOver(options.stateDir);
    await supervised.stop();
    await authorities?.stop();
    removeRunFile(options.stateDir);
  };
  try {
    await supervised.ready();
  } catch (error) {
    await stop();
    throw error;
  }
  const running: RunningConsortium = {
    engine: options.engine,
    topology,
    endpoints,
    get children() {
      return supervised.children;
    },
    failed: Promise.race([supervised.failed, ...(authorities ? [authorities.failed] : [])]),
    stop,
  };
  await options.announce?.(running);
  ready = true;
  recordRun(options, supervised.children, ready);
  return running;
}

/** On Fabric a change of the file starts with the channel that has taken it. */
function startable({ engine, fresh, stateDir, progress }: BringUpOptions, topology: Topology): Topology {
  return engine === 'fabric' && fresh !== true ? inForce(topology, stateDir, progress) : topology;
}

/** Refuses an engine that this topology, this state folder or this machine does not allow. */
async function checkEngine(
  { engine, fresh, stateDir, topologyFile }: BringUpOptions,
  topology: Topology,
): Promise<void> {
  if (engine === 'embedded' && topology.production) {
    throw new CommandError(
      `${topologyFile} says production: true; the embedded ledger has one operator and no consensus. ` +
        'Start with: --engine fabric',
    );
  }
  if (fresh !== true) checkLedger(engine, stateDir);
  if (engine === 'fabric') await findPrograms(searchPlaces());
}

/** Refuses the ledger that a state folder holds. */
function checkLedger(engine: Engine, stateDir: string): void {
  if (engine === 'embedded' && isExported(stateDir)) {
    throw new CommandError(`${stateDir} is one member's part of a Fabric channel. Start with: --engine fabric`);
  }
  const earlier = readEndpoints(stateDir)?.engine ?? engine;
  if (earlier !== engine) {
    throw new CommandError(
      `${stateDir} holds a ledger of engine ${earlier}, which no other engine reads. Start with: --engine ${earlier}; ` +
        'or begin anew with --fresh; or name another folder in SALUS_STATE',
    );
  }
}

function recordRun(options: BringUpOptions, children: readonly Child[], ready: boolean): void {
  const running = children.map(({ name, pid }) => ({ name, pid, startTime: startTimeOf(pid) ?? '' }));
  writeRunFile(options.stateDir, { engine: options.engine, ready, children: running });
}

/** Members' Fabric CA servers come first: nodes have their identities from them. */
async function startNeededAuthorities(
  { engine, stateDir, progress }: BringUpOptions,
  topology: Topology,
): Promise<RunningAuthorities | undefined> {
  if (engine !== 'fabric') return undefined;
  const { servedMembers, startAuthorities } = await import('../fabric/authorities.js');
  const served = servedMembers(topology);
  if (served.length === 0) return undefined;
  const authorities = await startAuthorities(topology, stateDir, searchPlaces(), { onEnd: progress });
  progress(`Fabric CA servers run: ${served.map(({ name }) => name).join(' ')}`);
  return authorities;
}

/** All that is there before the first process; what fails gives the state folder back. */
async function prepared(options: BringUpOptions, topology: Topology) {
  const { engine, stateDir, clockOffsetMs = 0 } = options;
  let authorities: RunningAuthorities | undefined;
  try {
    await checkPorts(topology, engine);
    if (options.fresh === true) emptyStateFolder(stateDir);
    authorities = await startNeededAuthorities(options, topology);
    const state = await (isExported(stateDir)
      ? prepareOwn(stateDir)
      : prepareState(topology, stateDir, { engine, clockOffsetMs }));
    return { authorities, state };
  } catch (error) {
    await authorities?.stop();
    removeRunFile(stateDir);
    throw error;
  }
}

function plans(options: BringUpOptions, state: PreparedState): ChildPlan[] {
  const plan = (name: string, script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) => ({
    name,
    script,
    args,
    env: { ...env, ...options.env },
    logFile: join(options.stateDir, 'log', `${name}.log`),
    progress: options.progress,
  });
  const ledger = plan(LEDGER, engineMain(options.engine), [options.stateDir, ...ledgerArguments(options)]);
  // On Fabric nothing is shared between members: the ledger process starts a chaincode for each.
  if (options.engine === 'fabric') {
    return [ledger, ...state.gatewaySettings.map((settings) => plan(gatewayName(settings), gatewayMain, [settings]))];
  }
  return [
    ledger,
    plan('chaincode', chaincodeMain, [], state.chaincodeEnvironment),
    plan('gateways', gatewayMain, state.gatewaySettings),
  ];
}

function ledgerArguments({ engine, clockOffsetMs = 0 }: BringUpOptions): string[] {
  const folder = process.env['SALUS_FABRIC_BIN'];
  return [
    ...(engine === 'fabric' && folder !== undefined ? ['--fabric-bin', folder] : []),
    ...(clockOffsetMs === 0 ? [] : [`--clock-offset-ms=${clockOffsetMs}`]),
  ];
}

/** Such as gateway0.stmary, from members/stmary/gateways/gateway0/settings.json. */
function gatewayName(settings: string): string {
  const [member, , gateway] = settings.split(sep).slice(-4);
  return `${gateway ?? ''}.${member ?? ''}`;
}
