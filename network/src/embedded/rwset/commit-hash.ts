import { createHash } from 'node:crypto';

/** One key's final change in a block, as the commit hash covers it; a value of undefined is a deletion. */
export interface Update {
  readonly namespace: string;
  /** Empty for public state. */
  readonly collection: string;
  /** UTF-8 key, or the key's hash in a collection. */
  readonly key: Buffer;
  readonly value: Buffer | undefined;
  readonly version: { readonly block: number; readonly tx: number };
}

const FIELD = { kvWrites: 1, namespace: 1, collection: 2, key: 3, isDelete: 4, value: 5, version: 6 } as const;
const VARINT = 0;
const BYTES = 2;

/**
 * The `Updates` message over a block's changes (txmgmt/txmgr/update_batch_bytes.go): by namespace, public keys before
 * collections, then by key, all in byte order; a namespace or collection is named on its first entry only.
 */
export function encodeUpdates(updates: readonly Update[]): Buffer {
  const sorted = [...updates].sort(byPosition);
  let namespace = '';
  let collection = '';
  return Buffer.concat(
    sorted.flatMap((update) => {
      const newNamespace = update.namespace !== namespace;
      const newCollection = newNamespace || update.collection !== collection;
      ({ namespace, collection } = update);
      const entry = encodeUpdate(update, newNamespace, newCollection);
      return [Buffer.of((FIELD.kvWrites << 3) | BYTES), varint(entry.length), entry];
    }),
  );
}

/** The hash that chains a block's flags and changes to the block before it (kv_ledger.go addBlockCommitHash). */
export function commitHash(flags: Buffer, updates: Buffer, previous: Buffer): Buffer {
  return createHash('sha256').update(varint(flags.length)).update(flags).update(updates).update(previous).digest();
}

function encodeUpdate(update: Update, withNamespace: boolean, withCollection: boolean): Buffer {
  const parts: Buffer[] = [];
  const bytes = (field: number, value: Buffer): void => {
    if (value.length > 0) parts.push(Buffer.of((field << 3) | BYTES), varint(value.length), value);
  };
  if (withNamespace) bytes(FIELD.namespace, Buffer.from(update.namespace));
  if (withCollection) bytes(FIELD.collection, Buffer.from(update.collection));
  bytes(FIELD.key, update.key);
  if (update.value === undefined) parts.push(Buffer.of((FIELD.isDelete << 3) | VARINT, 1));
  else bytes(FIELD.value, update.value);
  const { block, tx } = update.version;
  bytes(FIELD.version, Buffer.concat([orderPreserving(block), orderPreserving(tx)]));
  return Buffer.concat(parts);
}

function byPosition(a: Update, b: Update): number {
  return (
    Buffer.compare(Buffer.from(a.namespace), Buffer.from(b.namespace)) ||
    Buffer.compare(Buffer.from(a.collection), Buffer.from(b.collection)) ||
    Buffer.compare(a.key, b.key)
  );
}

/** Count of significant bytes, then the number big-endian without leading zeroes. */
function orderPreserving(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.of(bytes.length, ...bytes);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
