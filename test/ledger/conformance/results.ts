/** What endorsers sign: read-write sets, response payload, signatures. */
import assert from 'node:assert/strict';
import { createHash, verify, X509Certificate } from 'node:crypto';
import { msp, peer } from '@hyperledger/fabric-protos';
import { isLowS } from '@salus/network/identity/signature';
import type { TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { endorse, evaluate, submit } from '../../support/ledger-calls.js';
import { signedProposal, signerFrom } from '../../support/proposal.js';
import { RawClient } from '../../support/raw-client.js';
import { open, readWriteSets } from '../../support/transactions.js';

export function resultSuite(engine: () => Engine): void {
  describe('an endorsement', () => {
    let stmary: TestClient;
    before(() => {
      stmary = engine().client({ member: 'stmary' });
    });
    const own = { endorsingOrganizations: ['StmaryMSP'] };

    it('lists reads and writes by the order of their bytes, one entry a key', async () => {
      const { blockNumber } = await submit(stmary, [['put', 'd1', 'x']]);
      const transaction = await endorse(
        stmary,
        [
          ['put', '\u{10ffff}', '1'],
          ['put', '\ue000', '1'],
          ['put', 'a', '1'],
          ['put', 'a', '2'],
          ['get', 'd1'],
          ['get', 'd1'],
          ['get', 'd1-absent'],
        ],
        own,
      );
      const set = readWriteSets(transaction).get('salus')!.public;
      assert.deepEqual(
        set.getWritesList().map((write) => write.getKey()),
        ['a', '\ue000', '\u{10ffff}'],
      );
      assert.deepEqual(
        set.getReadsList().map((read) => [read.getKey(), read.getVersion()?.toObject()]),
        [
          ['d1', { blockNum: Number(blockNumber), txNum: 0 }],
          ['d1-absent', undefined],
        ],
      );
    });

    it('reads the sequence of the chaincode’s definition, whatever else it does', async () => {
      const sets = readWriteSets(await endorse(stmary, [['creator']], own));
      assert.deepEqual([...sets.keys()], ['_lifecycle']);
      assert.deepEqual(
        sets
          .get('_lifecycle')!
          .public.getReadsList()
          .map((read) => read.getKey()),
        ['namespaces/fields/salus/Sequence'],
      );
    });

    it('reads the whole definition with the first private call', async () => {
      const sets = readWriteSets(await endorse(stmary, [['privateHash', 'of-stmary', 'd2']], own));
      assert.deepEqual(
        sets
          .get('_lifecycle')!
          .public.getReadsList()
          .map((read) => read.getKey()),
        [
          'namespaces/fields/salus/Collections',
          'namespaces/fields/salus/EndorsementInfo',
          'namespaces/fields/salus/Sequence',
          'namespaces/fields/salus/ValidationInfo',
          'namespaces/metadata/salus',
        ],
      );
    });

    it('records up to 50 rows of a range, and a tree of hashes from 51 on; the same range once', async () => {
      await submit(
        stmary,
        Array.from({ length: 60 }, (_, n) => ['put', `d3/${String(n).padStart(2, '0')}`, 'x'] as const),
      );
      for (const [end, rows] of [
        ['d3/50', 50],
        ['d3/51', 51],
      ] as const) {
        const transaction = await endorse(
          stmary,
          [
            ['range', 'd3/00', end],
            ['range', 'd3/00', end],
          ],
          own,
        );
        const ranges = readWriteSets(transaction).get('salus')!.public.getRangeQueriesInfoList();
        assert.equal(ranges.length, 1);
        const raw = ranges[0]!.getRawReads()?.getKvReadsList().length;
        const tree = ranges[0]!.getReadsMerkleHashes()?.toObject();
        if (rows === 50) assert.equal(raw, 50);
        else assert.deepEqual([tree?.maxDegree, tree?.maxLevel, tree?.maxLevelHashesList.length], [50, 1, 1]);
      }
    });

    it('hashes the proposal without its transient map', async () => {
      const transaction = await endorse(stmary, [['creator']], { ...own, transientData: { a: 'b' } });
      const { channelHeaderBytes, signatureHeaderBytes, proposalPayload, responsePayload } = open(transaction);
      const hash = createHash('sha256')
        .update(channelHeaderBytes)
        .update(signatureHeaderBytes)
        .update(proposalPayload.serializeBinary())
        .digest('hex');
      assert.equal(Buffer.from(responsePayload.getProposalHash_asU8()).toString('hex'), hash);
    });

    it('signs response payload and endorser, in the low form', async () => {
      const { endorsements, responsePayloadBytes } = open(await endorse(stmary, [['put', 'd5', 'x']]));
      for (const endorsement of endorsements) {
        const endorser = Buffer.from(endorsement.getEndorser_asU8());
        const signature = Buffer.from(endorsement.getSignature_asU8());
        const pem = msp.SerializedIdentity.deserializeBinary(endorser).getIdBytes_asU8();
        const signed = Buffer.concat([responsePayloadBytes, endorser]);
        assert.equal(verify('sha256', signed, new X509Certificate(pem).publicKey, signature), true);
        assert.equal(isLowS(signature), true);
      }
    });

    it('names the chaincode and its version', async () => {
      const { action } = open(await endorse(stmary, [['creator']], own));
      const { name, version } = engine().prepared.definition;
      assert.deepEqual([action.getChaincodeId()?.getName(), action.getChaincodeId()?.getVersion()], [name, version]);
    });

    it('carries the response into the ledger in clear', async () => {
      const transaction = await endorse(stmary, [['respond', '200', 'note', 'seen by all']]);
      const { action } = open(transaction);
      assert.equal(Buffer.from(action.getResponse()!.getPayload_asU8()).toString(), 'seen by all');
      assert.equal((await (await transaction.submit()).getStatus()).successful, true);
    });

    it('is equal at every member', async () => {
      const endorsingOrganizations = engine().prepared.topology.members.map(({ mspId }) => mspId);
      const operations = [
        ['get', 'd1'],
        ['range', 'd3/', 'd30'],
        ['put', 'equal', 'x'],
      ] as const;
      assert.equal(open(await endorse(stmary, operations, { endorsingOrganizations })).endorsements.length, 7);
    });

    for (const [status, payload, endorsed] of [
      [100, true, true],
      [399, true, true],
      [400, false, false],
      [499, false, false],
      [500, true, false],
      [503, true, false],
    ] as const) {
      it(`with status ${status} of the chaincode has ${payload ? 'a' : 'no'} payload and is ${endorsed ? '' : 'not '}signed`, async () => {
        const raw = new RawClient(engine().prepared, 'stmary');
        const operations = [
          ['put', 'c17', 'x'],
          ['event', 'dropped', 'x'],
          ['respond', String(status), 'message'],
        ];
        const args = ['run', JSON.stringify(operations)];
        const by = signerFrom(engine().identity('stmary'));
        try {
          const response = await raw.process(
            signedProposal(by, { channel: 'health', chaincode: 'salus', args }).message,
          );
          assert.equal(response.getResponse()?.getStatus(), status);
          assert.equal(response.getPayload_asU8().length > 0, payload);
          assert.equal(response.hasEndorsement(), endorsed);
          if (!payload) return;
          const signed = peer.ProposalResponsePayload.deserializeBinary(response.getPayload_asU8());
          const action = peer.ChaincodeAction.deserializeBinary(signed.getExtension_asU8());
          assert.equal(action.getEvents_asU8().length > 0, endorsed);
        } finally {
          raw.close();
        }
      });
    }

    it('of what only reads commits as a transaction of its own', async () => {
      assert.equal((await submit(stmary, [['get', 'd1']])).successful, true);
      assert.deepEqual(await evaluate(stmary, [['get', 'd1']]), ['x']);
    });
  });
}
