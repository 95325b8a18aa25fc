/** What a transaction wrote, public writes in clear, private ones as hashes joined with the values this member holds. */
import { hash } from 'node:crypto';

import { ledger } from '@hyperledger/fabric-protos';
import { BinaryReader } from 'google-protobuf';

import type { Elsewhere, Held, LedgerWrite } from '../ports.js';

interface ClearWrite {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Private writes in clear by collection and hex key hash. */
export type PrivateWrites = ReadonlyMap<string, ReadonlyMap<string, ClearWrite>>;

/** Indexes a member's private write sets of one transaction; keys are hashed as the public write set has them. */
export function privateWritesOf(set: ledger.rwset.TxPvtReadWriteSet, chaincode: string): PrivateWrites {
  const collections = new Map<string, Map<string, ClearWrite>>();
  for (const namespace of set.getNsPvtRwsetList()) {
    if (namespace.getNamespace() !== chaincode) continue;
    for (const collection of namespace.getCollectionPvtRwsetList()) {
      const writes = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(collection.getRwset_asU8()).getWritesList();
      const byHash = new Map(
        writes.map((write) => [sha256Hex(write.getKey()), { key: write.getKey(), value: write.getValue_asU8() }]),
      );
      collections.set(collection.getCollectionName(), byHash);
    }
  }
  return collections;
}

/** No write that is only counted. */
export const NOTHING_ELSEWHERE: Elsewhere = { writes: 0, purges: 0 };

/**
 * The writes of one namespace of a serialized rwset.TxReadWriteSet: public ones and those of collections that are held
 * here. A load writes thousands of hashes at one member: at all others they are only counted.
 */
export function decodeWrites(
  results: Uint8Array,
  chaincode: string,
  clear: PrivateWrites | undefined,
  held: Held,
): { readonly writes: LedgerWrite[]; readonly elsewhere: Elsewhere } {
  const set = ledger.rwset.TxReadWriteSet.deserializeBinary(results);
  const namespace = set.getNsRwsetList().find((each) => each.getNamespace() === chaincode);
  if (namespace === undefined) return { writes: [], elsewhere: NOTHING_ELSEWHERE };
  const elsewhere = { ...NOTHING_ELSEWHERE };
  const writes = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(namespace.getRwset_asU8())
    .getWritesList()
    .map(publicWrite);
  for (const collection of namespace.getCollectionHashedRwsetList()) {
    const name = collection.getCollectionName();
    const bytes = collection.getHashedRwset_asU8();
    if (!held(name)) {
      count(bytes, elsewhere);
      continue;
    }
    const hashed = ledger.rwset.kvrwset.HashedRWSet.deserializeBinary(bytes);
    for (const write of hashed.getHashedWritesList()) writes.push(privateWrite(name, write, clear?.get(name)));
  }
  return { writes, elsewhere };
}

/** Counts kvrwset.HashedRWSet.hashed_writes (2) and those with KVWriteHash.is_purge (4), decoding nothing else. */
function count(hashedSet: Uint8Array, sum: { writes: number; purges: number }): void {
  const set = new BinaryReader(hashedSet);
  while (set.nextField()) {
    if (set.getFieldNumber() !== 2) {
      set.skipField();
      continue;
    }
    sum.writes += 1;
    set.readMessage(sum, (_, write) => {
      while (write.nextField()) {
        if (write.getFieldNumber() === 4 && write.readBool()) sum.purges += 1;
        else write.skipField();
      }
    });
  }
}

/** Public keys of one namespace that a transaction read and found. */
export function decodeReads(results: Uint8Array, chaincode: string): string[] {
  const set = ledger.rwset.TxReadWriteSet.deserializeBinary(results);
  const namespace = set.getNsRwsetList().find((each) => each.getNamespace() === chaincode);
  if (namespace === undefined) return [];
  return ledger.rwset.kvrwset.KVRWSet.deserializeBinary(namespace.getRwset_asU8())
    .getReadsList()
    .filter((read) => read.hasVersion())
    .map((read) => read.getKey());
}

function publicWrite(write: ledger.rwset.kvrwset.KVWrite): LedgerWrite {
  const value = write.getValue_asU8();
  const isDelete = write.getIsDelete() || value.length === 0;
  return { key: write.getKey(), isDelete, isPurge: false, ...(isDelete ? {} : { value }) };
}

function privateWrite(
  collection: string,
  write: ledger.rwset.kvrwset.KVWriteHash,
  held: ReadonlyMap<string, ClearWrite> | undefined,
): LedgerWrite {
  const keyHash = hex(write.getKeyHash_asU8());
  const valueHash = write.getValueHash_asU8();
  const clear = held?.get(keyHash);
  // A value whose hash is not the one everybody agreed on is not the value: only the hash is passed on.
  const genuine = clear !== undefined && !write.getIsDelete() && sha256Hex(clear.value) === hex(valueHash);
  return {
    collection,
    keyHash,
    isDelete: write.getIsDelete(),
    isPurge: write.getIsPurge(),
    ...(valueHash.length > 0 ? { valueHash: hex(valueHash) } : {}),
    ...(clear === undefined ? {} : { key: clear.key }),
    ...(genuine ? { value: clear.value } : {}),
  };
}

function sha256Hex(content: string | Uint8Array): string {
  return hash('sha256', content, 'hex');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
