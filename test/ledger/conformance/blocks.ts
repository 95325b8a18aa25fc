/** The chain itself: hashes, signatures, metadata, and what the orderers take. */
import assert from 'node:assert/strict';
import { createHash, verify, X509Certificate } from 'node:crypto';
import { common, msp } from '@hyperledger/fabric-protos';
import type { Signer } from '@salus/network/embedded/ports';
import { plainIdentity, type TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { blockAt, blocksUpTo } from '../../support/block-reader.js';
import { headerBytes } from '../../support/block-header.js';
import { peerIdentity } from '../../support/identities.js';
import { endorse, submit } from '../../support/ledger-calls.js';
import { signerFrom } from '../../support/proposal.js';
import { RawClient } from '../../support/raw-client.js';
import { envelopeOf } from '../../support/transactions.js';

const { SIGNATURES, LAST_CONFIG, TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

export function blockSuite(engine: () => Engine): void {
  describe('the chain', () => {
    let stmary: TestClient;
    let blocks: common.Block[];

    before(async () => {
      stmary = engine().client({ member: 'stmary' });
      const { blockNumber } = await submit(stmary, [['put', 'chain', '1']]);
      blocks = await blocksUpTo(stmary, blockNumber);
    });

    const metadata = (block: common.Block, index: number) =>
      Buffer.from(block.getMetadata()!.getMetadataList_asU8()[index] ?? []);

    it('links every block to the one before by the hash of its header', () => {
      for (const [index, block] of blocks.entries()) {
        const header = block.getHeader()!;
        assert.equal(header.getNumber(), index);
        const previous = blocks[index - 1];
        const expected = previous ? sha256(headerBytes(previous.getHeader()!)) : Buffer.alloc(0);
        assert.deepEqual(Buffer.from(header.getPreviousHash_asU8()), expected);
      }
    });

    it('covers the transactions of a block by one hash of all their bytes', () => {
      for (const block of blocks) {
        const data = sha256(Buffer.concat(block.getData()!.getDataList_asU8()));
        assert.deepEqual(Buffer.from(block.getHeader()!.getDataHash_asU8()), data);
      }
    });

    it('has every block but the first signed by an orderer', () => {
      for (const block of blocks.slice(1)) {
        const entry = common.Metadata.deserializeBinary(metadata(block, SIGNATURES));
        const [signature] = entry.getSignaturesList();
        const header = common.SignatureHeader.deserializeBinary(signature!.getSignatureHeader_asU8());
        const orderer = msp.SerializedIdentity.deserializeBinary(header.getCreator_asU8());
        assert.match(orderer.getMspid(), /OrdererMSP$/);
        const signed = Buffer.concat([
          entry.getValue_asU8(),
          signature!.getSignatureHeader_asU8(),
          headerBytes(block.getHeader()!),
        ]);
        const { publicKey } = new X509Certificate(orderer.getIdBytes_asU8());
        assert.equal(verify('sha256', signed, publicKey, signature!.getSignature_asU8()), true);
      }
    });

    it('names the last configuration, which is block 0, by nothing at all', () => {
      for (const block of blocks.slice(1)) {
        const value = common.Metadata.deserializeBinary(metadata(block, LAST_CONFIG)).getValue_asU8();
        assert.equal(common.LastConfig.deserializeBinary(value).getIndex(), 0);
        assert.equal(value.length, 0);
      }
    });

    it('has one validation code a transaction', () => {
      for (const block of blocks) {
        assert.equal(metadata(block, TRANSACTIONS_FILTER).length, block.getData()!.getDataList().length);
      }
    });

    it('begins with the channel’s configuration: valid, unsigned, without commit hash', () => {
      const [first] = blocks;
      assert.deepEqual(metadata(first!, TRANSACTIONS_FILTER), Buffer.from([0]));
      assert.equal(common.Metadata.deserializeBinary(metadata(first!, SIGNATURES)).getSignaturesList().length, 0);
      assert.equal(metadata(first!, COMMIT_HASH).length, 0);
    });

    it('has a commit hash in every block from 1 on', () => {
      const hashes = blocks
        .slice(1)
        .map((block) => common.Metadata.deserializeBinary(metadata(block, COMMIT_HASH)).getValue_asB64());
      assert.ok(hashes.every((hash) => Buffer.from(hash, 'base64').length === 32));
      assert.equal(new Set(hashes).size, hashes.length);
    });

    it('is the same at every member', async () => {
      const tally = engine().client({ member: 'tally' });
      const number = blocks.length - 1;
      const theirs = await blockAt(tally, BigInt(number));
      const ours = blocks[number]!;
      assert.deepEqual(theirs.getHeader()!.toObject(), ours.getHeader()!.toObject());
      assert.deepEqual(theirs.getData()!.getDataList_asB64(), ours.getData()!.getDataList_asB64());
      for (const index of [TRANSACTIONS_FILTER, COMMIT_HASH]) {
        assert.deepEqual(metadata(theirs, index), metadata(ours, index));
      }
    });
  });

  describe('broadcast', () => {
    let raw: RawClient;
    let stmary: Signer;
    before(() => {
      raw = new RawClient(engine().prepared, 'stmary');
      stmary = signerFrom(engine().identity('stmary'));
    });
    after(() => {
      raw.close();
    });

    /** An endorsed transaction's envelope with its channel header bent, signed by whom the test says. */
    async function envelope(bend: (header: common.ChannelHeader) => void, by = stmary): Promise<common.Envelope> {
      const client = engine().client({ member: 'stmary' });
      const made = envelopeOf(await endorse(client, [['put', 'broadcast', '1']]));
      const payload = common.Payload.deserializeBinary(made.getPayload_asU8());
      const header = payload.getHeader()!;
      const channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
      bend(channelHeader);
      header.setChannelHeader(channelHeader.serializeBinary());
      const signatureHeader = common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8());
      signatureHeader.setCreator(by.identity);
      header.setSignatureHeader(signatureHeader.serializeBinary());
      made.setPayload(payload.serializeBinary());
      made.setSignature(by.sign(Buffer.from(payload.serializeBinary())));
      return made;
    }
    const keep = () => undefined;
    const answerTo = async (sent: common.Envelope) => (await raw.broadcast([sent]))[0];
    const FORBIDDEN = {
      status: 'FORBIDDEN',
      info:
        "implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy requires 1 of the 'Writers' " +
        'sub-policies to be satisfied: permission denied',
    };

    it('is answered with SUCCESS once a transaction is taken into order', async () => {
      assert.deepEqual(await answerTo(await envelope(keep)), { status: 'SUCCESS', info: '' });
    });

    it('is refused with BAD_REQUEST for another channel', async () => {
      const sent = await envelope((header) => {
        header.setChannelId('elsewhere');
      });
      assert.deepEqual(await answerTo(sent), {
        status: 'BAD_REQUEST',
        info: 'channel creation request not allowed because the orderer system channel is not defined',
      });
    });

    it('is refused with BAD_REQUEST for a configuration that is not an update', async () => {
      const sent = await envelope((header) => {
        header.setType(common.HeaderType.CONFIG);
      });
      assert.deepEqual(await answerTo(sent), {
        status: 'BAD_REQUEST',
        info: 'message is of type that cannot be processed directly',
      });
    });

    it('is refused with BAD_REQUEST when it is empty or unreadable', async () => {
      const junk = new common.Envelope();
      junk.setPayload(Buffer.from('no payload'));
      assert.equal((await answerTo(new common.Envelope()))?.status, 'BAD_REQUEST');
      assert.equal((await answerTo(junk))?.status, 'BAD_REQUEST');
    });

    it('is refused with FORBIDDEN from who is no writer, and with a wrong signature', async () => {
      const bent = await envelope(keep);
      bent.setSignature(Buffer.from('no signature'));
      assert.deepEqual(await answerTo(bent), FORBIDDEN);
      assert.deepEqual(
        await answerTo(await envelope(keep, signerFrom(peerIdentity(engine().prepared, 'stmary')))),
        FORBIDDEN,
      );
    });

    it('takes a plain client’s transactions', async () => {
      const plain = signerFrom(await plainIdentity(engine().prepared, 'stmary'));
      const client = engine().client({ member: 'stmary', as: await plainIdentity(engine().prepared, 'stmary') });
      const made = envelopeOf(await endorse(client, [['put', 'broadcast', '2']]));
      made.setSignature(plain.sign(Buffer.from(made.getPayload_asU8())));
      assert.equal((await answerTo(made))?.status, 'SUCCESS');
    });
  });
}
