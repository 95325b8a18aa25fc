/** The engine below a test: the embedded ledger, or Fabric's own programs where SALUS_ENGINE=fabric asks for them. */
import { rmSync } from 'node:fs';
import { startEmbedded, type EmbeddedOptions } from '@salus/network/embedded/node/network';
import { CONCURRENCY } from '@salus/network/embedded/rpc/limiter';
import { tlsFiles } from '@salus/network/identity/layout';
import type { PreparedState } from '@salus/network/prepare';
import { memberOf } from '@salus/network/topology';
import { ChaincodeProcess } from './chaincode-process.js';
import {
  connectClient,
  gatewayIdentity,
  prepareTestState,
  type ClientWish,
  type TestClient,
} from './embedded-network.js';
import { findTestPrograms, startTestFabric, type TestFabric } from './fabric-network.js';
import type { IdentityFiles } from './identities.js';

export const ENGINE_NAMES = ['embedded', 'fabric'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Which engine the conformance suite runs on. */
export const engineName: EngineName = ENGINE_NAMES.find((name) => name === process.env['SALUS_ENGINE']) ?? 'embedded';

/** A running network with the test chaincode, as a test sees it: endpoints, identities, nothing of what is below. */
export interface Engine {
  readonly name: EngineName;
  readonly prepared: PreparedState;
  /** Calls a peer's gateway takes at once: Fabric's default, or what network/templates/core.yaml says. */
  readonly gatewayLimit: number;
  client(wish: ClientWish): TestClient;
  /** The certificate and key of a member's gateway. */
  identity(member: string): IdentityFiles;
  /** Ends the chaincode's process of a member. */
  killChaincode(member: string): Promise<void>;
  startChaincode(member: string): Promise<void>;
  /** Stops the peers and orderers and starts them again on what they have on disk. */
  restart(options?: EngineOptions): Promise<void>;
  stop(): Promise<void>;
}

/** How the engine is started; each member has a chaincode process of its own, as on a network of several machines. */
export type EngineOptions = Pick<EmbeddedOptions, 'timedBlocks' | 'clockOffsetMs'>;

const TOPOLOGY = { overrides: { peers: { stmary: 2 } } };

/** Starts the consortium of the topology file with two peers at stmary; on Fabric without options. */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  if (engineName === 'fabric') {
    return new FabricEngine(await startTestFabric(await findTestPrograms(), TOPOLOGY));
  }
  const engine = new EmbeddedEngine(await prepareTestState(TOPOLOGY));
  await engine.start(options);
  return engine;
}

class FabricEngine implements Engine {
  readonly name = 'fabric';
  readonly gatewayLimit = 2_000;
  readonly prepared: PreparedState;

  constructor(private readonly fabric: TestFabric) {
    this.prepared = fabric.prepared;
  }

  client(wish: ClientWish): TestClient {
    return this.fabric.client(wish);
  }

  identity(member: string): IdentityFiles {
    return gatewayIdentity(this.prepared, member);
  }

  killChaincode(member: string): Promise<void> {
    return this.fabric.network.signal(`chaincode.${member}`, 'SIGKILL');
  }

  startChaincode(member: string): Promise<void> {
    return this.fabric.network.restart(`chaincode.${member}`);
  }

  restart(): Promise<void> {
    throw new Error('nothing in the suite restarts Fabric’s nodes');
  }

  stop(): Promise<void> {
    return this.fabric.stop();
  }
}

class EmbeddedEngine implements Engine {
  readonly name = 'embedded';
  readonly gatewayLimit = CONCURRENCY.gateway;
  readonly #chaincodes = new Map<string, ChaincodeProcess>();
  readonly #clients: TestClient[] = [];
  #network: Awaited<ReturnType<typeof startEmbedded>> | undefined;

  constructor(readonly prepared: PreparedState) {}

  async start(options: EngineOptions): Promise<void> {
    const { stateDir, topology } = this.prepared;
    this.#network = await startEmbedded({ ...options, stateDir, chaincodePerMember: true });
    await Promise.all(topology.members.map(({ name }) => this.startChaincode(name)));
  }

  client(wish: ClientWish): TestClient {
    const client = connectClient(this.prepared, wish);
    this.#clients.push(client);
    return client;
  }

  identity(member: string): IdentityFiles {
    return gatewayIdentity(this.prepared, member);
  }

  async startChaincode(name: string): Promise<void> {
    const { topology, material, definition } = this.prepared;
    const { host, chaincodePort } = memberOf(topology, name);
    const { chaincodeTlsDir } = material.members.find((each) => each.name === name)!;
    const { key, cert, ca } = tlsFiles(chaincodeTlsDir);
    const options = { address: `${host}:${chaincodePort}`, packageId: definition.packageId };
    this.#chaincodes.set(name, await ChaincodeProcess.start({ ...options, tls: { key, cert, clientCa: ca } }));
  }

  async killChaincode(member: string): Promise<void> {
    await this.#chaincodes.get(member)?.kill();
  }

  async restart(options: EngineOptions = {}): Promise<void> {
    const { stateDir } = this.prepared;
    await this.#network?.stop();
    this.#network = await startEmbedded({ ...options, stateDir, chaincodePerMember: true });
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#network?.stop();
    await Promise.all([...this.#chaincodes.values()].map((chaincode) => chaincode.kill()));
    rmSync(this.prepared.stateDir, { recursive: true, force: true });
  }
}
