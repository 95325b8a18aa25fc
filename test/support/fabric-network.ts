/** Real Fabric for a test: orderers, peers and the test chaincode of every member as native processes. */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startFabric, type ChaincodeServer, type RunningFabric } from '@salus/network/fabric/network';
import { findPrograms, type Programs } from '@salus/network/fabric/programs';
import { tlsFiles } from '@salus/network/identity/layout';
import type { PreparedState } from '@salus/network/prepare';
import type { ChaincodeOptions } from './chaincode/main.js';
import {
  connectClient,
  prepareTestState,
  type ClientWish,
  type TestClient,
  type TestLedgerOptions,
} from './embedded-network.js';

const CHAINCODE_MAIN = fileURLToPath(new URL('./chaincode/main.js', import.meta.url));

export interface TestFabric {
  readonly prepared: PreparedState;
  readonly network: RunningFabric;
  client(wish: ClientWish): TestClient;
  /** Stops everything and deletes the state unless it was given. */
  stop(): Promise<void>;
}

/** Fabric's programs on this machine; throws when there are none. */
export function findTestPrograms(): Promise<Programs> {
  return findPrograms({ folder: process.env['SALUS_FABRIC_BIN'], path: process.env['PATH'] });
}

/** Fabric's programs on this machine; without them the running test shows as pending with the reason. */
export async function programsOrPending(test: Mocha.Context): Promise<Programs> {
  try {
    return await findTestPrograms();
  } catch {
    const title = test.test ?? test.currentTest;
    if (title !== undefined) title.title += " (pending: Fabric's programs are not on this machine)";
    return test.skip();
  }
}

/** Starts a network and its chaincode processes. */
export async function startTestFabric(programs: Programs, options: TestLedgerOptions = {}): Promise<TestFabric> {
  const prepared = options.prepared ?? (await prepareTestState(options));
  const clients: TestClient[] = [];
  const network = await startFabric({
    stateDir: prepared.stateDir,
    programs,
    path: process.env['PATH'] ?? '',
    chaincodeArguments: (server) => [CHAINCODE_MAIN, JSON.stringify(chaincodeOptions(prepared, server))],
    onProgress: () => undefined,
  });
  return {
    prepared,
    network,
    client: (wish) => {
      const client = connectClient(prepared, wish);
      clients.push(client);
      return client;
    },
    stop: async () => {
      for (const client of clients) client.close();
      await network.stop();
      if (!options.prepared) rmSync(prepared.stateDir, { recursive: true, force: true });
    },
  };
}

function chaincodeOptions({ definition }: PreparedState, { address, tlsDir }: ChaincodeServer): ChaincodeOptions {
  const { key, cert, ca } = tlsFiles(tlsDir);
  return { address, packageId: definition.packageId, tls: { key, cert, clientCa: ca } };
}
