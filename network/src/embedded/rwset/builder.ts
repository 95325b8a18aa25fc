import { createHash } from 'node:crypto';
import { ledger } from '@hyperledger/fabric-protos';
import type { Version } from '../ports.js';
import { privateHash, versionMessage } from './keys.js';

const { HashedRWSet, KVMetadataEntry, KVMetadataWrite, KVMetadataWriteHash } = ledger.rwset.kvrwset;
const { KVRead, KVReadHash, KVRWSet, KVWrite, KVWriteHash } = ledger.rwset.kvrwset;
const { CollectionHashedReadWriteSet, CollectionPvtReadWriteSet, NsPvtReadWriteSet } = ledger.rwset;
const { NsReadWriteSet, TxPvtReadWriteSet, TxReadWriteSet } = ledger.rwset;

/** The result of a simulation, byte for byte as a peer of Fabric writes it. */
export interface ReadWriteSets {
  /** rwset.TxReadWriteSet. */
  readonly publicSet: Buffer;
  /** rwset.TxPvtReadWriteSet; absent when no collection was written. */
  readonly privateSet?: Buffer;
}

interface CollectionSets {
  readonly reads: Map<string, ledger.rwset.kvrwset.KVReadHash>;
  readonly writes: Map<string, ledger.rwset.kvrwset.KVWriteHash>;
  readonly metadata: Map<string, ledger.rwset.kvrwset.KVMetadataWriteHash>;
  readonly clearWrites: Map<string, ledger.rwset.kvrwset.KVWrite>;
  readonly clearMetadata: Map<string, ledger.rwset.kvrwset.KVMetadataWrite>;
}

interface NamespaceSets {
  readonly reads: Map<string, ledger.rwset.kvrwset.KVRead>;
  readonly writes: Map<string, ledger.rwset.kvrwset.KVWrite>;
  readonly metadata: Map<string, ledger.rwset.kvrwset.KVMetadataWrite>;
  readonly ranges: Map<string, ledger.rwset.kvrwset.RangeQueryInfo>;
  readonly collections: Map<string, CollectionSets>;
}

/** Collects what a simulation reads and writes; one entry per key, the last write wins (rwsetutil/rwset_builder.go). */
export class RwsetBuilder {
  readonly #namespaces = new Map<string, NamespaceSets>();

  read(namespace: string, key: string, version: Version | undefined): void {
    const read = new KVRead();
    read.setKey(key);
    read.setVersion(versionMessage(version));
    this.#namespace(namespace).reads.set(key, read);
  }

  /** Keeps the first of identical ranges. */
  range(namespace: string, info: ledger.rwset.kvrwset.RangeQueryInfo): void {
    const { ranges } = this.#namespace(namespace);
    const id = JSON.stringify([info.getStartKey(), info.getEndKey(), info.getItrExhausted()]);
    if (!ranges.has(id)) ranges.set(id, info);
  }

  /** An empty value is a delete. */
  write(namespace: string, key: string, value: Uint8Array): void {
    this.#namespace(namespace).writes.set(key, keyWrite(key, value));
  }

  metadata(namespace: string, key: string, name: string, value: Uint8Array): void {
    const write = new KVMetadataWrite();
    write.setKey(key);
    write.setEntriesList([metadataEntry(name, value)]);
    this.#namespace(namespace).metadata.set(key, write);
  }

  privateRead(namespace: string, collection: string, key: string, version: Version | undefined): void {
    const read = new KVReadHash();
    read.setKeyHash(privateHash(key));
    read.setVersion(versionMessage(version));
    this.#collection(namespace, collection).reads.set(key, read);
  }

  /** An empty value is a delete; a purge is a delete that also removes what older blocks hold of the key. */
  privateWrite(namespace: string, collection: string, key: string, value: Uint8Array, purge = false): void {
    const sets = this.#collection(namespace, collection);
    const hashed = new KVWriteHash();
    hashed.setKeyHash(privateHash(key));
    hashed.setIsDelete(value.length === 0);
    hashed.setValueHash(privateHash(value));
    hashed.setIsPurge(purge);
    sets.writes.set(key, hashed);
    sets.clearWrites.set(key, keyWrite(key, value));
  }

  privateMetadata(namespace: string, collection: string, key: string, name: string, value: Uint8Array): void {
    const sets = this.#collection(namespace, collection);
    const hashed = new KVMetadataWriteHash();
    hashed.setKeyHash(privateHash(key));
    hashed.setEntriesList([metadataEntry(name, value)]);
    sets.metadata.set(key, hashed);
    // The clear set carries the bare key, so that members know which key the metadata is of.
    const clear = new KVMetadataWrite();
    clear.setKey(key);
    sets.clearMetadata.set(key, clear);
  }

