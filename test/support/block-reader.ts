/** Reads blocks through the client library's event streams. */
import { ledger, type common, type peer } from '@hyperledger/fabric-protos';
import { take, type TestClient } from './embedded-network.js';

/** A committed block as the client's own peer delivers it. */
export async function blockAt(client: TestClient, startBlock: bigint): Promise<common.Block> {
  const [block] = await take(await client.network.getBlockEvents({ startBlock }), 1);
  return block!;
}

/** A committed block without payloads. */
export async function filteredBlockAt(client: TestClient, startBlock: bigint): Promise<peer.FilteredBlock> {
  const [block] = await take(await client.network.getFilteredBlockEvents({ startBlock }), 1);
  return block!;
}

/** The private writes of a block that the client's peer delivers to it: collection, key, value. */
export async function privateWritesOf(client: TestClient, startBlock: bigint): Promise<[string, string, string][]> {
  const [delivered] = await take(await client.network.getBlockAndPrivateDataEvents({ startBlock }), 1);
  const sets: ledger.rwset.TxPvtReadWriteSet[] = [];
  delivered!.getPrivateDataMapMap().forEach((set) => sets.push(set));
  return sets.flatMap((set) =>
    set.getNsPvtRwsetList().flatMap((namespace) =>
      namespace.getCollectionPvtRwsetList().flatMap((collection) =>
        ledger.rwset.kvrwset.KVRWSet.deserializeBinary(collection.getRwset_asU8())
          .getWritesList()
          .map((write): [string, string, string] => [
            collection.getCollectionName(),
            write.getKey(),
            Buffer.from(write.getValue_asU8()).toString(),
          ]),
      ),
    ),
  );
}

/** All blocks of the chain up to a number. */
export async function blocksUpTo(client: TestClient, newest: bigint): Promise<common.Block[]> {
  return take(await client.network.getBlockEvents({ startBlock: 0n }), Number(newest) + 1);
}
