/** Validation codes of transactions made by hand, with the peers' own keys. */
import assert from 'node:assert/strict';
import { common, peer } from '@hyperledger/fabric-protos';
import type { Signer } from '@salus/network/embedded/ports';
import { blockAt } from '../../support/block-reader.js';
import { craft, readWriteSet, type Craft } from '../../support/crafted.js';
import type { TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { adminIdentity, peerIdentity } from '../../support/identities.js';
import { evaluate, submit } from '../../support/ledger-calls.js';
import { highS, signerFrom } from '../../support/proposal.js';
import { RawClient } from '../../support/raw-client.js';

const Code = peer.TxValidationCode;
const MEMBERS = ['stmary', 'northside', 'acme', 'meridian'] as const;

export function craftedSuite(engine: () => Engine): void {
  describe('a transaction made by hand', () => {
    let raw: RawClient;
    let client: TestClient;
    let creator: Signer;
    let peers: Signer[];

    before(() => {
      raw = new RawClient(engine().prepared, 'stmary');
      client = engine().client({ member: 'stmary' });
      creator = signerFrom(engine().identity('stmary'));
      peers = MEMBERS.map((member) => signerFrom(peerIdentity(engine().prepared, member)));
    });
    after(() => {
      raw.close();
    });

    /** Sends envelopes, commits something behind them, and finds their codes in the chain, in order. */
    async function codesOf(envelopes: readonly common.Envelope[]): Promise<number[]> {
      const start = (await submit(client, [['put', 'crafted', 'before']])).blockNumber;
      for (const answer of await raw.broadcast(envelopes)) assert.equal(answer.status, 'SUCCESS');
      const end = (await submit(client, [['put', 'crafted', 'after']])).blockNumber;
      const codes: number[] = [];
      for (let number = start; number <= end; number++) {
        const block = await blockAt(client, number);
        const flags = block.getMetadata()!.getMetadataList_asU8()[common.BlockMetadataIndex.TRANSACTIONS_FILTER]!;
        block
          .getData()!
          .getDataList_asB64()
          .forEach((data, index) => {
            if (envelopes.some((envelope) => Buffer.from(envelope.serializeBinary()).toString('base64') === data)) {
              codes.push(flags[index]!);
            }
          });
      }
      return codes;
    }

    const put = [['salus', 'by-hand', 'x']] as const;
    const make = (parts: Partial<Craft>) => craft(creator, { endorsers: peers, writes: put, ...parts }).envelope;

    it('is valid when nothing is wrong with it', async () => {
      assert.deepEqual(await codesOf([make({})]), [Code.VALID]);
      assert.deepEqual(await evaluate(client, [['get', 'by-hand']]), ['x']);
    });

    for (const [what, parts, code] of [
      ['a status of 500 that was endorsed all the same', { status: 500 }, Code.VALID],
      ['another version of the chaincode', { version: '0.9' }, Code.VALID],
      ['nothing read or written', { writes: [] }, Code.VALID],
      ['a read of a namespace that is not defined', { reads: [['nowhere', 'k']] }, Code.VALID],
      ['an epoch', { epoch: 1 }, Code.BAD_COMMON_HEADER],
      ['another header type', { headerType: common.HeaderType.MESSAGE }, Code.BAD_COMMON_HEADER],
      ['an empty nonce', { nonce: Buffer.alloc(0) }, Code.BAD_COMMON_HEADER],
      ['a transaction id of its own choice', { txId: 'ab'.repeat(32) }, Code.BAD_PROPOSAL_TXID],
      ['no transaction id', { txId: '' }, Code.BAD_PROPOSAL_TXID],
      ['the hash of another proposal', { proposalHash: Buffer.alloc(32) }, Code.INVALID_ENDORSER_TRANSACTION],
      ['two actions', { actions: 2 }, Code.INVALID_ENDORSER_TRANSACTION],
      ['no action', { actions: 0 }, Code.INVALID_ENDORSER_TRANSACTION],
      ['no endorsement', { endorsers: [] }, Code.ENDORSEMENT_POLICY_FAILURE],
      ['a read of a wrong version', { reads: [['salus', 'by-hand', [0, 0]]] }, Code.MVCC_READ_CONFLICT],
      ['a read of an absent key with a version', { reads: [['salus', 'never', [1, 0]]] }, Code.MVCC_READ_CONFLICT],
      ['a chaincode that is not defined', { headerChaincode: 'nope', actionChaincode: 'nope' }, Code.INVALID_CHAINCODE],
      ['another chaincode in header and action', { actionChaincode: 'nope' }, Code.INVALID_CHAINCODE],
      ['a write to a chaincode that is not defined', { writes: [['nowhere', 'k', 'v']] }, Code.INVALID_CHAINCODE],
      ['no version of the chaincode', { version: '' }, Code.INVALID_CHAINCODE],
      ['no chaincode in its action', { actionChaincode: null }, Code.INVALID_OTHER_REASON],
      ['no chaincode in its header', { headerChaincode: null }, Code.INVALID_OTHER_REASON],
      ['an event of another chaincode', { eventChaincode: 'nope' }, Code.INVALID_OTHER_REASON],
    ] as readonly (readonly [string, Partial<Craft>, number])[]) {
      it(`with ${what} gets code ${code}`, async () => {
        assert.deepEqual(await codesOf([make(parts)]), [code]);
      });
    }

    it('with the same namespace twice gets code 23', async () => {
      const once = readWriteSet({ writes: put });
      assert.deepEqual(await codesOf([make({ results: Buffer.concat([once, once]) })]), [Code.ILLEGAL_WRITESET]);
    });

    it('counts an endorser once, however often it signed', async () => {
      const thrice = [...peers.slice(0, 3), peers[0]!, peers[1]!];
      assert.deepEqual(await codesOf([make({ endorsers: thrice })]), [Code.ENDORSEMENT_POLICY_FAILURE]);
    });

    it('does without endorsements that do not hold, when the others suffice', async () => {
      const five = [...peers, signerFrom(peerIdentity(engine().prepared, 'tally'))];
      const bend = (signature: Buffer, index: number) => (index === 0 ? Buffer.from('no signature') : signature);
      assert.deepEqual(await codesOf([make({ endorsers: five, bend })]), [Code.VALID]);
      assert.deepEqual(await codesOf([make({ bend })]), [Code.ENDORSEMENT_POLICY_FAILURE]);
    });

    it('is not endorsed by a signature in its high form', async () => {
      const bend = (signature: Buffer, index: number) => (index === 0 ? highS(signature) : signature);
      assert.deepEqual(await codesOf([make({ bend })]), [Code.ENDORSEMENT_POLICY_FAILURE]);
    });

    it('is not endorsed by an administrator or a client in place of a peer', async () => {
      const admin = signerFrom(adminIdentity(engine().prepared, 'tally'));
      const gateway = signerFrom(engine().identity('tally'));
      for (const stranger of [admin, gateway]) {
        const endorsers = [...peers.slice(0, 3), stranger];
        assert.deepEqual(await codesOf([make({ endorsers })]), [Code.ENDORSEMENT_POLICY_FAILURE]);
      }
    });

    it('with one key twice writes neither value when the key is new', async () => {
      const writes = [
        ['salus', 'twice', '1'],
        ['salus', 'twice', '2'],
      ] as const;
      assert.deepEqual(await codesOf([make({ writes })]), [Code.VALID]);
      assert.deepEqual(await evaluate(client, [['get', 'twice']]), ['']);
    });

    it('deletes by an empty value', async () => {
      await submit(client, [['put', 'emptied', 'x']]);
      assert.deepEqual(await codesOf([make({ writes: [['salus', 'emptied', '']] })]), [Code.VALID]);
      assert.deepEqual(await evaluate(client, [['get', 'emptied']]), ['']);
    });
  });
}
