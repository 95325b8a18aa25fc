/** Merkle trees as RFC 9162 section 2.1.1 defines them, over SHA-256, as the contracts verify them. */
import { createHash } from 'node:crypto';

/** Root over items, 32 bytes. */
export function merkleRoot(items: readonly Uint8Array[]): Buffer {
  if (items.length === 0) return sha256();
  const [only] = items;
  if (items.length === 1 && only !== undefined) return sha256(Buffer.of(0), only);
  const split = splitOf(items.length);
  return sha256(Buffer.of(1), merkleRoot(items.slice(0, split)), merkleRoot(items.slice(split)));
}

/** Proof of the item at an index: sibling hashes from the leaf up. RangeError outside the list. */
export function merklePath(items: readonly Uint8Array[], index: number): readonly Buffer[] {
  if (index < 0 || index >= items.length) throw new RangeError('no item at this index');
  if (items.length === 1) return [];
  const split = splitOf(items.length);
  const [left, right] = [items.slice(0, split), items.slice(split)];
  return index < split
    ? [...merklePath(left, index), merkleRoot(right)]
    : [...merklePath(right, index - split), merkleRoot(left)];
}

/** The largest power of two smaller than the count. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
