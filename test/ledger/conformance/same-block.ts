/** Transactions that meet in one block, and where a block is cut (fabric-behaviour E1, F4, F5, F11, K1). */
import assert from 'node:assert/strict';
import type { Transaction } from '@hyperledger/fabric-gateway';
import { common, peer } from '@hyperledger/fabric-protos';
import { blocksUpTo } from '../../support/block-reader.js';
import type { Operation } from '../../support/chaincode/operations.js';
import type { TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { endorse, evaluate, submit } from '../../support/ledger-calls.js';
import { signerFrom } from '../../support/proposal.js';
import { RawClient } from '../../support/raw-client.js';
import { envelopeOf } from '../../support/transactions.js';

const { VALID, MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT, DUPLICATE_TXID } = peer.TxValidationCode;

export function sameBlockSuite(engine: () => Engine): void {
  describe('in one block', () => {
    let stmary: TestClient;
    let raw: RawClient;

    before(async function () {
      // Only blocks that wait for more can be filled at will; the network's own wait is too short for that.
      if (engine().name !== 'embedded') this.skip();
      stmary = engine().client({ member: 'stmary' });
      await submit(stmary, [
        ['put', 'k1/read', 'x'],
        ['put', 'k1/range/a', 'x'],
      ]);
      await engine().restart({ timedBlocks: true });
      raw = new RawClient(engine().prepared, 'stmary');
    });
    after(async () => {
      if (engine().name !== 'embedded') return;
      raw.close();
      await engine().restart();
    });

    function signed(transaction: Transaction): common.Envelope {
      const envelope = envelopeOf(transaction);
      envelope.setSignature(signerFrom(engine().identity('stmary')).sign(Buffer.from(envelope.getPayload_asU8())));
      return envelope;
    }

    /** Endorses all, sends them back to back, and finds block and code of each where it stands in the chain. */
    async function together(transactions: readonly (readonly Operation[])[], again: readonly number[] = []) {
      const envelopes: common.Envelope[] = [];
      for (const operations of transactions) envelopes.push(signed(await endorse(stmary, operations)));
      envelopes.push(...again.map((index) => envelopes[index]!));
      for (const answer of await raw.broadcast(envelopes)) assert.equal(answer.status, 'SUCCESS');
      const { blockNumber } = await submit(stmary, [['put', 'k1/behind', 'x']]);
      return placesOf(envelopes, await blocksUpTo(stmary, blockNumber));
    }

    async function codes(transactions: readonly (readonly Operation[])[], again?: readonly number[]) {
      const places = await together(transactions, again);
      assert.equal(new Set(places.map(({ block }) => block)).size, 1);
      return places.map(({ code }) => code);
    }

    it('two blind writes are valid, and the last wins', async () => {
      assert.deepEqual(await codes([[['put', 'k1/blind', '1']], [['put', 'k1/blind', '2']]]), [VALID, VALID]);
      assert.deepEqual(await evaluate(stmary, [['get', 'k1/blind']]), ['2']);
    });

    it('of two that read and write a key the first is valid', async () => {
      const both: Operation[] = [
        ['get', 'k1/read'],
        ['put', 'k1/read', 'y'],
      ];
      assert.deepEqual(await codes([both, both]), [VALID, MVCC_READ_CONFLICT]);
    });

    it('a reader before the writer is valid, and one behind it is not', async () => {
      const reader: Operation[] = [['get', 'k1/read']];
      const writer: Operation[] = [['put', 'k1/read', 'z']];
      assert.deepEqual(await codes([reader, writer, reader]), [VALID, VALID, MVCC_READ_CONFLICT]);
    });

    it('a range behind an insert into it is a phantom', async () => {
      const range: Operation[] = [['range', 'k1/range/', 'k1/range0']];
      assert.deepEqual(await codes([range, [['put', 'k1/range/b', 'x']], range]), [
        VALID,
        VALID,
        PHANTOM_READ_CONFLICT,
      ]);
    });

    it('an invalid transaction has no effect on those behind it', async () => {
      const both: Operation[] = [
        ['get', 'k1/read'],
        ['put', 'k1/read', 'w'],
        ['put', 'k1/effect', 'x'],
      ];
      const behind: Operation[] = [['get', 'k1/effect']];
      assert.deepEqual(await codes([[['put', 'k1/read', 'v']], both, behind]), [VALID, MVCC_READ_CONFLICT, VALID]);
    });

    it('the same envelope twice is a duplicate the second time', async () => {
      assert.deepEqual(await codes([[['put', 'k1/twice', 'x']]], [0]), [VALID, DUPLICATE_TXID]);
    });

    it('a transaction above the preferred size stands alone, behind what waited', async () => {
      const small: Operation[] = [['put', 'k1/small', 'x']];
      const large: Operation[] = [['put', 'k1/large', 'x'.repeat(2 * 1024 * 1024)]];
      const blocks = (await together([small, large, small])).map(({ block }) => block);
      assert.deepEqual(
        blocks.map((block) => block - blocks[0]!),
        [0, 1, 2],
      );
    });
  });
}

interface Place {
  readonly block: number;
  readonly code: number;
}

/** Where the envelopes stand in the chain, the same one at each of its places, in the chain's order. */
function placesOf(envelopes: readonly common.Envelope[], blocks: readonly common.Block[]): Place[] {
  const wanted = new Set(envelopes.map((envelope) => Buffer.from(envelope.serializeBinary()).toString('base64')));
  return blocks.flatMap((block) => {
    const flags = block.getMetadata()!.getMetadataList_asU8()[common.BlockMetadataIndex.TRANSACTIONS_FILTER]!;
    return block
      .getData()!
      .getDataList_asB64()
      .flatMap((data, index) =>
        wanted.has(data) ? [{ block: block.getHeader()!.getNumber(), code: flags[index]! }] : [],
      );
  });
}
