/**
 * Merkle trees of one size whatever they hold: items lie at places drawn under a secret seed, and what is empty is filled under
 * it, so that neither root, places nor proofs say how many there are. A proof is one of `merkle.ts`, among TREE_PLACES.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

import { leafHash, nodeHash } from './merkle';

/** Levels above the items, and so hashes in every proof. */
const DEPTH = 16;
/** Places of each tree. */
export const TREE_PLACES = 2 ** DEPTH;
/** Bytes of a place as it is drawn. */
const PLACE_BYTES = 2;

type Level = ReadonlyMap<number, Buffer>;

/** Who knows items and seed makes root and proofs. */
export class SparseMerkleTree {
  /** 32 bytes. */
  readonly root: Buffer;
  readonly #seed: KeyObject;
  readonly #places: readonly number[];
  readonly #levels: Level[] = [];

  /** Over these items, in their order (their bytes; salted by the caller), under 32 secret bytes. RangeError for more than fit. */
  constructor(items: readonly Uint8Array[], seed: Uint8Array) {
    // A key made ready once takes a seventh of the time.
    this.#seed = createSecretKey(seed);
    this.#places = placesOf(items.length, this.#seed);
    let level: Level = new Map(items.map((item, index) => [this.#places[index] ?? 0, leafHash(item)]));
    for (let depth = 0; depth < DEPTH; depth += 1) {
      this.#levels.push(level);
      level = this.#above(level, depth);
    }
    this.root = level.get(0) ?? filling(this.#seed, DEPTH, 0);
  }

  /** Where an item lies, with its inclusion proof. RangeError for an item that is not there. */
  proof(item: number): { readonly index: number; readonly path: readonly Buffer[] } {
    const index = this.#places[item];
    if (index === undefined) throw new RangeError('no item at this index');
    const path = Array.from({ length: DEPTH }, (_, depth) => this.#at(depth, beside(Math.floor(index / 2 ** depth))));
    return { index, path };
  }

  #above(level: Level, depth: number): Level {
    const above = new Map<number, Buffer>();
    for (const [place, node] of level) {
      const parent = Math.floor(place / 2);
      if (above.has(parent)) continue;
      const other = this.#at(depth, beside(place));
      above.set(parent, place % 2 === 0 ? nodeHash(node, other) : nodeHash(other, node));
    }
    return above;
  }

  #at(depth: number, place: number): Buffer {
    return this.#levels[depth]?.get(place) ?? filling(this.#seed, depth, place);
  }
}

function beside(place: number): number {
  return place % 2 === 0 ? place + 1 : place - 1;
}

/** As random as a hash to whoever does not know the seed. */
function filling(seed: KeyObject, depth: number, place: number): Buffer {
  return createHmac('sha256', seed).update(`${depth}/${place}`).digest();
}

/** So many different places. */
function placesOf(count: number, seed: KeyObject): readonly number[] {
  if (count > TREE_PLACES) throw new RangeError(`a tree has ${TREE_PLACES} places`);
  const places = new Set<number>();
  for (let draw = 0; places.size < count; draw += 1) {
    const drawn = createHmac('sha256', seed).update(`places/${draw}`).digest();
    for (let at = 0; at < drawn.length && places.size < count; at += PLACE_BYTES) places.add(drawn.readUInt16BE(at));
  }
  return [...places];
}
