import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hash, type ChaincodeEvent } from '@hyperledger/fabric-gateway';
import { common, gateway as gatewayMessages, peer } from '@hyperledger/fabric-protos';
import { lowS } from '@salus/network/identity/signature';
import {
  gatewayIdentity,
  run,
  startTestLedger,
  take,
  type TestClient,
  type TestLedger,
} from '../../support/embedded-network.js';

const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

/** MSP ids of those who endorsed a gateway.PreparedTransaction. */
function endorsers(prepared: Uint8Array): string[] {
  const envelope = gatewayMessages.PreparedTransaction.deserializeBinary(prepared).getEnvelope()!;
  const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
  const [action] = peer.Transaction.deserializeBinary(payload.getData_asU8()).getActionsList();
  const endorsed = peer.ChaincodeActionPayload.deserializeBinary(action!.getPayload_asU8()).getAction()!;
  return endorsed.getEndorsementsList().map((endorsement) => {
    const text = Buffer.from(endorsement.getEndorser_asU8()).toString('latin1');
    return /[A-Za-z]+MSP/.exec(text)![0];
  });
}

describe('the Fabric gateway client on the embedded ledger', function () {
  this.timeout(60_000);
  let ledger: TestLedger;
  let stmary: TestClient;
  let northside: TestClient;

  before(async () => {
    ledger = await startTestLedger({ overrides: { peers: { stmary: 2 } } });
    stmary = ledger.client({ member: 'stmary', stockSigner: true });
    northside = ledger.client({ member: 'northside' });
  });

  after(() => ledger.stop());

  const evaluate = async (client: TestClient, ...operations: string[][]): Promise<unknown> => {
    const [name, ...args] = run(...operations);
    return parse(await client.contract.evaluateTransaction(name!, ...args));
  };
  const submit = async (client: TestClient, ...operations: string[][]): Promise<unknown> => {
    const [name, ...args] = run(...operations);
    return parse(await client.contract.submitTransaction(name!, ...args));
  };

  it('submits, commits and reads back at every member', async () => {
    await submit(stmary, ['put', 'colour', 'blue']);
    assert.deepEqual(await evaluate(stmary, ['get', 'colour']), ['blue']);
    assert.deepEqual(await evaluate(northside, ['get', 'colour']), ['blue']);
  });

  it('has a majority of members endorse, its own among them', async () => {
    const proposal = stmary.contract.newProposal('run', { arguments: [JSON.stringify([['put', 'majority', '1']])] });
    const transaction = await proposal.endorse();
    const by = endorsers(transaction.getBytes());
    assert.equal(by.length, 4);
    assert.ok(by.includes('StmaryMSP'));
    const commit = await transaction.submit();
    const status = await commit.getStatus();
    assert.ok(status.successful);
    assert.equal(status.code, 0);
  });

  it('has those endorse that the client names, and lets the policy refuse too few', async () => {
    const commit = await stmary.contract.submitAsync('run', {
      arguments: [JSON.stringify([['put', 'few', '1']])],
      endorsingOrganizations: ['StmaryMSP', 'AcmeMSP'],
    });
    const status = await commit.getStatus();
    assert.equal(status.code, 10);
    assert.deepEqual(await evaluate(stmary, ['get', 'few']), ['']);
  });

  it('takes proposals, transactions and requests signed elsewhere', async () => {
    const { key } = gatewayIdentity(ledger.prepared, 'acme');
    const offline = ledger.client({ member: 'acme', options: { signer: undefined as never, hash: hash.none } });
    const signature = (digest: Uint8Array): Buffer => lowS(sign('sha256', digest, createPrivateKey(readFileSync(key))));
    const unsigned = offline.contract.newProposal('run', { arguments: [JSON.stringify([['put', 'offline', 'yes']])] });
    const proposal = offline.gateway.newSignedProposal(unsigned.getBytes(), signature(unsigned.getDigest()));
    const endorsed = await proposal.endorse();
    const transaction = offline.gateway.newSignedTransaction(endorsed.getBytes(), signature(endorsed.getDigest()));
    const submitted = await transaction.submit();
    const commit = offline.gateway.newSignedCommit(submitted.getBytes(), signature(submitted.getDigest()));
    assert.equal((await commit.getStatus()).code, 0);
    assert.deepEqual(await evaluate(stmary, ['get', 'offline']), ['yes']);
  });

  it('carries transient data to the own member alone, and stores it there', async () => {
    const proposal = stmary.contract.newProposal('run', {
      arguments: [JSON.stringify([['privateStore', 'of-stmary', 'secret', 'value']])],
      transientData: { value: Buffer.from('only here') },
    });
    const transaction = await proposal.endorse();
    assert.deepEqual(endorsers(transaction.getBytes()), ['StmaryMSP']);
    assert.ok(!Buffer.from(transaction.getBytes()).includes('only here'));
    assert.equal((await (await transaction.submit()).getStatus()).code, 0);
    assert.deepEqual(await evaluate(stmary, ['privateGet', 'of-stmary', 'secret']), ['only here']);
    const [elsewhere] = (await evaluate(northside, ['privateHash', 'of-stmary', 'secret'])) as string[];
    assert.equal(elsewhere!.length, 64);
  });

  it('has two members of a shared collection endorse, the own one among them', async () => {
    const proposal = northside.contract.newProposal('run', {
      arguments: [JSON.stringify([['privateStore', 'care', 'shared', 'value']])],
      transientData: { value: Buffer.from('for members') },
    });
    const transaction = await proposal.endorse();
    const by = endorsers(transaction.getBytes());
    assert.equal(by.length, 2);
    assert.ok(by.includes('NorthsideMSP'));
    assert.ok(by.every((mspId) => ['StmaryMSP', 'NorthsideMSP', 'AuthorityMSP'].includes(mspId)));
    assert.equal((await (await transaction.submit()).getStatus()).code, 0);
    assert.deepEqual(await evaluate(stmary, ['privateGet', 'care', 'shared']), ['for members']);
  });

  it('evaluates at the member that the client names', async () => {
    const [, operations] = run(['privateHash', 'of-stmary', 'absent']);
    const result = await stmary.contract.evaluate('run', {
      arguments: [operations!],
      endorsingOrganizations: ['TallyMSP'],
    });
    assert.deepEqual(parse(result), ['']);
  });

  it('reports a conflict of two transactions endorsed on the same state', async () => {
    await submit(stmary, ['put', 'counter', '0']);
    const operations = JSON.stringify([
      ['get', 'counter'],
      ['put', 'counter', '1'],
    ]);
    const endorse = () => stmary.contract.newProposal('run', { arguments: [operations] }).endorse();
    const both = await Promise.all([endorse(), endorse()]);
    const commits = await Promise.all(both.map((transaction) => transaction.submit()));
    const codes = (await Promise.all(commits.map((commit) => commit.getStatus()))).map(({ code }) => code);
    assert.deepEqual(codes.sort(), [0, 11]);
  });

  describe('chaincode events', () => {
    it('arrive from the next block on when no start is named', async () => {
      const events = await stmary.network.getChaincodeEvents('salus');
      await submit(northside, ['event', 'new', 'payload']);
      const [event] = await take<ChaincodeEvent>(events, 1);
      assert.equal(event!.eventName, 'new');
      assert.equal(event!.chaincodeName, 'salus');
      assert.equal(Buffer.from(event!.payload).toString(), 'payload');
    });

    it('arrive from a start block, in order, of valid transactions only', async () => {
      const start = BigInt(ledger.network.height);
      await submit(stmary, ['event', 'first', '1']);
      const refused = await stmary.contract.submitAsync('run', {
        arguments: [
          JSON.stringify([
            ['event', 'refused', ''],
            ['put', 'refused', '1'],
          ]),
        ],
        endorsingOrganizations: ['StmaryMSP'],
      });
      assert.equal((await refused.getStatus()).code, 10);
      await submit(stmary, ['event', 'second', '2']);
      const events = await stmary.network.getChaincodeEvents('salus', { startBlock: start });
      const names = (await take(events, 2)).map(({ eventName }) => eventName);
      assert.deepEqual(names, ['first', 'second']);
    });

    it('go on after a checkpoint', async () => {
      const start = BigInt(ledger.network.height);
      await submit(stmary, ['event', 'one', '']);
      await submit(stmary, ['event', 'two', '']);
      const all = await stmary.network.getChaincodeEvents('salus', { startBlock: start });
      const [one] = await take(all, 1);
      const checkpoint = { getBlockNumber: () => one!.blockNumber, getTransactionId: () => one!.transactionId };
      const rest = await stmary.network.getChaincodeEvents('salus', { checkpoint });
      const [two] = await take(rest, 1);
      assert.equal(two!.eventName, 'two');
    });
  });
});
