/** One slot of an allocation list, and the bytes under which it lies in the list's Merkle tree. */
import { canonical } from '../lib/canonical';
import { merkleRoot } from '../lib/merkle';
import { code, hex256, integer, list, object } from '../lib/schema';

/** Most slots of one stratum's list. */
export const MAX_SLOTS = 5_000;
/** A slot's number, from 1. */
export const slotNumber = integer(1, MAX_SLOTS);

/** What a slot holds. The nonce (256 random bits) keeps the leaf from being guessed among a few arms. */
export interface Allotted {
  readonly slot: number;
  readonly kit: string;
  readonly arm: string;
  readonly nonce: string;
}

/** Parser of a whole list. */
export const parseAllotted = list(
  object<Allotted>({ slot: slotNumber, kit: code, arm: code, nonce: hex256 }),
  1,
  MAX_SLOTS,
);

/** The leaf of a slot: RFC 8785 JSON, UTF-8. */
export function leafOf(trial: string, stratum: string, allotted: Allotted): Buffer {
  return Buffer.from(canonical({ trial, stratum, ...allotted }));
}

/** Root of a stratum's list, lower-case hex. */
export function rootOf(trial: string, stratum: string, slots: readonly Allotted[]): string {
  return merkleRoot(slots.map((each) => leafOf(trial, stratum, each))).toString('hex');
}
