/** What a peer checks of a proposal before it runs it, asked directly and through the gateway. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { common, gateway, msp, type peer } from '@hyperledger/fabric-protos';
import type { Signer } from '@salus/network/embedded/ports';
import { Authority } from '@salus/network/identity/authority';
import { layout } from '@salus/network/identity/layout';
import { serializedIdentity } from '@salus/network/identity/signer';
import type { Engine } from '../../support/engine.js';
import { adminIdentity, ordererAdminIdentity, peerIdentity } from '../../support/identities.js';
import { highS, signedProposal, signer, signerFrom, type ProposalParts } from '../../support/proposal.js';
import { RawClient, rawFailureOf } from '../../support/raw-client.js';

const DENIED = 'error validating proposal: access denied: channel [health] creator org [StmaryMSP]';
const MALFORMED =
  'error validating proposal: access denied: channel [health] creator org unknown, creator is malformed';
const NOT_A_WRITER =
  'Failed evaluating policy on signed data during check policy on channel [health] with policy ' +
  '[/Channel/Application/Writers]: [implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy ' +
  "requires 1 of the 'Writers' sub-policies to be satisfied]";

export function proposalSuite(engine: () => Engine): void {
  describe('a proposal', () => {
    let raw: RawClient;
    let stmary: Signer;

    before(() => {
      raw = new RawClient(engine().prepared, 'stmary');
      stmary = signerFrom(engine().identity('stmary'));
    });
    after(() => {
      raw.close();
    });

    const parts: ProposalParts = { channel: 'health', chaincode: 'salus', args: ['run', '[["get","a"]]'] };
    const made = (bent: Partial<ProposalParts> = {}, by = stmary) => signedProposal(by, { ...parts, ...bent }).message;

    /** A peer refuses it as a gRPC error, and so does the gateway, which is of the same peer, by its own codes. */
    async function assertRefused(proposal: peer.SignedProposal, message: string): Promise<void> {
      assert.deepEqual(await rawFailureOf(raw.process(proposal)), { code: 'UNKNOWN', message });
      assert.deepEqual(await rawFailureOf(raw.evaluate(proposal)), {
        code: 'FAILED_PRECONDITION',
        message: `evaluate call to endorser returned error: ${message}`,
      });
      assert.equal((await rawFailureOf(raw.endorse(proposal))).code, 'ABORTED');
    }

    it('is answered with status 200 when nothing is wrong', async () => {
      const response = await raw.process(made());
      assert.equal(response.getResponse()?.getStatus(), 200);
      assert.equal((await raw.evaluate(made())).getResult()?.getStatus(), 200);
    });

    it('is refused with another header type', async () => {
      const proposal = made({ headerType: common.HeaderType.MESSAGE });
      await assertRefused(proposal, 'error validating proposal: invalid header type MESSAGE');
    });

    it('is taken with the header type of a configuration', async () => {
      const response = await raw.process(made({ headerType: common.HeaderType.CONFIG }));
      assert.equal(response.getResponse()?.getStatus(), 200);
    });

    it('is refused with an epoch', () =>
      assertRefused(made({ epoch: 1 }), 'error validating proposal: epoch is non-zero'));

    it('is refused without a nonce', () =>
      assertRefused(made({ nonce: Buffer.alloc(0) }), 'error validating proposal: nonce is empty'));

    it('is refused with a transaction id of its own choice', () =>
      assertRefused(
        made({ txId: 'ab'.repeat(32) }),
        "error validating proposal: incorrectly computed txid '<id>' -- expected '<id>'",
      ));

    it('is refused without a signature', () =>
      assertRefused(made({ bend: () => Buffer.alloc(0) }), 'error validating proposal: empty signature bytes'));

    it('is refused with a wrong signature', () =>
      assertRefused(made({ bend: () => Buffer.from('no signature') }), DENIED));

    it('is refused with the same signature in its other form, s above half the order', () =>
      assertRefused(made({ bend: highS }), DENIED));

    it('is refused from an unknown organisation', () =>
      assertRefused(made({ creator: renamed(stmary, 'NowhereMSP') }), MALFORMED));

    it('is refused when the certificate is none', () =>
      assertRefused(made({ creator: serializedIdentity('StmaryMSP', 'no certificate') }), MALFORMED));

    it('is refused when another organisation issued the certificate', () =>
      assertRefused(made({ creator: renamed(signerFrom(engine().identity('acme')), 'StmaryMSP') }), MALFORMED));

    it('is refused from a certificate without role, with an unknown one, or with two', async () => {
      const files = layout.authority(layout.member(engine().prepared.stateDir, 'stmary'));
      const authority = Authority.load({
        certificate: readFileSync(files.cert, 'utf8'),
        key: readFileSync(files.key, 'utf8'),
      });
      const subject = { organisation: 'stmary', name: 'odd' };
      for (const { certificate, key } of [
        await authority.tls(subject, ['127.0.0.1']),
        await authority.tls({ ...subject, units: ['gateway'] }, ['127.0.0.1']),
        await authority.identity({ ...subject, units: ['admin'] }, 'client'),
      ]) {
        await assertRefused(made({}, signer('StmaryMSP', certificate, key)), DENIED);
      }
    });

    it('is refused from a peer, and from the administrator of an orderer', async () => {
      for (const identity of [
        peerIdentity(engine().prepared, 'stmary'),
        ordererAdminIdentity(engine().prepared, 'stmary'),
      ]) {
        await assertRefused(made({}, signerFrom(identity)), NOT_A_WRITER);
      }
    });

    it('is taken from an administrator of a member', async () => {
      const response = await raw.process(made({}, signerFrom(adminIdentity(engine().prepared, 'tally'))));
      assert.equal(response.getResponse()?.getStatus(), 200);
    });

    it('is taken however old or far ahead its time is', async () => {
      for (const time of [new Date('1970-01-02'), new Date('2096-01-01')]) {
        assert.equal((await raw.process(made({ time }))).getResponse()?.getStatus(), 200);
      }
    });

    it('is refused once its transaction id is in the ledger, valid or not', async () => {
      const client = engine().client({ member: 'stmary' });
      for (const endorsingOrganizations of [undefined, ['StmaryMSP']]) {
        const proposal = client.contract.newProposal('run', {
          arguments: ['[["put","duplicate","1"]]'],
          ...(endorsingOrganizations ? { endorsingOrganizations } : {}),
        });
        await (await (await proposal.endorse()).submit()).getStatus();
        const again = gateway.ProposedTransaction.deserializeBinary(proposal.getBytes()).getProposal()!;
        const failure = await rawFailureOf(raw.process(again));
        assert.deepEqual(failure, {
          code: 'UNKNOWN',
          message: 'duplicate transaction found [<id>]. Creator [<creator>]',
        });
      }
    });

    it('is refused while the same is under way at the peer', async () => {
      const twice = made({ args: ['run', '[["sleep","300"]]'] });
      const both = await Promise.all([raw.process(twice), raw.process(twice)]);
      const [run, refused] = both
        .map((answer) => answer.getResponse()!)
        .sort((left, right) => left.getStatus() - right.getStatus());
      assert.deepEqual([run!.getStatus(), refused!.getStatus()], [200, 500]);
      assert.match(refused!.getMessage(), /error sending: txid: [0-9a-f]{64}\(health\) exists$/);
    });

    it('is answered with status 500 for another channel', async () => {
      const response = (await raw.process(made({ channel: 'elsewhere' }))).getResponse();
      assert.deepEqual([response?.getStatus(), response?.getMessage()], [500, "channel 'elsewhere' not found"]);
    });

    it('is answered with status 500 for a chaincode that is not defined', async () => {
      const response = (await raw.process(made({ chaincode: 'nope' }))).getResponse();
      assert.equal(response?.getStatus(), 500);
      assert.equal(
        response.getMessage(),
        'make sure the chaincode nope has been successfully defined on channel health and try again: chaincode nope not found',
      );
    });

    it('is refused without the name of a chaincode', async () => {
      assert.deepEqual(await rawFailureOf(raw.process(made({ chaincode: '' }))), {
        code: 'UNKNOWN',
        message: 'ChaincodeHeaderExtension.ChaincodeId.Name is empty',
      });
    });

    it('is refused by evaluate without channel, and without chaincode', async () => {
      const unpack = 'failed to unpack transaction proposal: ';
      assert.deepEqual(await rawFailureOf(raw.evaluate(made({ channel: '' }))), {
        code: 'INVALID_ARGUMENT',
        message: `${unpack}no channel id provided`,
      });
      assert.deepEqual(await rawFailureOf(raw.evaluate(made({ chaincode: '' }))), {
        code: 'INVALID_ARGUMENT',
        message: `${unpack}no chaincode name is provided, channel id [health]`,
      });
    });

    it('counts, not the fields beside it in the request', async () => {
      const answer = await raw.evaluate(made(), 'not the id', 'not the channel');
      assert.equal(answer.getResult()?.getStatus(), 200);
    });
  });
}

/** The same certificate under another MSP id. */
function renamed(by: Signer, mspId: string): Buffer {
  const identity = msp.SerializedIdentity.deserializeBinary(by.identity);
  identity.setMspid(mspId);
  return Buffer.from(identity.serializeBinary());
}
