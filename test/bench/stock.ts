/** What everything else is compared with: a contract that does next to nothing, called with Fabric's own client library. */
import { rmSync } from 'node:fs';
import type { PreparedState } from '@salus/network/prepare';
import { type ClientWish, type TestClient, prepareTestState, startTestLedger } from '../support/embedded-network.js';
import { engineName } from '../support/engine.js';
import { findTestPrograms, startTestFabric } from '../support/fabric-network.js';
import { cutByDefault } from './default-batches.js';
import { type Measure, measure } from './meter.js';

/** The test chaincode on the engine that is measured. */
export interface StockNetwork {
  readonly prepared: PreparedState;
  client(wish: ClientWish): TestClient;
  stop(): Promise<void>;
}

/** Starts it, on a state that was prepared or on one of its own. */
export async function startStock(prepared?: PreparedState): Promise<StockNetwork> {
  const options = prepared === undefined ? {} : { prepared };
  return engineName === 'fabric' ? startTestFabric(await findTestPrograms(), options) : startTestLedger(options);
}

/** One value in the member's own collection, endorsed by its peer alone; resolves when it is committed and valid. */
function submits({ contract }: TestClient): (index: number) => Promise<void> {
  return async (index) => {
    const operations = [['privatePut', 'of-stmary', `bench-${index}`, 'x']];
    const proposal = contract.newProposal('run', {
      arguments: [JSON.stringify(operations)],
      endorsingOrganizations: ['StmaryMSP'],
    });
    const commit = await (await proposal.endorse()).submit();
    const status = await commit.getStatus();
    if (!status.successful) throw new Error(`commit status ${status.code}`);
  };
}

/** Submit and evaluate at our settings. The client signs natively, which is faster than the library's own signer. */
export async function baseline(): Promise<Measure[]> {
  const network = await startStock();
  try {
    const client = network.client({ member: 'stmary' });
    const submit = submits(client);
    const evaluate = async (): Promise<void> => {
      await client.contract.evaluateTransaction('run', '[]');
    };
    return [
      await measure({ name: 'empty submit', concurrency: 1, count: 100, run: submit }, {}),
      await measure({ name: 'empty submit', concurrency: 16, count: 600, run: submit }, {}),
      await measure({ name: 'empty evaluate', concurrency: 16, count: 1500, run: evaluate }, {}),
    ];
  } finally {
    await network.stop();
  }
}

/** The name of that measure. */
export const DEFAULT_BLOCKS = 'empty submit, Fabric’s default blocks';

/** The same submit, one at a time on an idle network, where blocks are cut as Fabric does by default; on Fabric alone. */
export async function defaultBatches(): Promise<Measure[]> {
  if (engineName !== 'fabric') return [];
  const prepared = await prepareTestState();
  cutByDefault(prepared);
  const network = await startStock(prepared);
  try {
    const submit = submits(network.client({ member: 'stmary' }));
    return [await measure({ name: DEFAULT_BLOCKS, concurrency: 1, count: 20, run: submit }, {})];
  } finally {
    await network.stop();
    rmSync(prepared.stateDir, { recursive: true, force: true });
  }
}
