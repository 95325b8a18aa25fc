import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { type Commit, CommitError, CommitStatusError, EndorseError, GatewayError } from '@hyperledger/fabric-gateway';
import { gateway as gatewayMessages } from '@hyperledger/fabric-protos';
import { serializedIdentity } from '@salus/network/identity/signer';
import {
  plainIdentity,
  run,
  startTestLedger,
  take,
  type TestClient,
  type TestLedger,
} from '../../support/embedded-network.js';

/** What a call failed with; details with their addresses left out. */
async function failure(call: Promise<unknown>): Promise<GatewayError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error));
    return error;
  }
  throw new Error('the call succeeded');
}

const details = (error: GatewayError): string[] => error.details.map(({ mspId, message }) => `${mspId}: ${message}`);
/** The text of a gRPC error without the name of its code. */
const text = (error: GatewayError): string => error.message.replace(/^\d+ [A-Z_]+: /, '');

describe('errors of the embedded ledger as the Fabric gateway client gives them', function () {
  this.timeout(60_000);
  let ledger: TestLedger;
  let stmary: TestClient;
  let acme: TestClient;

  before(async () => {
    ledger = await startTestLedger({ overrides: { peers: { stmary: 2 } } });
    stmary = ledger.client({ member: 'stmary' });
    acme = ledger.client({ member: 'acme' });
  });

  after(() => ledger.stop());

  const evaluate = (client: TestClient, ...operations: string[][]): Promise<Uint8Array> =>
    client.contract.evaluateTransaction(...(run(...operations) as [string, string]));
  const endorse = (client: TestClient, ...operations: string[][]) =>
    client.contract.newProposal('run', { arguments: run(...operations).slice(1) }).endorse();

  it('a chaincode that throws: UNKNOWN from evaluate, with the text', async () => {
    const error = await failure(evaluate(acme, ['throw', 'not today']));
    assert.equal(error.code, status.UNKNOWN);
    assert.equal(text(error), 'evaluate call to endorser returned error: chaincode response 500, not today');
    assert.deepEqual(details(error), ['AcmeMSP: chaincode response 500, not today']);
    assert.ok(!(error instanceof EndorseError));
  });

  it('a chaincode that throws: ABORTED from endorse, once for each own peer', async () => {
    const error = await failure(endorse(stmary, ['throw', 'not today']));
    assert.ok(error instanceof EndorseError);
    assert.match(error.transactionId, /^[0-9a-f]{64}$/);
    assert.equal(error.code, status.ABORTED);
    assert.equal(text(error), 'failed to endorse transaction, see attached details for more info');
    const refusal = 'StmaryMSP: chaincode response 500, not today';
    assert.deepEqual(details(error), [refusal, refusal]);
    assert.equal(new Set(error.details.map(({ address }) => address)).size, 2);
  });

  it('a chaincode response under 400 is a success, one of 404 an error without payload', async () => {
    assert.equal(Buffer.from(await evaluate(acme, ['respond', '302', '', 'moved'])).toString(), 'moved');
    const error = await failure(evaluate(acme, ['respond', '404', 'gone']));
    assert.equal(text(error), 'evaluate call to endorser returned error: chaincode response 404, gone');
  });

  it('members whose results differ: ABORTED, naming those that differ from the first', async () => {
    const error = await failure(endorse(acme, ['unequal', 'key']));
    assert.equal(error.code, status.ABORTED);
    assert.equal(text(error), 'failed to collect enough transaction endorsements, see attached details for more info');
    assert.ok(error.details.length > 0);
    assert.ok(details(error).every((detail) => detail.endsWith('MSP: ProposalResponsePayloads do not match')));
    assert.ok(error.details.every(({ mspId }) => mspId !== 'AcmeMSP'));
  });

  it('an unknown organisation: UNAVAILABLE from endorse, FAILED_PRECONDITION from evaluate', async () => {
    const options = { arguments: run(['get', 'key']).slice(1), endorsingOrganizations: ['NoneMSP'] };
    const endorsing = await failure(acme.contract.submit('run', options));
    assert.equal(endorsing.code, status.UNAVAILABLE);
    assert.equal(text(endorsing), 'failed to find any endorsing peers for org(s): NoneMSP');
    const evaluating = await failure(acme.contract.evaluate('run', options));
    assert.equal(evaluating.code, status.FAILED_PRECONDITION);
    assert.equal(text(evaluating), 'no peers available to evaluate chaincode salus in channel health');
  });

  it('an unknown chaincode: FAILED_PRECONDITION from both, in different words', async () => {
    const none = acme.network.getContract('none');
    const evaluating = await failure(none.evaluateTransaction('run'));
    assert.equal(evaluating.code, status.FAILED_PRECONDITION);
    assert.equal(text(evaluating), 'no peers available to evaluate chaincode none in channel health');
    const endorsing = await failure(none.submitTransaction('run'));
    assert.equal(endorsing.code, status.FAILED_PRECONDITION);
    assert.equal(
      text(endorsing),
      'no combination of peers can be derived which satisfy the endorsement policy: No metadata was found for chaincode none in channel health',
    );
  });

  it('an unknown channel: UNAVAILABLE from evaluate, FAILED_PRECONDITION from endorse', async () => {
    const elsewhere = acme.gateway.getNetwork('elsewhere').getContract('salus');
    const evaluating = await failure(elsewhere.evaluateTransaction('run'));
    assert.equal(evaluating.code, status.UNAVAILABLE);
    assert.equal(
      text(evaluating),
      'failed to get config for channel [elsewhere]: could not get last config for channel elsewhere',
    );
    const endorsing = await failure(elsewhere.submitTransaction('run'));
    assert.equal(endorsing.code, status.FAILED_PRECONDITION);
    assert.match(text(endorsing), /No metadata was found for chaincode salus in channel elsewhere$/);
  });

  it('no channel or chaincode name: INVALID_ARGUMENT from evaluate', async () => {
    const unnamed = await failure(acme.gateway.getNetwork('').getContract('salus').evaluateTransaction('run'));
    assert.equal(unnamed.code, status.INVALID_ARGUMENT);
    assert.equal(text(unnamed), 'failed to unpack transaction proposal: no channel id provided');
    const without = await failure(acme.network.getContract('').evaluateTransaction('run'));
    assert.equal(
      text(without),
      'failed to unpack transaction proposal: no chaincode name is provided, channel id [health]',
    );
  });

  it('a signature that does not hold: FAILED_PRECONDITION from evaluate, ABORTED from endorse', async () => {
    const forged = ledger.client({ member: 'acme', options: { signer: () => Promise.resolve(Buffer.from('no')) } });
    const evaluating = await failure(evaluate(forged, ['get', 'key']));
    assert.equal(evaluating.code, status.FAILED_PRECONDITION);
    const refusal = 'error validating proposal: access denied: channel [health] creator org [AcmeMSP]';
    assert.equal(text(evaluating), `evaluate call to endorser returned error: ${refusal}`);
    const endorsing = await failure(endorse(forged, ['get', 'key']));
    assert.equal(endorsing.code, status.ABORTED);
    assert.deepEqual(details(endorsing), [`AcmeMSP: ${refusal}`]);
  });

  it('a bad signature at a remote peer: the text says that it came over the wire', async () => {
    const forged = ledger.client({ member: 'acme', options: { signer: () => Promise.resolve(Buffer.from('no')) } });
    const options = { arguments: run(['get', 'key']).slice(1), endorsingOrganizations: ['TallyMSP'] };
    const error = await failure(forged.contract.evaluate('run', options));
    assert.equal(error.code, status.UNAVAILABLE);
    assert.deepEqual(details(error), [
      'TallyMSP: rpc error: code = Unknown desc = error validating proposal: access denied: channel [health] creator org [AcmeMSP]',
    ]);
  });

  it('a private collection of others: read UNKNOWN, write and read in a transaction ABORTED', async () => {
    const error = await failure(evaluate(acme, ['privateGet', 'care', 'key']));
    assert.equal(error.code, status.UNKNOWN);
    assert.match(
      text(error),
      /tx creator does not have read access permission on privatedata in chaincodeName:salus collectionName: care/,
    );
    const writing = await failure(endorse(acme, ['privatePut', 'care', 'key', 'value']));
    assert.equal(writing.code, status.ABORTED);
    assert.match(details(writing).join(), /AcmeMSP: .*tx creator does not have write access permission/);
  });

  it('transient data that would reach members outside its collection: FAILED_PRECONDITION', async () => {
    const operations = [
      ['privateStore', 'of-acme', 'key', 'value'],
      ['put', 'public', '1'],
    ];
    const proposal = (transientData?: Record<string, Uint8Array>) =>
      acme.contract.newProposal('run', {
        arguments: run(...operations).slice(1),
        ...(transientData === undefined ? {} : { transientData }),
      });
    const error = await failure(proposal({ value: Buffer.from('secret') }).endorse());
    assert.equal(error.code, status.FAILED_PRECONDITION);
    assert.equal(
      text(error),
      'requires endorsement from organisation(s) that are not in the distribution policy of the private data collection(s): [of-acme]; retry specifying trusted endorsing organizations to protect transient data',
    );
    const [first, second] = operations;
    const open = acme.contract.newProposal('run', {
      arguments: run(['privatePut', 'of-acme', first![2]!, 'open'], second!).slice(1),
    });
    await open.endorse();
  });

  it('an envelope changed after its endorsement: ABORTED, FORBIDDEN by the orderer', async () => {
    const transaction = await endorse(acme, ['put', 'changed', '1']);
    const forged = acme.gateway.newSignedTransaction(transaction.getBytes(), Buffer.from('no signature'));
    const error = await failure(forged.submit());
    assert.equal(error.constructor.name, 'SubmitError');
    assert.equal(error.code, status.ABORTED);
    assert.equal(
      text(error),
      "received unsuccessful response from orderer: status=FORBIDDEN, info=implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy requires 1 of the 'Writers' sub-policies to be satisfied: permission denied",
    );
    assert.deepEqual(error.details, []);
  });

  it('an invalid transaction: CommitError with its code', async () => {
    const options = { arguments: run(['put', 'few', '1']).slice(1), endorsingOrganizations: ['AcmeMSP'] };
    await assert.rejects(acme.contract.submit('run', options), (error) => {
      assert.ok(error instanceof CommitError);
      assert.equal(error.code, 10);
      const name = `Transaction ${error.transactionId} failed to commit with status code 10 (ENDORSEMENT_POLICY_FAILURE)`;
      assert.equal(error.message, name);
      return true;
    });
  });

  it('an unknown transaction id: waits until the client gives up', async () => {
    const deadline = () => ({ deadline: Date.now() + 300 });
    const hasty = ledger.client({ member: 'acme', options: { commitStatusOptions: deadline } });
    const transaction = await endorse(hasty, ['put', 'never', '1']);
    const status_ = await failure(commitOf(hasty, transaction.getTransactionId()).getStatus());
    assert.ok(status_ instanceof CommitStatusError);
    assert.equal(status_.code, status.DEADLINE_EXCEEDED);
  });

  it('chaincode events for a client that is no gateway: PERMISSION_DENIED', async () => {
    const plain = ledger.client({ member: 'acme', as: await plainIdentity(ledger.prepared, 'acme') });
    const events = await plain.network.getChaincodeEvents('salus');
    const error = await failure(take(events, 1));
    assert.equal(error.code, status.PERMISSION_DENIED);
    assert.equal(
      text(error),
      'failed evaluating policy on signed data during check policy [/Channel/Application/BlockReaders]: [signature set did not satisfy policy]',
    );
  });

  it('chaincode events of an unknown channel: PERMISSION_DENIED', async () => {
    const events = await acme.gateway.getNetwork('elsewhere').getChaincodeEvents('salus');
    const error = await failure(take(events, 1));
    assert.equal(error.code, status.PERMISSION_DENIED);
    assert.equal(text(error), 'Failed to get policy manager for channel [elsewhere]');
  });

  it('more calls than a peer takes: UNKNOWN, naming the limit', async () => {
    const hasty = ledger.client({ member: 'tally' });
    const waiting = await Promise.all(Array.from({ length: 500 }, () => hasty.network.getChaincodeEvents('salus')));
    const opened = waiting.map((events) => take(events, 1).catch(() => undefined));
    const error = await eventuallyRefused(() => evaluate(hasty, ['get', 'key']));
    assert.equal(error.code, status.UNKNOWN);
    assert.equal(text(error), 'too many requests for /gateway.Gateway, exceeding concurrency limit (500)');
    for (const events of waiting) events.close();
    await Promise.all(opened);
  });
});

/** Calls until the call is refused: the streams before it are opened concurrently. */
async function eventuallyRefused(call: () => Promise<unknown>): Promise<GatewayError> {
  for (;;) {
    try {
      await call();
    } catch (error) {
      assert.ok(error instanceof GatewayError);
      return error;
    }
  }
}

/** The commit of a transaction that was never submitted. */
function commitOf(client: TestClient, transactionId: string): Commit {
  const { mspId, credentials } = client.gateway.getIdentity();
  const request = new gatewayMessages.CommitStatusRequest();
  request.setChannelId('health');
  request.setTransactionId(transactionId);
  request.setIdentity(serializedIdentity(mspId, Buffer.from(credentials).toString()));
  const signed = new gatewayMessages.SignedCommitStatusRequest();
  signed.setRequest(request.serializeBinary());
  return client.gateway.newCommit(signed.serializeBinary());
}
