import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../command.js';
import { endOrphans, fabricProcessesOf } from '../commands/run-file.js';
import { chaincodePackage } from '../config/archive.js';
import { readDefinition, readGenesis } from '../config/channel-files.js';
import type { ChaincodeDefinition } from '../config/definition.js';
import type { MemberMaterial, OrdererMaterial } from '../identity/material.js';
import { chaincodeEnvironment, readNetwork } from '../prepare.js';
import type { Member, OrdererNode, Topology } from '../topology/model.js';
import { channelAt, joinOrderer, type NodeAddress } from './clients.js';
import { defineChaincode, installEverywhere, until } from './lifecycle.js';
import { knownEndorsers } from './membership.js';
import { PeerAdmin } from './peer-admin.js';
import { ProcessGroup } from './processes.js';
import type { Programs } from './programs.js';
import { renderOrderer, renderPeer } from './render.js';

const CHAINCODE_MAIN = fileURLToPath(new URL('../../../chaincode/dist/main.js', import.meta.url));

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
  /** Resolves with a sentence when a process ends that nobody stopped. */
  readonly failed: Promise<string>;
  /** Sends a signal to a process by its node name; its end is then no failure. */
  signal(name: string, signal: NodeJS.Signals): Promise<void>;
  /** Starts a process again that has ended. */
  restart(name: string): Promise<void>;
  stop(): Promise<void>;
}

interface Pair {
  readonly member: Member;
  readonly own: MemberMaterial;
}

interface OrdererPair {
  readonly member: Member;
  readonly node: OrdererNode;
  readonly own: OrdererMaterial;
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
  private readonly pairs: readonly Pair[];
  private readonly orderers: readonly OrdererPair[];
  /** Sequence of the definition in force. */
  sequence = 0;

  constructor(private readonly options: FabricOptions) {
    const { topology, material } = readNetwork(options.stateDir);
    this.topology = topology;
    this.definition = readDefinition(options.stateDir);
    this.pairs = material.members.flatMap((own, index) => {
      const member = topology.members[index];
      return member ? [{ member, own }] : [];
    });
    this.orderers = this.pairs.flatMap(({ member, own }) =>
      member.orderer && own.orderer ? [{ member, node: member.orderer, own: own.orderer }] : [],
    );
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

  /** Rejects as well when a process ends on the way, or when told to stop. */
  async start(): Promise<void> {
    const { onProgress, signal, stateDir } = this.options;
    if ((await endOrphans(stateDir)) > 0) onProgress('ended what an earlier run left running');
    await this.startProcesses();
    const ended = this.processes.failed.then((why) => Promise.reject(new CommandError(why)));
    const told = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => {
        reject(new CommandError('stopped while starting'));
      });
    });
    await Promise.race([this.bringIntoForce(), ended, told]);
  }

  private async bringIntoForce(): Promise<void> {
    const { onProgress } = this.options;
    await this.processes.listening();
    onProgress(`${this.orderers.length} orderers, ${this.peers().length} peers and their chaincode run`);
    await this.joinChannel();
    onProgress(`all are part of channel ${this.topology.channel}`);
    this.sequence = await this.installChaincode();
    const { name, version } = this.definition;
    onProgress(`${name} ${version} is in force at sequence ${this.sequence}`);
    await this.becomeAcquainted();
    onProgress('every peer knows every other');
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

  private async startPeers({ member, own }: Pair): Promise<void> {
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

  private startChaincode({ member, own }: Pair): Promise<void> {
    const { clockOffsetMs = 0, chaincodeArguments = () => [CHAINCODE_MAIN] } = this.options;
    const address = `${member.host}:${member.chaincodePort}`;
    const server: ChaincodeServer = { address, tlsDir: own.chaincodeTlsDir };
    return this.launch(`chaincode.${member.name}`, process.execPath, chaincodeArguments(server), {
      environment: chaincodeEnvironment(this.topology, this.definition, server, { clockOffsetMs }),
      listens: [address],
    });
  }

  private launch(
    name: string,
    command: string,
    args: readonly string[],
    rest: { readonly environment: Readonly<Record<string, string>>; readonly listens: readonly string[] },
  ): Promise<void> {
    const logFile = join(this.options.stateDir, 'log', `${name}.log`);
    return this.processes.start({
      name,
      command,
      args,
      logFile,
      listens: rest.listens,
      environment: { ...rest.environment, PATH: this.options.path },
    });
  }

  private async joinChannel(): Promise<void> {
    const { channel } = this.topology;
    const genesis = readGenesis(this.options.stateDir);
    const admins = this.orderers.map((each) => ordererAddress(each, each.node.adminPort));
    await Promise.all(
      admins.map(async (admin) => {
        if (!(await channelAt(admin, channel))) await joinOrderer(admin, genesis);
        await until(`activity of ${admin.address}`, async () => (await channelAt(admin, channel))?.status === 'active');
      }),
    );
    for (const admin of this.peers()) {
      if (!(await admin.channels()).includes(channel)) await admin.join(genesis);
    }
  }

  private async installChaincode(): Promise<number> {
    const { name, version } = this.topology.chaincode;
    const peers = this.peers();
    await installEverywhere(peers, chaincodePackage(name, version));
    const orderers = this.orderers.map((each) => ordererAddress(each, each.node.port));
    return defineChaincode({ channel: this.topology.channel, peers, orderers }, this.definition);
  }

  private async becomeAcquainted(): Promise<void> {
    const peers = this.peers();
    await Promise.all(
      peers.map((admin) =>
        until(`the other peers' announcements at ${admin.node.address}`, async () => {
          const known = await knownEndorsers(admin, this.topology.channel, this.definition.name);
          return known === peers.length;
        }),
      ),
    );
  }

  private peers(): PeerAdmin[] {
    return this.pairs.flatMap(({ member, own }) =>
      member.peers.map((node) => {
        const address = `${node.host}:${node.port}`;
        const serverName = `${node.name}.${member.name}`;
        const place = { address, serverName, tlsCa: own.tlsCa, clientMspDir: own.adminMspDir };
        return new PeerAdmin(place, member.mspId);
      }),
    );
  }
}

function ordererAddress({ member, node, own }: OrdererPair, port: number): NodeAddress {
  return {
    address: `${node.host}:${port}`,
    serverName: `orderer.${member.name}`,
    tlsCa: own.tlsCa,
    clientMspDir: own.adminMspDir,
  };
}
