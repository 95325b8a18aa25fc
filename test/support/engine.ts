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
  if (engineName === 'fabric') {
    throw new Error(
      'the suite cannot start Fabric’s programs yet; unset SALUS_ENGINE to run it on the embedded ledger',
    );
  }
  const ledger = await startTestLedger({ ...options, overrides: { peers: { stmary: 2 } } });
  let chaincode: ChaincodeProcess = ledger.chaincode;
  return {
    name: engineName,
    prepared: ledger.prepared,
    client: (wish) => ledger.client(wish),
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
