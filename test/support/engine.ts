/** The engine below a test: the embedded ledger, or Fabric's own programs where SALUS_ENGINE=fabric asks for them. */
import type { PreparedState } from '@salus/network/prepare';
import type { ChaincodeProcess } from './chaincode-process.js';
import {
  gatewayIdentity,
  startTestChaincode,
  startTestLedger,
  type ClientWish,
  type TestClient,
  type TestLedgerOptions,
} from './embedded-network.js';
import { findTestPrograms, startTestFabric } from './fabric-network.js';

export const ENGINE_NAMES = ['embedded', 'fabric'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Which engine the conformance suite runs on. */
export const engineName: EngineName = ENGINE_NAMES.find((name) => name === process.env['SALUS_ENGINE']) ?? 'embedded';

/** A running network with the test chaincode, as a test sees it: endpoints, identities, nothing of what is below. */
export interface Engine {
  readonly name: EngineName;
  readonly prepared: PreparedState;
  client(wish: ClientWish): TestClient;
  /** The certificate and key of a member's gateway. */
  identity(member: string): NonNullable<ClientWish['as']>;
  killChaincode(): Promise<void>;
  restartChaincode(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the consortium of the topology file with two peers at stmary. */
export async function startEngine(options: Omit<TestLedgerOptions, 'overrides'> = {}): Promise<Engine> {
  const wish = { ...options, overrides: { peers: { stmary: 2 } } };
  return engineName === 'fabric' ? startOnFabric(wish) : startEmbedded(wish);
}

async function startEmbedded(wish: TestLedgerOptions): Promise<Engine> {
  const ledger = await startTestLedger(wish);
  let chaincode: ChaincodeProcess = ledger.chaincode;
  return {
    name: engineName,
    prepared: ledger.prepared,
    client: (client) => ledger.client(client),
    identity: (member) => gatewayIdentity(ledger.prepared, member),
    killChaincode: () => chaincode.kill(),
    restartChaincode: async () => {
      chaincode = await startTestChaincode(ledger.prepared);
    },
    stop: async () => {
      await chaincode.kill();
      await ledger.stop();
    },
  };
}

async function startOnFabric(wish: TestLedgerOptions): Promise<Engine> {
  const fabric = await startTestFabric(await findTestPrograms(), wish);
  const { network, prepared } = fabric;
  const chaincodes = prepared.topology.members.map(({ name }) => `chaincode.${name}`);
  return {
    name: engineName,
    prepared,
    client: (client) => fabric.client(client),
    identity: (member) => gatewayIdentity(prepared, member),
    killChaincode: async () => {
      await Promise.all(chaincodes.map((name) => network.signal(name, 'SIGKILL')));
    },
    restartChaincode: async () => {
      await Promise.all(chaincodes.map((name) => network.restart(name)));
    },
    stop: () => fabric.stop(),
  };
}
