import { ledger } from '@hyperledger/fabric-protos';

const { rwset } = ledger;
type KVRWSet = InstanceType<typeof rwset.kvrwset.KVRWSet>;
type HashedRWSet = InstanceType<typeof rwset.kvrwset.HashedRWSet>;

/** The hashes of what a transaction read and wrote in one private collection. */
export interface CollectionReadWriteSet {
  readonly collection: string;
  readonly hashed: HashedRWSet;
  /** SHA-256 of the private KVRWSet; empty when the transaction only read. */
  readonly privateHash: Buffer;
}

/** What a transaction read and wrote in one chaincode's namespace. */
export interface NamespaceReadWriteSet {
  readonly namespace: string;
  readonly public: KVRWSet;
  readonly collections: readonly CollectionReadWriteSet[];
}

/** Parses a rwset.TxReadWriteSet; throws when any part of it is malformed. */
export function parseReadWriteSet(bytes: Uint8Array): NamespaceReadWriteSet[] {
  return rwset.TxReadWriteSet.deserializeBinary(bytes)
    .getNsRwsetList()
    .map((one) => ({
      namespace: one.getNamespace(),
      public: rwset.kvrwset.KVRWSet.deserializeBinary(one.getRwset_asU8()),
      collections: one.getCollectionHashedRwsetList().map((collection) => ({
        collection: collection.getCollectionName(),
        hashed: rwset.kvrwset.HashedRWSet.deserializeBinary(collection.getHashedRwset_asU8()),
        privateHash: Buffer.from(collection.getPvtRwsetHash_asU8()),
      })),
    }));
}

/** Whether a transaction changes the namespace: public or private, value or metadata. */
export function writesTo(set: NamespaceReadWriteSet): boolean {
  return (
    set.public.getWritesList().length > 0 ||
    set.public.getMetadataWritesList().length > 0 ||
    set.collections.some(
      ({ hashed }) => hashed.getHashedWritesList().length > 0 || hashed.getMetadataWritesList().length > 0,
    )
  );
}

/** One private write set: the collection it belongs to and its serialized kvrwset.KVRWSet. */
export interface PrivateWriteSet {
  readonly namespace: string;
  readonly collection: string;
  readonly bytes: Buffer;
}

/** The parts of a rwset.TxPvtReadWriteSet. */
export function parsePrivateSets(bytes: Uint8Array): PrivateWriteSet[] {
  return rwset.TxPvtReadWriteSet.deserializeBinary(bytes)
    .getNsPvtRwsetList()
    .flatMap((one) =>
      one.getCollectionPvtRwsetList().map((part) => ({
        namespace: one.getNamespace(),
        collection: part.getCollectionName(),
        bytes: Buffer.from(part.getRwset_asU8()),
      })),
    );
}

/** Joins parts, sorted by namespace, into a rwset.TxPvtReadWriteSet. */
export function joinPrivateSets(parts: readonly PrivateWriteSet[]): Buffer {
  const joined = new rwset.TxPvtReadWriteSet();
  const byNamespace = new Map<string, InstanceType<typeof rwset.NsPvtReadWriteSet>>();
  for (const { namespace, collection, bytes } of parts) {
    let owner = byNamespace.get(namespace);
    if (owner === undefined) {
      owner = joined.addNsPvtRwset();
      owner.setNamespace(namespace);
      byNamespace.set(namespace, owner);
    }
    const part = owner.addCollectionPvtRwset();
    part.setCollectionName(collection);
    part.setRwset(bytes);
  }
  return Buffer.from(joined.serializeBinary());
}
