/** Limits and time: what a peer refuses when there is too much of it, or too late. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ClientUnaryCall } from '@grpc/grpc-js';
import { gateway } from '@hyperledger/fabric-protos';
import { serializedIdentity } from '@salus/network/identity/signer';
import type { TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { endorse, evaluate, evaluateOnceSeen, failureOf, submit } from '../../support/ledger-calls.js';
import { signedProposal, signerFrom } from '../../support/proposal.js';
import { RawClient, rawFailureOf } from '../../support/raw-client.js';
import { endorsersOf } from '../../support/transactions.js';

const YEAR_MS = 366 * 24 * 3_600_000;

export function limitSuite(engine: () => Engine): void {
  describe('a member whose chaincode is down', () => {
    let stmary: TestClient;
    before(async () => {
      stmary = engine().client({ member: 'stmary' });
      await engine().killChaincode('northside');
    });
    after(() => engine().startChaincode('northside'));

    it('is replaced by others that satisfy a majority', async function () {
      this.timeout(60_000);
      const transaction = await endorse(stmary, [['put', 'a14', 'x']]);
      assert.equal(endorsersOf(transaction).includes('NorthsideMSP'), false);
      assert.equal((await (await transaction.submit()).getStatus()).successful, true);
    });

    it('fails its own endorsement, which nobody else takes over', async function () {
      this.timeout(60_000);
      const northside = engine().client({ member: 'northside' });
      const failure = await failureOf(endorse(northside, [['put', 'a11', 'x']]));
      assert.equal(failure.code, 'ABORTED');
      assert.equal(failure.message, 'failed to endorse transaction, see attached details for more info');
      assert.equal(failure.details.length, 1);
      assert.match(failure.details[0]!, /^NorthsideMSP: .*could not launch chaincode /);
    });

    it('has its evaluations run by another', async function () {
      this.timeout(60_000);
      const northside = engine().client({ member: 'northside' });
      assert.deepEqual(await evaluateOnceSeen(northside, [['get', 'a14']], ['x']), ['x']);
    });
  });

  describe('a peer’s gateway', () => {
    it('takes so many calls at once and refuses the next', async () => {
      const raw = new RawClient(engine().prepared, 'tally');
      const client = engine().client({ member: 'tally' });
      const { mspId, credentials } = client.gateway.getIdentity();
      const signer = signerFrom(engine().identity('tally'));
      const request = new gateway.CommitStatusRequest();
      request.setTransactionId(randomBytes(32).toString('hex'));
      request.setChannelId('health');
      request.setIdentity(serializedIdentity(mspId, Buffer.from(credentials).toString()));
      const signed = new gateway.SignedCommitStatusRequest();
      signed.setRequest(request.serializeBinary());
      signed.setSignature(signer.sign(Buffer.from(request.serializeBinary())));
      const calls: ClientUnaryCall[] = [];
      const oneMore = Array.from(
        { length: engine().gatewayLimit + 1 },
        () =>
          new Promise((_resolve, reject) => {
            calls.push(raw.gateway.commitStatus(signed, reject));
          }),
      );
      try {
        // All of them wait for a transaction that never comes; only a refusal ends one.
        assert.deepEqual(await rawFailureOf(Promise.race(oneMore)), {
          code: 'UNKNOWN',
          message: `too many requests for /gateway.Gateway, exceeding concurrency limit (${engine().gatewayLimit})`,
        });
      } finally {
        for (const call of calls) call.cancel();
        await Promise.allSettled(oneMore);
        raw.close();
      }
      assert.deepEqual(await evaluate(client, [['get', 'absent']]), ['']);
    });
  });

  describe('an expired certificate', () => {
    before(async function () {
      if (engine().name !== 'embedded') this.skip();
      await submit(engine().client({ member: 'stmary' }), [['put', 'b6', 'x']]);
      await engine().restart({ clockOffsetMs: 2 * YEAR_MS });
    });
    after(async () => {
      if (engine().name === 'embedded') await engine().restart();
    });

    it('is taken by the own peer’s gateway and refused by the orderer', async () => {
      const stmary = engine().client({ member: 'stmary' });
      assert.deepEqual(await evaluate(stmary, [['get', 'b6']]), ['x']);
      const transaction = await endorse(stmary, [['put', 'b6', 'y']], { endorsingOrganizations: ['StmaryMSP'] });
      assert.deepEqual(await failureOf(transaction.submit()), {
        error: 'SubmitError',
        code: 'ABORTED',
        message:
          'received unsuccessful response from orderer: status=BAD_REQUEST, info=broadcast client identity expired',
        details: [],
      });
    });

    it('is refused by a peer that is asked directly, and by one of another member', async () => {
      const stmary = engine().client({ member: 'stmary' });
      const raw = new RawClient(engine().prepared, 'stmary');
      try {
        const signer = signerFrom(engine().identity('stmary'));
        const parts = { channel: 'health', chaincode: 'salus', args: ['run', '[]'] };
        assert.deepEqual(await rawFailureOf(raw.process(signedProposal(signer, parts).message)), {
          code: 'UNKNOWN',
          message: 'proposal client identity expired',
        });
        const call = evaluate(stmary, [['get', 'b6']], { endorsingOrganizations: ['AcmeMSP'] });
        const failure = await failureOf(call);
        assert.deepEqual(
          [failure.code, failure.details],
          ['UNAVAILABLE', ['AcmeMSP: rpc error: code = Unknown desc = proposal client identity expired']],
        );
      } finally {
        raw.close();
      }
    });
  });
}
