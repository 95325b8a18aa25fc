/** Which of the salts that a member keeps opens an item as it stands on the ledger. */
import { commitmentOf, type Item } from '@salus/chaincode/supply/api';

import type { Ledger } from '../../ports.js';
import type { KnownItem, PackShelf, SaltOf } from './shelf.js';
import { statusOf } from './status.js';

/** Whose commitment is to be opened. */
export type Opened = 'owner' | 'holder' | 'receiver';

const KEPT: Readonly<Record<Opened, readonly SaltOf[]>> = {
  owner: ['own'],
  // Who carries holds, and so does whoever owns and did not hand over.
  holder: ['carry', 'own'],
  // What was declined is on its way back to whoever owns it.
  receiver: ['receive', 'own'],
};

/** What is kept, and the ledger to compare it with. */
export interface OpeningPorts {
  readonly member: string;
  readonly shelf: PackShelf;
  readonly ledger: Pick<Ledger, 'evaluate'>;
}

/**
 * The salt that opens the item, its own or that of a container it lies in; undefined where none is kept. Of several, left
 * from earlier times it was here, the ledger says which.
 */
export async function opening(ports: OpeningPorts, known: KnownItem, as: Opened): Promise<string | undefined> {
  const carried = as === 'holder' ? ports.shelf.carrySalts(known) : [];
  const salts = [...new Set([...ports.shelf.salts(known.epc, KEPT[as]), ...carried])];
  if (salts.length < 2) return salts[0];
  const { item } = await statusOf(ports.ledger, known);
  const wanted = item === null ? undefined : commitmentIn(item, as);
  return salts.find((salt) => commitmentOf(ports.member, salt) === wanted) ?? salts[0];
}

function commitmentIn({ owner, holder, shipment }: Item, as: Opened): string | undefined {
  return { owner, holder, receiver: shipment?.receiver }[as];
}
