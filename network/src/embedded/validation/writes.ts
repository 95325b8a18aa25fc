import { createHash } from 'node:crypto';
import { ledger } from '@hyperledger/fabric-protos';
import type { NamespaceReadWriteSet } from '../rwset/parse.js';

const { kvrwset } = ledger.rwset;
type MetadataEntry = InstanceType<typeof kvrwset.KVMetadataEntry>;

const HASH_OF_NOTHING = createHash('sha256').digest();

/** What one transaction does to one key: its value, its metadata, or both. */
export type KeyWrite = {
  readonly namespace: string;
  /** Empty for public state. */
  readonly collection: string;
  /** UTF-8 key, or the key's hash in a collection. */
  readonly key: Buffer;
} & (
  | { readonly kind: 'delete' }
  | { readonly kind: 'value'; readonly value: Buffer }
  | { readonly kind: 'metadata'; readonly metadata: Buffer | undefined }
  | { readonly kind: 'value-and-metadata'; readonly value: Buffer; readonly metadata: Buffer | undefined }
);

/**
 * Fabric adds these up for each key (txmgmt/validation/tx_ops.go), so a hand-made set that names a key twice counts as
 * another operation: two values look like a change of metadata.
 */
const OPERATION = { value: 1, metadata: 2, noMetadata: 4, delete: 8 } as const;

interface Operations {
  readonly namespace: string;
  readonly collection: string;
  readonly key: Buffer;
  sum: number;
  value?: Buffer;
  metadata?: Buffer;
}

/** What a transaction does in one namespace, one entry for each key. */
export function writtenKeys(set: NamespaceReadWriteSet): KeyWrite[] {
  const found = new Map<string, Operations>();
  collectPublic(set, found);
  for (const { collection, hashed } of set.collections) {
    const at = (keyHash: Uint8Array): Operations =>
      operationsAt(found, set.namespace, collection, Buffer.from(keyHash));
    for (const write of hashed.getHashedWritesList()) {
      const valueHash = Buffer.from(write.getValueHash_asU8());
      const isDelete = write.getIsDelete() || valueHash.length === 0 || valueHash.equals(HASH_OF_NOTHING);
      addValue(at(write.getKeyHash_asU8()), isDelete ? undefined : valueHash);
    }
    for (const write of hashed.getMetadataWritesList()) {
      addMetadata(at(write.getKeyHash_asU8()), write.getEntriesList());
    }
  }
  return [...found.values()].map(toWrite);
}

function collectPublic(set: NamespaceReadWriteSet, found: Map<string, Operations>): void {
  const at = (key: string): Operations => operationsAt(found, set.namespace, '', Buffer.from(key));
  for (const write of set.public.getWritesList()) {
    const value = Buffer.from(write.getValue_asU8());
    addValue(at(write.getKey()), write.getIsDelete() || value.length === 0 ? undefined : value);
  }
  for (const write of set.public.getMetadataWritesList()) {
    addMetadata(at(write.getKey()), write.getEntriesList());
  }
}

function operationsAt(found: Map<string, Operations>, namespace: string, collection: string, key: Buffer): Operations {
  const position = `${collection}\0${key.toString('latin1')}`;
  let operations = found.get(position);
  if (operations === undefined) {
    operations = { namespace, collection, key, sum: 0 };
    found.set(position, operations);
  }
  return operations;
}

function addValue(operations: Operations, value: Buffer | undefined): void {
  if (value === undefined) {
    operations.sum += OPERATION.delete;
    return;
  }
  operations.sum += OPERATION.value;
  operations.value = value;
}

function addMetadata(operations: Operations, entries: MetadataEntry[]): void {
  if (entries.length === 0) {
    operations.sum += OPERATION.noMetadata;
    return;
  }
  operations.sum += OPERATION.metadata;
  operations.metadata = encodeMetadata(entries);
}

function toWrite({ namespace, collection, key, sum, value, metadata }: Operations): KeyWrite {
  const at = { namespace, collection, key };
  const does = (operation: number): boolean => (sum & operation) !== 0;
  if (does(OPERATION.delete)) return { ...at, kind: 'delete' };
  if (sum === OPERATION.value && value !== undefined) return { ...at, kind: 'value', value };
  if (does(OPERATION.value) && value !== undefined) return { ...at, kind: 'value-and-metadata', value, metadata };
  return { ...at, kind: 'metadata', metadata };
}

/** A key's metadata as stored: a kvrwset.KVMetadataWrite without the key. */
function encodeMetadata(entries: MetadataEntry[]): Buffer {
  const stored = new kvrwset.KVMetadataWrite();
  stored.setEntriesList(entries);
  return Buffer.from(stored.serializeBinary());
}
