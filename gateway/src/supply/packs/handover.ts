/** What goes with a shipment from door to door: the terms of what is inside, the lots' secrets, the receiver's salts. */
import { goesAlong } from './apart.js';
import type { ShipmentTerms } from '../trade/shipments.js';
import type { PackShelf } from './shelf.js';
import type { ContainerTerms, KeptReadings, LotTerms, UnitTerms } from './stored.js';

/** Path of a handover below a door's base. */
export const HANDOVER_PATH = '$supply-handover';
/** Largest handover a door takes, bytes: 4,000 packs with their proofs, and what holds them. */
export const HANDOVER_BYTES = 16 * 1024 * 1024;

/** A lot's terms with its secret, hex. */
export interface OpenedLot {
  readonly terms: LotTerms;
  readonly secret: string;
}

/** The message from the shipper's door to the receiver's; none of it is on the ledger in clear. */
export interface Handover {
  readonly lots: readonly OpenedLot[];
  readonly units: readonly UnitTerms[];
  readonly containers: readonly ContainerTerms[];
  /** What opens each shipped item to its receiver. */
  readonly salts: readonly { readonly item: string; readonly salt: string }[];
  /** What loggers signed of the shipped items; the ledger's chain says whether it is all. */
  readonly readings?: readonly Omit<KeptReadings, 'digest'>[];
  /** Transaction information and statement. */
  readonly shipment?: ShipmentTerms | undefined;
}

/** Packs in one message at most: a larger shipment is told in several. */
const UNITS_AT_ONCE = 4_000;
/** Most salts in one message. */
export const MAX_SALTS = 1_000;

/** Characters of signed readings in one message at most; the oldest are left out. */
const READINGS_AT_ONCE = 8_000_000;

/** What is shipped: the salt of each item, by its EPC, and the commitments to the receiver that these open. */
export interface Shipped {
  readonly salts: ReadonlyMap<string, string>;
  readonly receivers: ReadonlySet<string>;
}

/** All that a shipment tells its receiver: containers and salts come last. */
export function handoversOf(shelf: PackShelf, shipped: Shipped, shipment?: ShipmentTerms): readonly Handover[] {
  const { units, containers } = insideOf(shelf, shipped);
  const salts = [...shipped.salts].flatMap(([epc, salt]) => {
    const item = shelf.find(epc)?.item;
    return item === undefined ? [] : [{ item, salt }];
  });
  const unitParts = inParts(units, UNITS_AT_ONCE).map((some) => ({ lots: lotsOf(shelf, some), units: some }));
  const saltParts = inParts(salts, MAX_SALTS);
  const nothing = { lots: [], units: [], containers: [], salts: [] };
  const last = { ...nothing, ...unitParts.pop(), containers, salts: saltParts.pop() ?? [] };
  return [
    ...unitParts.map((part) => ({ ...nothing, ...part })),
    ...saltParts.map((part) => ({ ...nothing, salts: part })),
    { ...last, readings: readingsOf(shelf, salts), shipment },
  ];
}

function inParts<T>(all: readonly T[], most: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, index) =>
    all.slice(index * most, (index + 1) * most),
  );
}

function readingsOf(
  shelf: PackShelf,
  shipped: readonly { readonly item: string }[],
): NonNullable<Handover['readings']> {
  const all = shipped.flatMap(({ item }) => shelf.readings(item).map((signed) => ({ item, signed })));
  let left = READINGS_AT_ONCE;
  return all.reverse().filter(({ signed }) => (left -= signed.length) >= 0);
}

function insideOf(shelf: PackShelf, { salts, receivers }: Shipped) {
  const containers: ContainerTerms[] = [];
  const units: UnitTerms[] = [];
  const open = [...salts.keys()];
  for (let epc = open.pop(); epc !== undefined; epc = open.pop()) {
    const container = shelf.container(epc);
    const unit = container === undefined ? shelf.unit(epc) : undefined;
    if (container !== undefined) {
      const children = container.children.filter((child) => goesAlong(shelf, child, container.epc, receivers));
      containers.push({ ...container, children });
      open.push(...children);
    } else if (unit !== undefined) units.push(unit);
  }
  return { containers, units };
}

/** Lots of these packs alone: a lot of which all packs were taken out before is none of the receiver's. */
function lotsOf(shelf: PackShelf, units: readonly UnitTerms[]): readonly OpenedLot[] {
  return [...new Set(units.map(({ lotId }) => lotId))].flatMap((lotId) => {
    const [terms, secret] = [shelf.lot(lotId), shelf.secret(lotId)];
    return terms === undefined || secret === undefined ? [] : [{ terms, secret }];
  });
}
