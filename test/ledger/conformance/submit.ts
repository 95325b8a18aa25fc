/** gateway.Gateway/Submit and CommitStatus. */
import assert from 'node:assert/strict';
import { common, gateway, peer } from '@hyperledger/fabric-protos';
import { TUNING } from '@salus/network/config/tuning';
import type { Signer } from '@salus/network/embedded/ports';
import { serializedIdentity } from '@salus/network/identity/signer';
import type { TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { adminIdentity, ordererAdminIdentity, peerIdentity } from '../../support/identities.js';
import { commit, endorse, evaluate, failureOf, propose, submit } from '../../support/ledger-calls.js';
import { RawClient, rawFailureOf } from '../../support/raw-client.js';
import { envelopeOf } from '../../support/transactions.js';
import { signerFrom } from '../../support/proposal.js';

const NOT_A_WRITER =
  "implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy requires 1 of the 'Writers' " +
  'sub-policies to be satisfied: permission denied';

export function submitSuite(engine: () => Engine): void {
  describe('submit', () => {
    let stmary: TestClient;
    let raw: RawClient;

    before(() => {
      stmary = engine().client({ member: 'stmary' });
      raw = new RawClient(engine().prepared, 'stmary');
    });
    after(() => {
      raw.close();
    });

    /** The envelope of an endorsed transaction, signed as the gateway client signs it. */
    async function signedEnvelope(): Promise<common.Envelope> {
      const envelope = envelopeOf(await endorse(stmary, [['put', 'submitted', '1']]));
      const signer = signerFrom(engine().identity('stmary'));
      envelope.setSignature(signer.sign(Buffer.from(envelope.getPayload_asU8())));
      return envelope;
    }

    it('asks for a prepared transaction', async () => {
      assert.deepEqual(await rawFailureOf(raw.submit(undefined, 'health')), {
        code: 'INVALID_ARGUMENT',
        message: 'a prepared transaction is required',
      });
    });

    it('asks for a signature', async () => {
      const envelope = await signedEnvelope();
      envelope.setSignature('');
      assert.deepEqual(await rawFailureOf(raw.submit(envelope, 'health')), {
        code: 'INVALID_ARGUMENT',
        message: 'prepared transaction must be signed',
      });
    });

    it('does not know another channel', async () => {
      const failure = await rawFailureOf(raw.submit(await signedEnvelope(), 'elsewhere'));
      assert.equal(failure.code, 'FAILED_PRECONDITION');
      assert.match(failure.message, /^failed to get config for channel \[elsewhere\]: /);
    });

    it('hands on that the orderer does not take the signature', async () => {
      const transaction = await endorse(stmary, [['put', 'unsigned', '1']]);
      const bent = stmary.gateway.newSignedTransaction(transaction.getBytes(), Buffer.from('no signature'));
      assert.deepEqual(await failureOf(bent.submit()), {
        error: 'SubmitError',
        code: 'ABORTED',
        message: `received unsuccessful response from orderer: status=FORBIDDEN, info=${NOT_A_WRITER}`,
        details: [],
      });
    });

    it('hands on that the transaction is larger than the channel allows', async () => {
      const envelope = await signedEnvelope();
      const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
      payload.setData(Buffer.alloc(TUNING.absoluteMaxBytes));
      envelope.setPayload(payload.serializeBinary());
      envelope.setSignature(signerFrom(engine().identity('stmary')).sign(Buffer.from(envelope.getPayload_asU8())));
      const failure = await rawFailureOf(raw.submit(envelope, 'health'));
      assert.equal(failure.code, 'ABORTED');
      assert.match(
        failure.message,
        /^received unsuccessful response from orderer: status=BAD_REQUEST, info=message payload is \d+ bytes and exceeds maximum allowed 33554432 bytes$/,
      );
    });
  });

  describe('commit status', () => {
    let stmary: TestClient;
    before(() => {
      stmary = engine().client({ member: 'stmary' });
    });

    it('tells code and block of a transaction committed before, at once', async () => {
      const submitted = await (await endorse(stmary, [['put', 'status', '1']])).submit();
      const first = await submitted.getStatus();
      const again = await stmary.gateway.newCommit(submitted.getBytes()).getStatus();
      assert.deepEqual(again, first);
      assert.equal(first.code, peer.TxValidationCode.VALID);
      assert.ok(first.blockNumber > 0n);
    });

    it('tells an invalid code as an answer, which the client library makes a CommitError', async () => {
      const invalid = await commit(stmary, [['put', 'few', '1']], { endorsingOrganizations: ['StmaryMSP'] });
      assert.equal(invalid.code, peer.TxValidationCode.ENDORSEMENT_POLICY_FAILURE);
      const call = stmary.contract.submit('run', {
        arguments: [JSON.stringify([['put', 'few', '1']])],
        endorsingOrganizations: ['StmaryMSP'],
      });
      assert.deepEqual(await failureOf(call), {
        error: 'CommitError',
        code: '10',
        message: 'Transaction <id> failed to commit with status code 10 (ENDORSEMENT_POLICY_FAILURE)',
        details: [],
      });
    });

    it('waits for an unknown transaction until the client gives up', async () => {
      const transaction = await endorse(stmary, [['put', 'never', 'submitted']]);
      const commitBytes = commitRequest(transaction.getTransactionId(), 'health', stmary);
      const call = stmary.gateway.newCommit(commitBytes).getStatus({ deadline: Date.now() + 500 });
      const failure = await failureOf(call);
      assert.equal(failure.error, 'CommitStatusError');
      // The peer knows the deadline too, and may be the first to notice it.
      assert.match(failure.code, /^(DEADLINE_EXCEEDED|CANCELLED)$/);
    });

    it('may be asked by a peer and an administrator of a member', async () => {
      const { transactionId } = await submit(stmary, [['put', 'readers', '1']]);
      for (const as of [peerIdentity(engine().prepared, 'stmary'), adminIdentity(engine().prepared, 'tally')]) {
        const reader = engine().client({ member: 'stmary', as });
        const status = await reader.gateway.newCommit(commitRequest(transactionId, 'health', reader)).getStatus();
        assert.equal(status.successful, true);
      }
    });

    it('is refused to the administrator of an orderer', async () => {
      const { transactionId } = await submit(stmary, [['put', 'readers', '2']]);
      const stranger = engine().client({ member: 'stmary', as: ordererAdminIdentity(engine().prepared, 'stmary') });
      const call = stranger.gateway.newCommit(commitRequest(transactionId, 'health', stranger)).getStatus();
      assert.deepEqual(await failureOf(call), {
        error: 'CommitStatusError',
        code: 'PERMISSION_DENIED',
        message:
          'Failed evaluating policy on signed data during check policy on channel [health] with policy ' +
          '[/Channel/Application/Readers]: [implicit policy evaluation failed - 0 sub-policies were satisfied, but this ' +
          "policy requires 1 of the 'Readers' sub-policies to be satisfied]",
        details: [],
      });
    });

    it('is refused for another channel as if the permission were missing', async () => {
      const { transactionId } = await submit(stmary, [['put', 'readers', '3']]);
      const call = stmary.gateway.newCommit(commitRequest(transactionId, 'elsewhere', stmary)).getStatus();
      assert.deepEqual(await failureOf(call), {
        error: 'CommitStatusError',
        code: 'PERMISSION_DENIED',
        message: 'Failed to get policy manager for channel [elsewhere]',
        details: [],
      });
    });

    it('is refused with a bad signature', async () => {
      const { transactionId } = await submit(stmary, [['put', 'readers', '4']]);
      const bent = stmary.gateway.newSignedCommit(
        commitRequest(transactionId, 'health', stmary),
        Buffer.from('no signature'),
      );
      assert.equal((await failureOf(bent.getStatus())).code, 'PERMISSION_DENIED');
    });
  });

  describe('offline signing', () => {
    it('takes proposal, transaction and commit status signed elsewhere', async () => {
      const stmary = engine().client({ member: 'stmary' });
      const offline = signerFrom(engine().identity('stmary'));
      const unable = engine().client({
        member: 'stmary',
        options: { signer: () => Promise.reject(new Error('this client has no key')) },
      });
      const unsigned = propose(stmary, [['put', 'offline', 'signed']]);
      const proposal = unable.gateway.newSignedProposal(unsigned.getBytes(), signatureOf(offline, unsigned.getBytes()));
      const endorsed = await proposal.endorse();
      const transaction = unable.gateway.newSignedTransaction(
        endorsed.getBytes(),
        offline.sign(Buffer.from(envelopeOf(endorsed).getPayload_asU8())),
      );
      const submitted = await transaction.submit();
      const request = gateway.SignedCommitStatusRequest.deserializeBinary(submitted.getBytes());
      const commitCall = unable.gateway.newSignedCommit(
        submitted.getBytes(),
        offline.sign(Buffer.from(request.getRequest_asU8())),
      );
      assert.equal((await commitCall.getStatus()).successful, true);
      assert.deepEqual(await evaluate(stmary, [['get', 'offline']]), ['signed']);
    });
  });
}

/** The signature over the proposal in what the client library hands out to be signed. */
function signatureOf(signer: Signer, proposedTransaction: Uint8Array): Buffer {
  const proposed = gateway.ProposedTransaction.deserializeBinary(proposedTransaction);
  return signer.sign(Buffer.from(proposed.getProposal()!.getProposalBytes_asU8()));
}

/** A gateway.SignedCommitStatusRequest to be signed. */
function commitRequest(txId: string, channel: string, client: TestClient): Uint8Array {
  const request = new gateway.CommitStatusRequest();
  request.setTransactionId(txId);
  request.setChannelId(channel);
  const { mspId, credentials } = client.gateway.getIdentity();
  request.setIdentity(serializedIdentity(mspId, Buffer.from(credentials).toString()));
  const signed = new gateway.SignedCommitStatusRequest();
  signed.setRequest(request.serializeBinary());
  return signed.serializeBinary();
}
