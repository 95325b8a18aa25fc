/** What may be done with a unit or container: the table's rows applied. Pure. */
import type { Refusal } from '../lib/refusal';
import {
  type Act,
  ACTS,
  type ActRow,
  commitmentOf,
  type Ended,
  type Item,
  type ItemState,
  refuse,
  UNDO_DAYS,
} from './api';
import { bare, inEffect, type Known } from './origin';
import type { Guard } from './table';

/** Who acts, and what of the consortium bears on it. */
export interface Surroundings {
  readonly member: string;
  readonly role: string;
  /** The member dispenses to the public by its registry entry in force. */
  readonly isPharmacy: boolean;
  /** The consortium's clock, FHIR instant. */
  readonly now: string;
  /** First expiry among its lots, YYYY-MM-DD. */
  readonly expiry: string;
  readonly isRecalled: boolean;
  readonly isQuarantined: boolean;
}

/** The record after an act. Refusals in order: role, origin, state, who, guards in the table's order. */
export function act(request: Act, known: Known, around: Surroundings): Item | Refusal {
  const row: ActRow = ACTS[request.act];
  if (!row.roles.includes(around.role)) {
    return refuse('not-your-role', `only these roles may ${request.act}: ${row.roles.join(', ')}`);
  }
  const item = inEffect(request.item, request.origin, known, request.salt);
  if (item instanceof Error) return item;
  return problem(row, item, request, around) ?? changed(row, item, request, around);
}

function problem(row: ActRow, item: Item, request: Act, around: Surroundings): Refusal | undefined {
  if (!row.from.includes(item.state)) return wrongState(item.state);
  const stranger = notTheirs(row, item, commitmentOf(around.member, request.salt));
  if (stranger !== undefined) return stranger;
  for (const guard of row.guards) {
    const found = GUARDS[guard](item, around, request);
    if (found !== undefined) return found;
  }
  return undefined;
}

function wrongState(state: ItemState): Refusal {
  switch (state) {
    case 'dispensed':
      return refuse('already-dispensed', 'this pack was dispensed: it must not be here');
    case 'decommissioned':
      return refuse('decommissioned', 'this pack left the supply chain: it must not be here');
    case 'in-transit':
      return refuse('in-transit', 'it is on its way: its receiver receives it first');
    case 'returned':
      return refuse('return-not-verified', 'it came back: verify the return first');
    case 'active':
      return refuse('not-in-transit', 'it is in stock: that act comes later in its life');
  }
}

function notTheirs({ who }: ActRow, item: Item, opened: string): Refusal | undefined {
  if (who === 'receiver') {
    if (item.shipment?.receiver === opened) return undefined;
    return refuse('not-the-receiver', 'the shipment names another receiver');
  }
  return item[who] === opened
    ? undefined
    : refuse('not-yours', `the calling member is not its ${who}, or the salt is another`);
}

type Judge = (item: Item, around: Surroundings, request: Act) => Refusal | undefined;
const unless = (isRight: boolean, refusal: () => Refusal): Refusal | undefined => (isRight ? undefined : refusal());

const GUARDS: Readonly<Record<Guard, Judge>> = {
  'in-possession': ({ owner, holder }) =>
    unless(owner === holder, () =>
      refuse('not-in-possession', 'another member holds it: its owner gets it back first'),
    ),
  'not-recalled': (_item, { isRecalled }) =>
    unless(!isRecalled, () => refuse('recalled', 'its lot is recalled: keep it apart')),
  'not-expired': (_item, { expiry, now }) =>
    unless(now.slice(0, 10) <= expiry, () => refuse('expired', 'its last day is over: keep it apart')),
  'not-quarantined': (_item, { isQuarantined }) =>
    unless(!isQuarantined, () => refuse('quarantined', 'it is in quarantine: who holds it there releases it first')),
  'a-unit': ({ isUnit }) =>
    unless(isUnit, () => refuse('not-a-unit', 'that is done with each unit, not with a container')),
  'at-a-pharmacy': (_item, { isPharmacy }) =>
    unless(isPharmacy, () => refuse('not-a-pharmacy', 'only a hospital or pharmacy dispenses')),
  'within-ten-days': ({ ended }, { now }) =>
    unless(ended !== undefined && Date.parse(now) - Date.parse(ended.at) <= UNDO_DAYS * 86_400_000, () =>
      refuse('undo-too-late', `an end is undone within ${UNDO_DAYS} days`),
    ),
  'same-premises': ({ ended }, { member }, { premises }) =>
    unless(ended?.member === member && ended.premises === premises, () =>
      refuse('undo-elsewhere', 'an end is undone by the same actor at the same premises'),
    ),
  undoable: ({ ended }, _around, { supplied }) =>
    unless(isUndoable(ended) && supplied === 'no', () =>
      refuse('not-undoable', 'what was stolen, destroyed, withdrawn or supplied to the public is not undone'),
    ),
};

/** Article 13 (1) (d): not what was destroyed, is to be, was stolen or withdrawn. */
function isUndoable(ended: Ended | undefined): boolean {
  return ended !== undefined && ['dispensed', 'exported', 'sample', 'locked'].includes(ended.reason);
}

function changed(row: ActRow, item: Item, request: Act, around: Surroundings): Item | Refusal {
  const { shipment, owner, holder } = item;
  const next: Item = { ...bare(item), owner, holder, state: row.to };
  switch (request.act) {
    case 'ship':
    case 'return':
      return shipped(next, request, around);
    case 'hand-over':
      return handedOver(next, shipment, request.to);
    case 'decline':
      return declined(next, around);
    case 'receive':
      return received(next, shipment, commitmentOf(around.member, request.salt));
    case 'dispense':
      return end(next, 'dispensed', request, around);
    case 'decommission':
      return end(next, request.reason ?? 'locked', request, around);
    default:
      return next;
  }
}

function handedOver(next: Item, shipment: Item['shipment'], to: string | undefined): Item | Refusal {
  if (to === undefined) return refuse('incomplete-act', 'name who takes it over: to');
  return { ...next, holder: to, ...(shipment === undefined ? {} : { shipment }) };
}

function shipped(next: Item, { act: name, to }: Act, { now }: Surroundings): Item | Refusal {
  if (to === undefined) return refuse('incomplete-act', 'name the receiver: to');
  return { ...next, shipment: { receiver: to, isReturn: name === 'return', shipped: now } };
}

/** On its way back to whoever shipped it, as what went astray, or was stolen on its way, is: that one receives it. */
function declined(next: Item, { now }: Surroundings): Item {
  return { ...next, shipment: { receiver: next.owner, isReturn: true, shipped: now } };
}

function received(next: Item, shipment: Item['shipment'], receiver: string): Item {
  return { ...next, owner: receiver, holder: receiver, state: shipment?.isReturn === true ? 'returned' : next.state };
}

function end(next: Item, reason: Ended['reason'], request: Act, { member, now }: Surroundings): Item | Refusal {
  const { premises, fill } = request;
  if (premises === undefined) return refuse('incomplete-act', 'name actor and premises as a salted hash: premises');
  const spent = reason === 'dispensed' && fill !== undefined ? { fill } : {};
  return { ...next, ended: { reason, at: now, member, premises, ...spent } };
}
