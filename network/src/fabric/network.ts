import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../command.js';
import { endOrphanNodes, fabricProcessesOf } from '../commands/run-file.js';
import { readDefinition } from '../config/channel-files.js';
import type { ChaincodeDefinition } from '../config/definition.js';
import { startable, watchLogs } from '../lost-log.js';
import { chaincodeEnvironment, readNetwork } from '../prepare.js';
import type { Topology } from '../topology/model.js';
import { establish, type MemberPair, memberPairs, type OrdererPair, ownPairs, ordererPairs } from './establish.js';
import { until } from './lifecycle.js';
import { ProcessGroup, type ProcessPlan } from './processes.js';
import type { Programs } from './programs.js';
import { renderOrderer, renderPeer } from './render.js';
import { isConsenter } from './restart.js';
import { finishRotations } from './rotate.js';
import {
  chaincodeAddress,
  chaincodeName,
  readSuccessors,
  type ServedCode,
  type Successors,
  writeSuccessors,
} from './successors.js';

const CHAINCODE_MAIN = fileURLToPath(new URL('../../../chaincode/dist/main.js', import.meta.url));

/** What the native processes of a network are started from. */
export interface FabricOptions {
  /** Prepared by prepareState. */
  readonly stateDir: string;
  readonly programs: Programs;
  /** PATH, on which peers find the shell that runs the builder. */
  readonly path: string;
  /** Arguments of Node for a member's chaincode process other than Salus's own, for tests. */
  readonly chaincodeArguments?: (server: ChaincodeServer) => readonly string[];
  readonly clockOffsetMs?: number;
  /** Aborted: start no further, leave nothing running. */
  readonly signal?: AbortSignal;
  /** Told what is being done, one line a step. */
  readonly onProgress: (line: string) => void;
  /** Told of an orderer that is not started, of each node that ended once all ran, and of its return; absent, `onProgress` is. */
  readonly onNotice?: (line: string) => void;
}

/** Where a member's chaincode process listens, and with which certificates. */
export interface ChaincodeServer {
  readonly address: string;
  /** server.crt, server.key, ca.crt */
  readonly tlsDir: string;
}

