import { hash } from 'node:crypto';
import { ledger } from '@hyperledger/fabric-protos';
import { blockToLive, collectionConfig, ownerOfImplicit } from '../lifecycle/definition.js';
import { mspsOfPolicy } from '../policy/signature-policy.js';
import { parsePrivateSets, type CollectionReadWriteSet, type PrivateWriteSet } from '../rwset/parse.js';
import type { PrivateBlock, PrivateChange, PrivateKey, PrivateStore } from '../store/private-store.js';
import type { ExpiringKey } from '../store/state-reader.js';
import type { ValidatedBlock, ValidatedTransaction } from './block-validator.js';
import type { Definitions } from './endorsement.js';
import { Code } from './envelope.js';

const { kvrwset } = ledger.rwset;

type PrivatePart = PrivateBlock['parts'][number];

/** Finds the private write sets a block's hashes speak of, wherever among the members they are on their way. */
export class PrivateSets {
  private readonly known = new Map<string, PrivateWriteSet[]>();

  constructor(private readonly members: ReadonlyMap<string, PrivateStore>) {}

  /** The set with this hash: the member's own copy first, else another's, as peers pull from each other. */
  find(mspId: string, txId: string, namespace: string, part: CollectionReadWriteSet): Buffer | undefined {
    const others = [...this.members.keys()].filter((other) => other !== mspId);
    for (const holder of [mspId, ...others]) {
      const match = this.setsOf(holder, txId).find(
        (set) =>
          set.namespace === namespace &&
          set.collection === part.collection &&
          sha256(set.bytes).equals(part.privateHash),
      );
      if (match !== undefined) return match.bytes;
    }
    return undefined;
  }

  private setsOf(mspId: string, txId: string): PrivateWriteSet[] {
    const position = `${mspId}\0${txId}`;
    let sets = this.known.get(position);
    if (sets === undefined) {
      sets = (this.members.get(mspId)?.transient.get(txId) ?? []).flatMap((bytes) => parsePrivateSets(bytes));
      this.known.set(position, sets);
    }
    return sets;
  }
}

/** What a validated block adds to one member's private store. */
export function collectPrivate(
  number: number,
  block: ValidatedBlock,
  mspId: string,
  store: PrivateStore,
  sets: PrivateSets,
  expired: readonly ExpiringKey[],
): PrivateBlock {
  const values = new ChangedValues(store);
  const parts: PrivatePart[] = [];
  const purges: (PrivateKey & { tx: number })[] = [];
  const hidden: (PrivateKey & { tx: number })[] = [];
  for (const transaction of block.transactions) {
    const isValid = transaction.code === Code.VALID;
    for (const part of partsFor(number, transaction, mspId, sets, block.definitions)) {
      parts.push(part);
      if (isValid) values.write(part);
      else hidden.push(...writtenBy(part));
    }
    if (!isValid) continue;
    for (const key of purgedKeys(transaction)) {
      purges.push(key);
      values.remove(key, transaction.tx);
    }
  }
  values.followMetadata(block);
  for (const key of expired) values.remove(key, 0);
  return { number, values: values.all(), parts, purges, hidden: [...hidden, ...values.replaced] };
}

/** Blocks a collection's private values live for; 0 for ever. */
export function timeToLive(definitions: Definitions, namespace: string, collection: string): number {
  return blockToLive(definitions.get(namespace)?.collections.get(collection));
}

function* partsFor(
  number: number,
  { id, tx, sets: namespaces }: ValidatedTransaction,
  mspId: string,
  sets: PrivateSets,
  definitions: Definitions,
): IterableIterator<PrivatePart> {
  for (const { namespace, collections } of namespaces) {
    for (const part of collections) {
      if (part.privateHash.length === 0 || !holds(mspId, namespace, part.collection, definitions)) continue;
      const bytes = sets.find(mspId, id ?? '', namespace, part);
      if (bytes === undefined) continue;
      const life = timeToLive(definitions, namespace, part.collection);
      const expires = life === 0 ? undefined : number + life + 1;
      yield { namespace, collection: part.collection, tx, bytes, expires };
    }
  }
}

