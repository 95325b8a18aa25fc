import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { GatewayError } from '@hyperledger/fabric-gateway';
import { tlsFiles } from '@salus/network/identity/layout';
import { memberOf } from '@salus/network/topology';
import { startEmbedded } from '@salus/network/embedded/node/network';
import { rmSync } from 'node:fs';
import { ChaincodeProcess } from '../../support/chaincode-process.js';
import { connectClient, prepareTestState, startTestLedger, take } from '../../support/embedded-network.js';
import { endorse, evaluate, submit } from '../../support/ledger-calls.js';

const DAY = 24 * 3_600_000;

async function refusal(call: Promise<unknown>): Promise<GatewayError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof GatewayError, String(error));
  return error;
}

describe('ways to start the embedded ledger', function () {
  this.timeout(60_000);

  it("with each member's own chaincode process", async () => {
    const prepared = await prepareTestState();
    const network = await startEmbedded({ stateDir: prepared.stateDir, chaincodePerMember: true });
    const { host, chaincodePort } = memberOf(prepared.topology, 'stmary');
    const own = prepared.material.members.find(({ name }) => name === 'stmary')!;
    const { key, cert, ca } = tlsFiles(own.chaincodeTlsDir);
    const chaincode = await ChaincodeProcess.start({
      address: `${host}:${chaincodePort}`,
      packageId: prepared.definition.packageId,
      tls: { key, cert, clientCa: ca },
    });
    const [stmary, acme] = ['stmary', 'acme'].map((member) => connectClient(prepared, { member }));
    try {
      assert.deepEqual(await evaluate(stmary!, [['creator']]), ['StmaryMSP']);
      const error = await refusal(evaluate(acme!, [['creator']], { endorsingOrganizations: ['AcmeMSP'] }));
      assert.equal(error.code, status.ABORTED);
      assert.match(error.details[0]!.message, /could not launch chaincode/);
    } finally {
      stmary!.close();
      acme!.close();
      await network.stop();
      await chaincode.kill();
      rmSync(prepared.stateDir, { recursive: true, force: true });
    }
  });

  it('with blocks cut by time, so that transactions share one', async () => {
    const ledger = await startTestLedger({ timedBlocks: true });
    try {
      const client = ledger.client({ member: 'acme' });
      const endorsed = await Promise.all(['a', 'b', 'c'].map((key) => endorse(client, [['put', key, '1']])));
      const commits = await Promise.all(endorsed.map((transaction) => transaction.submit()));
      const statuses = await Promise.all(commits.map((commit) => commit.getStatus()));
      assert.equal(new Set(statuses.map(({ blockNumber }) => blockNumber)).size, 1);
    } finally {
      await ledger.stop();
    }
  });

  it('with its clocks shifted: requests for blocks fall out of the time window', async () => {
    const ledger = await startTestLedger({ clockOffsetMs: 16 * 60_000 });
    try {
      const client = ledger.client({ member: 'acme' });
      await submit(client, [['put', 'time', 'is no matter of proposals']]);
      const events = await client.network.getBlockEvents({ startBlock: 0n });
      await assert.rejects(take(events, 1), { message: 'Unexpected status response: 400' });
    } finally {
      await ledger.stop();
    }
  });

  it('with its clocks beyond the certificates: what a gateway still takes and an orderer refuses', async () => {
    const prepared = await prepareTestState();
    await (await startEmbedded({ stateDir: prepared.stateDir })).stop();
    const ledger = await startTestLedger({ prepared, clockOffsetMs: 400 * DAY });
    try {
      const client = ledger.client({ member: 'acme' });
      assert.deepEqual(await evaluate(client, [['get', 'key']]), ['']);
      const remote = await refusal(evaluate(client, [['get', 'key']], { endorsingOrganizations: ['TallyMSP'] }));
      assert.match(remote.details[0]!.message, /proposal client identity expired$/);
      const transaction = await endorse(client, [['privatePut', 'of-acme', 'key', '1']]);
      const ordering = await refusal(transaction.submit());
      assert.equal(ordering.code, status.ABORTED);
      assert.match(
        ordering.message,
        /received unsuccessful response from orderer: status=BAD_REQUEST, info=broadcast client identity expired$/,
      );
    } finally {
      await ledger.stop();
      rmSync(prepared.stateDir, { recursive: true, force: true });
    }
  });
});
