/** What makes an honestly endorsed transaction invalid at commit. */
import assert from 'node:assert/strict';
import { peer } from '@hyperledger/fabric-protos';
import type { Transaction } from '@hyperledger/fabric-gateway';
import type { Operation } from '../../support/chaincode/operations.js';
import { take, type TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { endorse, evaluate, submit } from '../../support/ledger-calls.js';
import { signerFrom } from '../../support/proposal.js';
import { RawClient } from '../../support/raw-client.js';
import { envelopeOf } from '../../support/transactions.js';

const { VALID, MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT, DUPLICATE_TXID } = peer.TxValidationCode;

export function conflictSuite(engine: () => Engine): void {
  describe('at commit, a transaction', () => {
    let stmary: TestClient;
    before(() => {
      stmary = engine().client({ member: 'stmary' });
    });

    const codeOf = async (transaction: Transaction) => (await (await transaction.submit()).getStatus()).code;

    /** Endorses `later` first, commits `between`, then submits `later`: its validation code. */
    async function overtaken(later: readonly Operation[], between: readonly Operation[]): Promise<number> {
      const transaction = await endorse(stmary, later);
      await submit(stmary, between);
      return codeOf(transaction);
    }

    const write = (key: string, value = 'x'): Operation => ['put', key, value];
    const read = (key: string): Operation => ['get', key];

    it('is invalid when a key it read was written meanwhile, even with the same value', async () => {
      await submit(stmary, [write('f5', 'same')]);
      assert.equal(await overtaken([read('f5'), write('f5-out')], [write('f5', 'same')]), MVCC_READ_CONFLICT);
      assert.deepEqual(await evaluate(stmary, [read('f5-out')]), ['']);
    });

    it('is invalid when a key it found absent exists, and when one it read is gone', async () => {
      assert.equal(await overtaken([read('f5-new'), write('f5-out')], [write('f5-new')]), MVCC_READ_CONFLICT);
      assert.equal(await overtaken([read('f5-new'), write('f5-out')], [['del', 'f5-new']]), MVCC_READ_CONFLICT);
    });

    it('is valid when it only writes, and the last in order wins', async () => {
      assert.equal(await overtaken([write('f4', 'endorsed first')], [write('f4', 'committed first')]), VALID);
      assert.deepEqual(await evaluate(stmary, [read('f4')]), ['endorsed first']);
    });

    it('is invalid when a range it read gained, lost or changed a row', async () => {
      await submit(stmary, [write('f12/a'), write('f12/c')]);
      const reader: Operation[] = [['range', 'f12/', 'f120'], write('f12-out')];
      assert.equal(await overtaken(reader, [write('f12/b')]), PHANTOM_READ_CONFLICT);
      assert.equal(await overtaken(reader, [['del', 'f12/b']]), PHANTOM_READ_CONFLICT);
      assert.equal(await overtaken(reader, [write('f12/a', 'changed')]), PHANTOM_READ_CONFLICT);
      assert.equal(await overtaken(reader, [write('f120'), write('f12')]), VALID);
    });

    it('is invalid when a large range, kept as a tree of hashes, changed', async () => {
      await submit(
        stmary,
        Array.from({ length: 120 }, (_, n) => write(`f12m/${String(n).padStart(3, '0')}`)),
      );
      const reader: Operation[] = [['range', 'f12m/', 'f12m0'], write('f12-out')];
      assert.equal(await overtaken(reader, [write('f12m/060', 'changed')]), PHANTOM_READ_CONFLICT);
      assert.equal(await overtaken(reader, [write('f12m0')]), VALID);
    });

    it('is invalid for the key first when both key and range changed', async () => {
      await submit(stmary, [write('f11/a')]);
      const reader: Operation[] = [['range', 'f11/', 'f110'], read('f11/a')];
      assert.equal(await overtaken(reader, [write('f11/a', 'changed')]), MVCC_READ_CONFLICT);
    });

    it('is invalid when a private value it read, or whose hash it read, was written meanwhile', async () => {
      await submit(stmary, [['privatePut', 'of-stmary', 'f6', 'x']]);
      const change: Operation[] = [['privatePut', 'of-stmary', 'f6', 'y']];
      for (const reading of [
        ['privateGet', 'of-stmary', 'f6'],
        ['privateHash', 'of-stmary', 'f6'],
      ] as const) {
        const later: Operation[] = [reading, ['privatePut', 'of-stmary', 'f6-out', 'x']];
        assert.equal(await overtaken(later, change), MVCC_READ_CONFLICT);
      }
    });

    it('is valid after a change of what its private range or its history showed', async () => {
      const insert: Operation[] = [['privatePut', 'care', 'f6r/new', 'x']];
      assert.equal(await overtaken([['privateRange', 'care', 'f6r/', 'f6r0']], insert), VALID);
      await submit(stmary, [write('f6h')]);
      assert.equal(await overtaken([['history', 'f6h'], write('f6-out')], [write('f6h', 'changed')]), VALID);
    });

    it('is a duplicate when it is sent again, and its id keeps the first outcome', async () => {
      const raw = new RawClient(engine().prepared, 'stmary');
      try {
        const transaction = await endorse(stmary, [write('f11d')]);
        const submitted = await transaction.submit();
        const first = await submitted.getStatus();
        const envelope = envelopeOf(transaction);
        envelope.setSignature(signerFrom(engine().identity('stmary')).sign(Buffer.from(envelope.getPayload_asU8())));
        assert.deepEqual(await raw.broadcast([envelope]), [{ status: 'SUCCESS', info: '' }]);
        const after = await submit(stmary, [write('f11d-after')]);
        const codes = await codesBetween(stmary, first.blockNumber, after.blockNumber, first.transactionId);
        assert.deepEqual(codes, [VALID, DUPLICATE_TXID]);
        assert.equal((await stmary.gateway.newCommit(submitted.getBytes()).getStatus()).code, VALID);
      } finally {
        raw.close();
      }
    });
  });
}

/** Codes with which a transaction id stands in a stretch of the chain, in order. */
async function codesBetween(client: TestClient, first: bigint, last: bigint, txId: string): Promise<number[]> {
  const blocks = await take(
    await client.network.getFilteredBlockEvents({ startBlock: first }),
    Number(last - first) + 1,
  );
  return blocks
    .flatMap((block) => block.getFilteredTransactionsList())
    .filter((transaction) => transaction.getTxid() === txId)
    .map((transaction) => transaction.getTxValidationCode());
}