  /** The namespaces touched, in order, with the collections touched in each. */
  touched(): { readonly namespace: string; readonly collections: readonly string[] }[] {
    return sorted(this.#namespaces).map(([namespace, sets]) => ({
      namespace,
      collections: sorted(sets.collections).map(([name]) => name),
    }));
  }

  build(): ReadWriteSets {
    const publicSet = new TxReadWriteSet();
    const privateSet = new TxPvtReadWriteSet();
    for (const [namespace, sets] of sorted(this.#namespaces)) {
      const clear = clearCollections(sets);
      if (clear.size > 0) privateSet.addNsPvtRwset(privateNamespace(namespace, clear));
      publicSet.addNsRwset(publicNamespace(namespace, sets, clear));
    }
    const publicBytes = Buffer.from(publicSet.serializeBinary());
    if (privateSet.getNsPvtRwsetList().length === 0) return { publicSet: publicBytes };
    return { publicSet: publicBytes, privateSet: Buffer.from(privateSet.serializeBinary()) };
  }

  #namespace(name: string): NamespaceSets {
    const known = this.#namespaces.get(name);
    if (known) return known;
    const made = {
      reads: new Map(),
      writes: new Map(),
      metadata: new Map(),
      ranges: new Map(),
      collections: new Map(),
    } satisfies NamespaceSets;
    this.#namespaces.set(name, made);
    return made;
  }

  #collection(namespace: string, name: string): CollectionSets {
    const { collections } = this.#namespace(namespace);
    const known = collections.get(name);
    if (known) return known;
    const made = {
      reads: new Map(),
      writes: new Map(),
      metadata: new Map(),
      clearWrites: new Map(),
      clearMetadata: new Map(),
    } satisfies CollectionSets;
    collections.set(name, made);
    return made;
  }
}

/** In the order of the keys' UTF-8 bytes, as Fabric sorts them; JavaScript's own order differs above U+FFFF. */
function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  if (map.size < 2) return [...map];
  const keyed = [...map].map((entry) => ({ entry, bytes: Buffer.from(entry[0]) }));
  return keyed.sort((left, right) => Buffer.compare(left.bytes, right.bytes)).map(({ entry }) => entry);
}

function values<T>(map: ReadonlyMap<string, T>): T[] {
  return sorted(map).map(([, value]) => value);
}

/** kvrwset.KVRWSet of every written collection, serialized, by name in order. */
function clearCollections(sets: NamespaceSets): Map<string, Uint8Array> {
  const written = new Map<string, Uint8Array>();
  for (const [name, { clearWrites, clearMetadata }] of sorted(sets.collections)) {
    if (clearWrites.size === 0 && clearMetadata.size === 0) continue;
    const set = new KVRWSet();
    set.setWritesList(values(clearWrites));
    set.setMetadataWritesList(values(clearMetadata));
    written.set(name, set.serializeBinary());
  }
  return written;
}

function privateNamespace(namespace: string, clear: Map<string, Uint8Array>): ledger.rwset.NsPvtReadWriteSet {
  const message = new NsPvtReadWriteSet();
  message.setNamespace(namespace);
  for (const [name, bytes] of clear) {
    const collection = new CollectionPvtReadWriteSet();
    collection.setCollectionName(name);
    collection.setRwset(bytes);
    message.addCollectionPvtRwset(collection);
  }
  return message;
}

function publicNamespace(
  namespace: string,
  sets: NamespaceSets,
  clear: Map<string, Uint8Array>,
): ledger.rwset.NsReadWriteSet {
  const set = new KVRWSet();
  set.setReadsList(values(sets.reads));
  set.setRangeQueriesInfoList([...sets.ranges.values()]);
  set.setWritesList(values(sets.writes));
  set.setMetadataWritesList(values(sets.metadata));
  const message = new NsReadWriteSet();
  message.setNamespace(namespace);
  message.setRwset(set.serializeBinary());
  message.setCollectionHashedRwsetList(
    sorted(sets.collections).map(([name, collection]) => hashedCollection(name, collection, clear.get(name))),
  );
  return message;
}

function hashedCollection(
  name: string,
  sets: CollectionSets,
  clear: Uint8Array | undefined,
): ledger.rwset.CollectionHashedReadWriteSet {
  const set = new HashedRWSet();
  set.setHashedReadsList(values(sets.reads));
  set.setHashedWritesList(values(sets.writes));
  set.setMetadataWritesList(values(sets.metadata));
  const message = new CollectionHashedReadWriteSet();
  message.setCollectionName(name);
  message.setHashedRwset(set.serializeBinary());
  if (clear) message.setPvtRwsetHash(createHash('sha256').update(clear).digest());
  return message;
}

function keyWrite(key: string, value: Uint8Array): ledger.rwset.kvrwset.KVWrite {
  const write = new KVWrite();
  write.setKey(key);
  write.setIsDelete(value.length === 0);
  write.setValue(value);
  return write;
}

function metadataEntry(name: string, value: Uint8Array): ledger.rwset.kvrwset.KVMetadataEntry {
  const entry = new KVMetadataEntry();
  entry.setName(name);
  entry.setValue(value);
  return entry;
}
