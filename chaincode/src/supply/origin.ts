/** Where items come from and in whose hands they are: pure. */
import { isIncluded } from '../lib/merkle';
import { TREE_PLACES } from '../lib/sparse-merkle';
import type { Refusal } from '../lib/refusal';
import { commitmentOf, type Item, type Lot, type Origin, refuse } from './api';

/** What is known of an item before an act. */
export interface Known {
  /** Its own record. */
  readonly record?: Item | undefined;
  /** The containers it lies in, innermost first: by its record, or as its origin claims. */
  readonly above: readonly Item[];
  /** The lot its origin names. */
  readonly lot?: Lot | undefined;
}

/** The item as it is in effect: what lies in a container has the state and custody of the outermost one. */
export function inEffect(id: string, origin: Origin | undefined, known: Known, salt: string): Item | Refusal {
  const { record, above } = known;
  if (record !== undefined) return underTop(record, above);
  if (origin === undefined) return refuse('unknown-item', 'this item has no record yet: name its origin, with proof');
  const unit = fromLot(id, origin, known.lot, salt);
  if (unit instanceof Error || origin.within === undefined) return unit;
  return within(unit, origin.within, above, known.lot);
}

/** What left its container keeps its own truth; what is inside has the outermost one's. */
function underTop(item: Item, above: readonly Item[]): Item {
  const top = above.at(-1);
  if (top === undefined) return item;
  const { state, owner, holder, shipment } = top;
  return { ...bare(item), state, owner, holder, ...(shipment === undefined ? {} : { shipment }) };
}

/** What of an item no act changes. */
export function bare({ id, isUnit, lots, depth, children, packer }: Item): Omit<Item, 'state' | 'owner' | 'holder'> {
  const inside = children === undefined || packer === undefined ? {} : { children, packer };
  return { id, isUnit, lots, depth, ...inside };
}

/** A unit nobody acted on yet is its issuer's. */
function fromLot(id: string, origin: Origin, lot: Lot | undefined, salt: string): Item | Refusal {
  if (lot === undefined) return refuse('unknown-lot', 'no lot has this id');
  if (!proven(lot, id, origin)) return refuse('not-in-lot', "the proof does not lead from this unit to the lot's root");
  const issuer = commitmentOf(lot.issuer, salt);
  return { id, isUnit: true, lots: [lot.lotId], state: 'active', owner: issuer, holder: issuer, depth: 0 };
}

/** A container speaks for units without records only where their issuer packed it. */
function within(
  unit: Item,
  place: NonNullable<Origin['within']>,
  above: readonly Item[],
  lot: Lot | undefined,
): Item | Refusal {
  const [container] = above;
  if (container?.children === undefined) return refuse('not-in-container', 'no container has this id');
  if (!proven({ ...container.children, count: TREE_PLACES }, unit.id, place)) {
    return refuse('not-in-container', "the proof does not lead from this unit to the container's root");
  }
  const isIssuers = container.packer === lot?.issuer && unit.lots.every((each) => container.lots.includes(each));
  if (!isIssuers) return refuse('forged-parent', "the lot's issuer did not pack this container of that lot");
  return underTop(unit, above);
}

function proven(
  tree: { readonly root: string; readonly count: number },
  id: string,
  { index, path }: { readonly index: number; readonly path: readonly string[] },
): boolean {
  const siblings = path.map((each) => Buffer.from(each, 'hex'));
  return isIncluded(Buffer.from(tree.root, 'hex'), Buffer.from(id, 'hex'), index, tree.count, siblings);
}
