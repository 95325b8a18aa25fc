/** Merkle trees as RFC 9162 section 2.1 defines them, over SHA-256: roots, and proofs of one item. */
import { hash } from 'node:crypto';

/** Root of a list of items (their bytes; salted by the caller), 32 bytes. The root of none is SHA-256 of nothing. */
export function merkleRoot(items: readonly Uint8Array[]): Buffer {
  if (items.length === 0) return sha256();
  const [only] = items;
  if (items.length === 1 && only !== undefined) return leafHash(only);
  const split = splitOf(items.length);
  return nodeHash(merkleRoot(items.slice(0, split)), merkleRoot(items.slice(split)));
}

/** Inclusion proof of the item at an index: sibling hashes from the leaf up. RangeError outside the list. */
export function merklePath(items: readonly Uint8Array[], index: number): readonly Buffer[] {
  if (index < 0 || index >= items.length) throw new RangeError('no item at this index');
  if (items.length === 1) return [];
  const split = splitOf(items.length);
  const [left, right] = [items.slice(0, split), items.slice(split)];
  return index < split
    ? [...merklePath(left, index), merkleRoot(right)]
    : [...merklePath(right, index - split), merkleRoot(left)];
}

/** Inclusion proofs of all items, each as merklePath gives it, for the price of one tree. */
export function merklePaths(items: readonly Uint8Array[]): readonly (readonly Buffer[])[] {
  const paths = items.map((): Buffer[] => []);
  if (items.length > 0) growPaths(items, paths);
  return paths;
}

/** Adds to each path what lies beside it in this tree; its root. */
function growPaths(items: readonly Uint8Array[], paths: readonly Buffer[][]): Buffer {
  const [only] = items;
  if (items.length === 1 && only !== undefined) return leafHash(only);
  const split = splitOf(items.length);
  const [before, after] = [paths.slice(0, split), paths.slice(split)];
  const left = growPaths(items.slice(0, split), before);
  const right = growPaths(items.slice(split), after);
  for (const path of before) path.push(right);
  for (const path of after) path.push(left);
  return nodeHash(left, right);
}

/** Whether the proof leads from this item, at this index among so many, to the root. */
export function isIncluded(
  root: Uint8Array,
  item: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
): boolean {
  const computed = climb(leafHash(item), index, count, path);
  return computed?.equals(root) ?? false;
}

function climb(leaf: Buffer, index: number, count: number, path: readonly Uint8Array[]): Buffer | undefined {
  if (index < 0 || index >= count) return undefined;
  const sibling = path.at(-1);
  if (count === 1) return path.length === 0 ? leaf : undefined;
  if (sibling === undefined) return undefined;
  const split = splitOf(count);
  const below = path.slice(0, -1);
  const isLeft = index < split;
  const child = isLeft ? climb(leaf, index, split, below) : climb(leaf, index - split, count - split, below);
  if (child === undefined) return undefined;
  return isLeft ? nodeHash(child, sibling) : nodeHash(sibling, child);
}

/** The largest power of two smaller than the count. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** Hash of an item. */
export function leafHash(item: Uint8Array): Buffer {
  return sha256(Buffer.of(0), item);
}

/** Hash of two trees of one size, or of a whole one and the rest. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.of(1), left, right);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return hash('sha256', Buffer.concat(parts), 'buffer');
}
