import assert from 'node:assert/strict';
import { startTestLedger, type TestClient, type TestLedger } from '../../support/embedded-network.js';

const run = (...operations: string[][]): string[] => ['run', JSON.stringify(operations)];
const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

describe('the Fabric gateway client on the embedded ledger', function () {
  this.timeout(60_000);
  let ledger: TestLedger;
  let stmary: TestClient;

  before(async () => {
    ledger = await startTestLedger({ overrides: { peers: { stmary: 2 } } });
    stmary = ledger.client({ member: 'stmary' });
  });

  after(() => ledger.stop());

  it('submits, commits and reads back', async () => {
    const [name, ...args] = run(['put', 'color', 'blue']);
    await stmary.contract.submitTransaction(name!, ...args);
    const read = await stmary.contract.evaluateTransaction(...(run(['get', 'color']) as [string, string]));
    assert.deepEqual(parse(read), ['blue']);
  });
});
