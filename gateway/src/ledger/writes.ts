/** What a transaction wrote, public writes in clear, private ones as hashes joined with the values this member holds. */
import { hash } from 'node:crypto';

import { ledger } from '@hyperledger/fabric-protos';

import type { LedgerWrite } from '../ports.js';

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

/** The writes of one namespace of a serialized rwset.TxReadWriteSet. */
export function decodeWrites(results: Uint8Array, chaincode: string, clear: PrivateWrites | undefined): LedgerWrite[] {
  const set = ledger.rwset.TxReadWriteSet.deserializeBinary(results);
  const namespace = set.getNsRwsetList().find((each) => each.getNamespace() === chaincode);
  if (namespace === undefined) return [];
  const writes = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(namespace.getRwset_asU8())
    .getWritesList()
    .map(publicWrite);
  for (const collection of namespace.getCollectionHashedRwsetList()) {
    const name = collection.getCollectionName();
    const held = clear?.get(name);
    const hashed = ledger.rwset.kvrwset.HashedRWSet.deserializeBinary(collection.getHashedRwset_asU8());
    for (const write of hashed.getHashedWritesList()) writes.push(privateWrite(name, write, held));
  }
  return writes;
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