/** A running native network. */
export interface RunningFabric {
  /** Process ids by node name, such as peer0.stmary or orderer.acme. */
  readonly pids: ReadonlyMap<string, number>;
  /** Sequence of the chaincode definition in force. */
  readonly sequence: number;
  /** Resolves with a sentence when a process that nobody stopped ends again and again. */
  readonly failed: Promise<string>;
  /** Sends a signal to a process by its node name; its end is then no failure. */
  signal(name: string, signal: NodeJS.Signals): Promise<void>;
  /** Starts a process again that has ended. */
  restart(name: string): Promise<void>;
  /** Starts the chaincode processes that an upgrade asks for, and ends those that are replaced. Throws where one does not start. */
  followUpgrade(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts orderers, peers and chaincode of all members and brings channel and chaincode into force. */
export async function startFabric(options: FabricOptions): Promise<RunningFabric> {
  const network = new NativeNetwork(options);
  try {
    await network.start();
    return network;
  } catch (error) {
    await network.stop();
    throw error;
  }
}

class NativeNetwork implements RunningFabric {
  private readonly processes: ProcessGroup;
  private readonly topology: Topology;
  private readonly definition: ChaincodeDefinition;
  private readonly pairs: readonly MemberPair[];
  private readonly orderers: readonly OrdererPair[];
  /** Sequence of the definition in force. */
  sequence = 0;
  /** The chaincode in force: its program, and whether it listens beside where it does after a start. */
  private chaincode: ChaincodeProgram = { main: CHAINCODE_MAIN, isBeside: false };
  private following: Promise<void> = Promise.resolve();

  constructor(private readonly options: FabricOptions) {
    const network = readNetwork(options.stateDir);
    this.topology = network.topology;
    this.definition = readDefinition(options.stateDir);
    // On a member's own machine only its nodes run.
    this.pairs = ownPairs(memberPairs(network));
    const orderers = ordererPairs(this.pairs);
    watchLogs(orderers, options.stateDir);
    this.orderers = startable(orderers, options.stateDir, options.onNotice ?? options.onProgress);
    this.processes = new ProcessGroup(fabricProcessesOf(options.stateDir));
  }

  get pids(): ReadonlyMap<string, number> {
    return this.processes.pids();
  }

  get failed(): Promise<string> {
    return this.processes.failed;
  }

  signal(name: string, signal: NodeJS.Signals): Promise<void> {
    return this.processes.signal(name, signal);
  }

  restart(name: string): Promise<void> {
    return this.processes.restart(name);
  }

  stop(): Promise<void> {
    return this.processes.stop();
  }

  followUpgrade(): Promise<void> {
    const following = this.following.then(() => this.follow(readSuccessors(this.options.stateDir)));
    this.following = following.catch(() => undefined);
    return following;
  }

  private async follow({ inForce, next }: Successors): Promise<void> {
    if (inForce) this.chaincode = inForce;
    const isBeside = !this.chaincode.isBeside;
    for (const pair of this.pairs) {
      const name = chaincodeName(pair.member.name, isBeside);
      if (next?.members.includes(pair.member.name) !== true) await this.end(name);
      else if (!this.processes.isRunning(name)) {
        await this.processes.attempt(this.chaincodePlan(pair, { ...next, isBeside }, next.packageId));
      }
    }
  }

  private async end(name: string): Promise<void> {
    if (this.processes.isRunning(name)) await this.processes.signal(name, 'SIGTERM');
  }

  /** Rejects as well when a process ends on the way, or when told to stop. */
  async start(): Promise<void> {
    const { onProgress, signal, stateDir } = this.options;
    if ((await endOrphanNodes(stateDir)) > 0) onProgress('ended what an earlier run left running');
    this.goOnWith(readSuccessors(stateDir));
    await this.startProcesses();
    const ended = this.processes.failed.then((why) => Promise.reject(new CommandError(why)));
    const told = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => {
        reject(new CommandError('stopped while starting'));
      });
    });
    await Promise.race([this.bringIntoForce(), ended, told]);
    this.processes.keep(this.options.onNotice ?? onProgress);
  }

  /** Nodes that are started again under the same supervisor have the program that their definition needs, in the first place. */
  private goOnWith({ inForce, next }: Successors): void {
    const isWanted = (code?: ServedCode) => code?.packageId === this.definition.packageId && existsSync(code.main);
    const wanted = [next, inForce].find(isWanted);
    if (wanted) this.chaincode = { main: wanted.main, isBeside: false };
    const { packageId } = this.definition;
    writeSuccessors(
      this.options.stateDir,
      wanted ? { inForce: { packageId, main: wanted.main, isBeside: false } } : {},
    );
  }

  private async bringIntoForce(): Promise<void> {
    const { onProgress, stateDir } = this.options;
    await this.processes.listening();
    const peers = this.pairs.reduce((sum, { member }) => sum + member.peers.length, 0);
    onProgress(`${this.orderers.length} orderers, ${peers} peers and their chaincode run`);
    this.sequence = await establish(stateDir, onProgress);
    watchLogs(this.orderers, stateDir);
    for (const line of await finishRotations(stateDir, (pair) => this.restartOrderer(pair))) onProgress(line);
  }

  private async restartOrderer(pair: OrdererPair): Promise<string> {
    const name = `orderer.${pair.member.name}`;
    if (!this.pids.has(name)) return `the new TLS key of ${name} is in its place`;
    await this.signal(name, 'SIGTERM');
    await this.restart(name);
    await until(`${name} with its new key`, () => isConsenter(pair, this.topology.channel));
    return `${name} runs with its new TLS key`;
  }

  private async startProcesses(): Promise<void> {
    for (const each of this.orderers) await this.startOrderer(each);
    for (const pair of this.pairs) {
      await this.startPeers(pair);
      await this.startChaincode(pair);
    }
  }

  private startOrderer({ member, node, own }: OrdererPair): Promise<void> {
    const { configDir, environment } = renderOrderer(node, own);
    const listens = [node.port, node.adminPort, node.operationsPort].map((port) => `${node.host}:${port}`);
    const { programs } = this.options;
    return this.launch(`orderer.${member.name}`, programs.orderer, [], {
      environment: { ...environment, FABRIC_CFG_PATH: configDir },
      listens,
    });
  }

  private async startPeers({ member, own }: MemberPair): Promise<void> {
    for (const [index, node] of member.peers.entries()) {
      const material = own.peers[index];
      if (!material) continue;
      const { configDir, environment } = renderPeer(member, node, own, material);
      await this.launch(`${node.name}.${member.name}`, this.options.programs.peer, ['node', 'start'], {
        environment: { ...environment, FABRIC_CFG_PATH: configDir },
        listens: [node.port, node.operationsPort].map((port) => `${node.host}:${port}`),
      });
    }
  }

  private startChaincode(pair: MemberPair): Promise<void> {
    return this.processes.start(this.chaincodePlan(pair, this.chaincode, this.definition.packageId));
  }

  private chaincodePlan(
    { member, own }: MemberPair,
    { main, isBeside }: ChaincodeProgram,
    packageId: string,
  ): ProcessPlan {
    const { clockOffsetMs = 0, chaincodeArguments = () => [main] } = this.options;
    const address = chaincodeAddress(member, isBeside);
    const server: ChaincodeServer = { address, tlsDir: own.chaincodeTlsDir };
    const definition = { ...this.definition, packageId };
    return this.plan(chaincodeName(member.name, isBeside), process.execPath, chaincodeArguments(server), {
      environment: chaincodeEnvironment(this.topology, definition, server, { clockOffsetMs }),
      listens: [address],
    });
  }

  private launch(name: string, command: string, args: readonly string[], rest: PlanRest): Promise<void> {
    return this.processes.start(this.plan(name, command, args, rest));
  }

  private plan(
    name: string,
    command: string,
    args: readonly string[],
    { environment, listens }: PlanRest,
  ): ProcessPlan {
    const { stateDir, path } = this.options;
    const logFile = join(stateDir, 'log', `${name}.log`);
    return { name, command, args, logFile, listens, environment: { ...environment, PATH: path } };
  }
}

type PlanRest = Pick<ProcessPlan, 'environment' | 'listens'>;
type ChaincodeProgram = Pick<ServedCode, 'main'> & { readonly isBeside: boolean };
