import type { HashedValue, StateValue, Version } from '../ports.js';
import type { NamespaceReadWriteSet } from '../rwset/parse.js';
import type { KeyVersion } from '../store/state-reader.js';
import { writtenKeys, type KeyWrite } from './writes.js';

/** What validation reads of the state before the block. */
export interface CommittedState {
  state(namespace: string, key: string): StateValue | undefined;
  hashed(namespace: string, collection: string, keyHash: Buffer): HashedValue | undefined;
  /** Public keys in [start, end), or to the end of the namespace when `end` is undefined. */
  versions(namespace: string, start: string, end: string | undefined): Iterable<KeyVersion>;
}

/** A key after the valid transactions so far; a value of undefined deletes it. */
export interface UpdatedKey {
  readonly namespace: string;
  /** Empty for public state. */
  readonly collection: string;
  readonly key: Buffer;
  readonly value: Buffer | undefined;
  readonly metadata: Buffer | undefined;
  readonly version: Version;
}

interface Latest {
  readonly value: Buffer | undefined;
  readonly metadata: Buffer | undefined;
}

/** The changes of a block's valid transactions, each on top of those before it (txmgmt/validation). */
export class UpdateBatch {
  private readonly keys = new Map<string, UpdatedKey>();

  constructor(private readonly committed: CommittedState) {}

  has(namespace: string, collection: string, key: Buffer): boolean {
    return this.keys.has(position(namespace, collection, key));
  }

  get(namespace: string, collection: string, key: Buffer): UpdatedKey | undefined {
    return this.keys.get(position(namespace, collection, key));
  }

  /** All changed keys. */
  all(): UpdatedKey[] {
    return [...this.keys.values()];
  }

  /** Applies one valid transaction. */
  apply(sets: readonly NamespaceReadWriteSet[], version: Version): void {
    const writes = sets.flatMap(writtenKeys);
    const updates = writes.flatMap((write) => this.merge(write, version) ?? []);
    for (const update of updates) {
      this.keys.set(position(update.namespace, update.collection, update.key), update);
    }
  }

  /** Public keys in [start, end), or to the end of the namespace, as committed and changed so far. */
  *range(namespace: string, start: string, end: string | undefined): IterableIterator<KeyVersion> {
    const changed = this.changedIn(namespace, start, end);
    let next = 0;
    for (const committed of this.committed.versions(namespace, start, end)) {
      const key = Buffer.from(committed.key);
      for (; next < changed.length && before(changed[next], key); next += 1) yield* present(changed[next]);
      const replaced = changed[next]?.key.equals(key) === true;
      if (!replaced) yield committed;
    }
    for (; next < changed.length; next += 1) yield* present(changed[next]);
  }

  private changedIn(namespace: string, start: string, end: string | undefined): UpdatedKey[] {
    const from = Buffer.from(start);
    const to = end === undefined ? undefined : Buffer.from(end);
    return this.all()
      .filter((one) => one.namespace === namespace && one.collection === '')
      .filter(({ key }) => from.compare(key) <= 0 && (to === undefined || to.compare(key) > 0))
      .sort((a, b) => a.key.compare(b.key));
  }

  /** A value keeps the key's metadata, metadata keep its value; metadata of an absent key are no change. */
  private merge(write: KeyWrite, version: Version): UpdatedKey | undefined {
    const { namespace, collection, key } = write;
    const updated = (value: Buffer | undefined, metadata: Buffer | undefined): UpdatedKey => ({
      namespace,
      collection,
      key,
      value,
      metadata,
      version,
    });
    switch (write.kind) {
      case 'delete':
        return updated(undefined, undefined);
      case 'value-and-metadata':
        return updated(write.value, write.metadata);
      case 'value':
        return updated(write.value, this.latest(write).metadata);
      case 'metadata': {
        const { value } = this.latest(write);
        return value === undefined ? undefined : updated(value, write.metadata);
      }
    }
  }

  private latest({ namespace, collection, key }: KeyWrite): Latest {
    const updated = this.get(namespace, collection, key);
    if (updated !== undefined) return updated;
    if (collection === '') {
      const found = this.committed.state(namespace, key.toString());
      return { value: found?.value, metadata: found?.metadata };
    }
    const found = this.committed.hashed(namespace, collection, key);
    return { value: found?.valueHash, metadata: found?.metadata };
  }
}

function position(namespace: string, collection: string, key: Buffer): string {
  return `${namespace}\0${collection}\0${key.toString('latin1')}`;
}

function before(update: UpdatedKey | undefined, key: Buffer): boolean {
  return update !== undefined && update.key.compare(key) < 0;
}

function* present(update: UpdatedKey | undefined): IterableIterator<KeyVersion> {
  if (update?.value !== undefined) yield { key: update.key.toString(), version: update.version };
}