/** Whether the member's peers keep a collection's values: its owner, or an organization its member policy names. */
function holds(mspId: string, namespace: string, collection: string, definitions: Definitions): boolean {
  const owner = ownerOfImplicit(collection);
  if (owner !== undefined) return owner === mspId;
  const config = definitions.get(namespace)?.collections.get(collection);
  if (config === undefined) return false;
  const members = collectionConfig(config).getMemberOrgsPolicy()?.getSignaturePolicy();
  return members !== undefined && mspsOfPolicy(members).has(mspId);
}

function* purgedKeys({ tx, sets }: ValidatedTransaction): IterableIterator<PrivateKey & { tx: number }> {
  for (const { namespace, collections } of sets) {
    for (const { collection, hashed } of collections) {
      for (const write of hashed.getHashedWritesList()) {
        if (!write.getIsPurge()) continue;
        yield { namespace, collection, keyHash: Buffer.from(write.getKeyHash_asU8()), tx };
      }
    }
  }
}

function metadataKeys({ sets }: ValidatedTransaction): PrivateKey[] {
  return sets.flatMap(({ namespace, collections }) =>
    collections.flatMap(({ collection, hashed }) =>
      hashed
        .getMetadataWritesList()
        .map((write) => ({ namespace, collection, keyHash: Buffer.from(write.getKeyHash_asU8()) })),
    ),
  );
}

/** A member's private values as a block leaves them. */
class ChangedValues {
  private readonly changes = new Map<string, PrivateChange>();
  /** Changes that a later transaction of the block took the place of. */
  readonly replaced: PrivateChange[] = [];

  constructor(private readonly store: PrivateStore) {}

  all(): PrivateChange[] {
    return [...this.changes.values()];
  }

  write(part: PrivatePart): void {
    for (const change of writtenBy(part)) this.set(change);
  }

  /** Deletes a key known by hash, where the member holds it. */
  remove(at: PrivateKey, tx: number): void {
    const found = this.newest(at);
    if (found === undefined) return;
    const { namespace, collection, keyHash } = at;
    this.set({ namespace, collection, keyHash, key: found.key, tx, value: undefined });
  }

  /** A change of metadata alone moves the version of the hash; the value's follows, or it would look stale. */
  followMetadata({ transactions, batch }: ValidatedBlock): void {
    for (const key of transactions.filter(({ code }) => code === Code.VALID).flatMap(metadataKeys)) {
      const hash = batch.get(key.namespace, key.collection, key.keyHash);
      if (hash?.value !== undefined) this.move(key, hash.value, hash.version.tx);
    }
  }

  private move(at: PrivateKey, valueHash: Buffer, tx: number): void {
    const found = this.newest(at);
    if (found?.value === undefined || !sha256(found.value).equals(valueHash)) return;
    const { namespace, collection, keyHash } = at;
    this.set({ namespace, collection, keyHash, key: found.key, tx, value: found.value });
  }

  private newest(at: PrivateKey): { readonly key: Buffer; readonly value: Buffer | undefined } | undefined {
    return this.changes.get(position(at)) ?? this.store.newest(at);
  }

  private set(change: PrivateChange): void {
    const at = position(change);
    const before = this.changes.get(at);
    if (before !== undefined) this.replaced.push(before);
    this.changes.set(at, change);
  }
}

function* writtenBy({ namespace, collection, bytes, tx }: PrivatePart): IterableIterator<PrivateChange> {
  for (const write of kvrwset.KVRWSet.deserializeBinary(bytes).getWritesList()) {
    const key = Buffer.from(write.getKey());
    const value = Buffer.from(write.getValue_asU8());
    const isDelete = write.getIsDelete() || value.length === 0;
    yield { namespace, collection, key, keyHash: sha256(key), tx, value: isDelete ? undefined : value };
  }
}

function position({ namespace, collection, keyHash }: PrivateKey): string {
  return `${namespace}\0${collection}\0${keyHash.toString('base64')}`;
}

function sha256(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer');
}
