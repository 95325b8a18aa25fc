import assert from 'node:assert/strict';
import { common, ledger as ledgerMessages, type peer } from '@hyperledger/fabric-protos';
import {
  plainIdentity,
  run,
  startTestLedger,
  take,
  type TestClient,
  type TestLedger,
} from '../../support/embedded-network.js';

describe('block events of the embedded ledger', function () {
  this.timeout(60_000);
  let ledger: TestLedger;
  let stmary: TestClient;
  let secretBlock = 0n;

  before(async () => {
    ledger = await startTestLedger();
    stmary = ledger.client({ member: 'stmary' });
    const [name, ...args] = run(['put', 'public', '1'], ['event', 'happened', 'event payload']);
    await stmary.contract.submitTransaction(name!, ...args);
    secretBlock = BigInt(ledger.network.height);
    await store('of-stmary', 'own', 'own secret');
    await store('care', 'shared', 'shared secret');
  });

  after(() => ledger.stop());

  const store = async (collection: string, key: string, value: string): Promise<void> => {
    await stmary.contract.submit('run', {
      arguments: [JSON.stringify([['privateStore', collection, key, 'value']])],
      transientData: { value: Buffer.from(value) },
    });
  };

  it('deliver whole blocks from the first on, chained by their hashes', async () => {
    const events = await stmary.network.getBlockEvents({ startBlock: 0n });
    const blocks = await take<common.Block>(events, ledger.network.height);
    assert.deepEqual(
      blocks.map((block) => block.getHeader()!.getNumber()),
      Array.from({ length: ledger.network.height }, (_, number) => number),
    );
    const { SIGNATURES, TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;
    for (const block of blocks.slice(1)) {
      const metadata = block.getMetadata()!.getMetadataList_asU8();
      assert.equal(metadata[TRANSACTIONS_FILTER]!.length, block.getData()!.getDataList().length);
      assert.ok(metadata[COMMIT_HASH]!.length > 0);
      assert.ok(metadata[SIGNATURES]!.length > 0);
    }
  });

  it('begin with the next block when no start is named', async () => {
    const height = ledger.network.height;
    const events = await stmary.network.getBlockEvents();
    const next = take<common.Block>(events, 1);
    await stmary.contract.submitTransaction(...(run(['put', 'next', '1']) as [string, string]));
    const [block] = await next;
    assert.equal(block!.getHeader()!.getNumber(), height);
  });

  it('deliver filtered blocks with codes and events, without payloads', async () => {
    const events = await stmary.network.getFilteredBlockEvents({ startBlock: 0n });
    const blocks = await take<peer.FilteredBlock>(events, Number(secretBlock));
    const transactions = blocks.flatMap((block) => block.getFilteredTransactionsList());
    const event = transactions.at(-1)!.getTransactionActions()!.getChaincodeActionsList()[0]!.getChaincodeEvent()!;
    assert.equal(event.getEventName(), 'happened');
    assert.equal(event.getPayload_asU8().length, 0);
    assert.equal(transactions[0]!.getTxid().length > 0, true);
    assert.deepEqual(
      transactions.map((transaction) => transaction.getTxValidationCode()),
      transactions.map(() => 0),
    );
  });

  describe('with private data', () => {
    const secrets = async (client: TestClient): Promise<string[]> => {
      const events = await client.network.getBlockAndPrivateDataEvents({ startBlock: secretBlock });
      const blocks = await take<peer.BlockAndPrivateData>(events, 2);
      return blocks.map((block) => {
        const set = block.getPrivateDataMapMap().get(0);
        return set ? clear(set) : '';
      });
    };

    it('give a member its own and shared values', async () => {
      assert.deepEqual(await secrets(stmary), ['own secret', 'shared secret']);
    });

    it("give another member of a collection that collection's values only", async () => {
      assert.deepEqual(await secrets(ledger.client({ member: 'northside' })), ['', 'shared secret']);
    });

    it('give nothing to a member outside', async () => {
      assert.deepEqual(await secrets(ledger.client({ member: 'acme' })), ['', '']);
    });

    it('give nothing to another member that asks at the holder itself', async () => {
      assert.deepEqual(await secrets(ledger.client({ member: 'acme', at: 'stmary' })), ['', '']);
    });
  });

  it('are closed to clients that are no gateway', async () => {
    const plain = ledger.client({ member: 'stmary', as: await plainIdentity(ledger.prepared, 'stmary') });
    for (const events of [
      await plain.network.getBlockEvents({ startBlock: 0n }),
      await plain.network.getFilteredBlockEvents({ startBlock: 0n }),
      await plain.network.getBlockAndPrivateDataEvents({ startBlock: 0n }),
    ]) {
      await assert.rejects(take<unknown>(events, 1), {
        message: 'Unexpected status response: 403',
      });
    }
  });

  it('refuse a start beyond the next block', async () => {
    const events = await stmary.network.getBlockEvents({ startBlock: BigInt(ledger.network.height + 1) });
    await assert.rejects(take(events, 1), { message: 'Unexpected status response: 404' });
  });

  it('refuse a request that is not bound to the TLS certificate it came with', async () => {
    const unbound = ledger.client({ member: 'stmary', options: { tlsClientCertificateHash: Buffer.alloc(32) } });
    const events = await unbound.network.getBlockEvents({ startBlock: 0n });
    await assert.rejects(take(events, 1), { message: 'Unexpected status response: 400' });
  });

  it('reach a slow reader whole', async () => {
    const events = await stmary.network.getBlockEvents({ startBlock: 0n });
    const seen: number[] = [];
    for await (const block of events) {
      seen.push(block.getHeader()!.getNumber());
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (seen.length === ledger.network.height) break;
    }
    events.close();
    assert.deepEqual(seen, [...seen.keys()]);
  });
});

/** The one value written in a private write set. */
function clear(set: ledgerMessages.rwset.TxPvtReadWriteSet): string {
  const values = set.getNsPvtRwsetList().flatMap((namespace) =>
    namespace.getCollectionPvtRwsetList().flatMap((collection) =>
      ledgerMessages.rwset.kvrwset.KVRWSet.deserializeBinary(collection.getRwset_asU8())
        .getWritesList()
        .map((write) => Buffer.from(write.getValue_asU8()).toString()),
    ),
  );
  return values.join();
}
