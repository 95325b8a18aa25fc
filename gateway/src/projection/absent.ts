/** Private writes of a block whose values this member should hold, but its peer has not delivered with the block. */
import { VALID } from '../ledger/blocks.js';
import type { Held, LedgerBlock, LedgerTransaction, LedgerWrite } from '../ports.js';

/** A private key as the public ledger names it. */
export interface HashedKey {
  readonly collection: string;
  /** Hex SHA-256. */
  readonly keyHash: string;
}

/** A write whose private value is not there yet, with the transaction that made it. */
export interface AbsentValue extends HashedKey {
  readonly transaction: LedgerTransaction;
}

/**
 * Values of valid transactions that are not there: not there yet (a peer commits a block without what it could not pull in
 * time, and its reconciler brings it later), or purged since. The block alone does not tell which.
 */
export function absentValues(block: LedgerBlock, held: Held): AbsentValue[] {
  const absent: AbsentValue[] = [];
  forEachHeld(block, held, (write, name, transaction) => {
    if (!write.isDelete && write.value === undefined) absent.push({ transaction, ...name });
  });
  return absent;
}

/** The keys that a block purges. */
export function purgedKeys(block: LedgerBlock, held: Held): HashedKey[] {
  const purged: HashedKey[] = [];
  forEachHeld(block, held, (write, name) => {
    if (write.isPurge) purged.push(name);
  });
  return purged;
}

function forEachHeld(
  { transactions }: LedgerBlock,
  held: Held,
  look: (write: LedgerWrite, name: HashedKey, transaction: LedgerTransaction) => void,
): void {
  for (const transaction of transactions) {
    if (transaction.code !== VALID) continue;
    for (const write of transaction.writes) {
      const { collection, keyHash } = write;
      if (collection === undefined || keyHash === undefined || !held(collection)) continue;
      look(write, { collection, keyHash }, transaction);
    }
  }
}
