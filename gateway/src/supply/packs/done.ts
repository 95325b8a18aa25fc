/** Whether an act that was begun before the gateway was killed took effect, from the item as the ledger has it. */
import { type ActName, commitmentOf, type Item } from '@salus/chaincode/supply/api';

import { Refusal } from '../../ledger/refusal.js';

/** Who acted, and what opens the item for it. */
export interface Begun {
  readonly member: string;
  /** The salt the act was signed with. */
  readonly salt: string;
  /** Salted hash of actor and premises. */
  readonly premises: string;
  /** Of a dispense: the fill that it spends. */
  readonly fill?: string | undefined;
  /** Whether this member drew the salt of a commitment, so that it named the receiver or carrier itself. */
  readonly isDrawn: (commitment: string) => boolean;
}

type Judge = (item: Item, opened: string, begun: Begun) => boolean;

const inHand: Judge = ({ state, owner }, opened) => state === 'active' && owner === opened;
const shipped: Judge = ({ state, owner, shipment }, opened, { isDrawn }) =>
  state === 'in-transit' && owner === opened && isDrawn(shipment?.receiver ?? '');
const ended: Judge = ({ ended: end }, _opened, { member, premises }) =>
  end?.member === member && end.premises === premises;

const JUDGES: Readonly<Record<ActName, Judge>> = {
  ship: shipped,
  return: shipped,
  'hand-over': ({ state, holder }, _opened, { isDrawn }) => state === 'in-transit' && isDrawn(holder),
  decline: ({ state, owner, shipment }) => state === 'in-transit' && shipment?.receiver === owner,
  receive: ({ state, owner, holder }, opened) =>
    ['active', 'returned'].includes(state) && owner === opened && holder === opened,
  // One person may have dispensed the pack there on another prescription.
  dispense: (item, opened, begun) => ended(item, opened, begun) && item.ended?.fill === begun.fill,
  decommission: ended,
  unpack: (item, opened, begun) => inHand(item, opened, begun) && item.parent === undefined,
  'verify-return': inHand,
  undo: inHand,
};

/** Whether the item is as the act leaves it, by this member's own hand. */
export function isDone(act: ActName, item: Item, begun: Begun): boolean {
  return JUDGES[act](item, commitmentOf(begun.member, begun.salt), begun);
}

/** What an act that took effect before leads to: whom the item went to. */
export interface DoneBefore {
  readonly to?: string | undefined;
}

/** Does work unless it was done before; that may show only once it is refused, when the outbox has sent it meanwhile. */
export async function unlessDoneBefore(
  again: boolean,
  doneBefore: () => Promise<DoneBefore | undefined>,
  work: () => Promise<void>,
): Promise<DoneBefore | undefined> {
  const before = again ? await doneBefore() : undefined;
  if (before !== undefined) return before;
  try {
    await work();
    return undefined;
  } catch (error) {
    const meanwhile = again && error instanceof Refusal ? await doneBefore() : undefined;
    if (meanwhile === undefined) throw error;
    return meanwhile;
  }
}
