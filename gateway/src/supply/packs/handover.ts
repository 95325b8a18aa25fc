/** What goes with a shipment from door to door: the terms of what is inside, the lots' secrets, the receiver's salts. */
import { inTime } from '../cold/readings.js';
import { goesAlong } from './apart.js';
import type { ShipmentTerms } from '../trade/shipments.js';
import type { PackShelf } from './shelf.js';
import type { ContainerTerms, LotTerms, UnitTerms } from './stored.js';

/** Path of a handover below a door's base. */
export const HANDOVER_PATH = '$supply-handover';
/** Largest handover a door takes, bytes: 4,000 packs with their proofs, and what holds them. */
export const HANDOVER_BYTES = 16 * 1024 * 1024;

/** A lot's terms with its secret, hex. */
export interface OpenedLot {
  readonly terms: LotTerms;
  readonly secret: string;
}

/** Batches of readings of one item, all of them or a part. */
export interface ToldReadings {
  readonly epc: string;
  readonly item: string;
  /** Of every batch of the item, as the ledger's chain is made of them. */
  readonly digests: readonly string[];
  readonly signed: readonly string[];
}

/** The message from the shipper's door to the receiver's; none of it is on the ledger in clear. */
export interface Handover {
  readonly lots: readonly OpenedLot[];
  readonly units: readonly UnitTerms[];
  readonly containers: readonly ContainerTerms[];
  /** What opens each shipped item to its receiver. */
  readonly salts: readonly { readonly item: string; readonly salt: string }[];
  /** What loggers signed of what is shipped, and of what lies in it. */
  readonly readings?: readonly ToldReadings[];
  /** Transaction information and statement. */
  readonly shipment?: ShipmentTerms | undefined;
}

/** Packs in one message at most: a larger shipment is told in several. */
const UNITS_AT_ONCE = 4_000;
/** Most salts in one message. */
export const MAX_SALTS = 1_000;
/** Characters of containers' content in one message, unless one container alone has more. */
const CONTENT_AT_ONCE = 5_000_000;
/** Characters of signed readings in one message at most. */
const READINGS_AT_ONCE = 8_000_000;

/** What is shipped: the salt of each item, by its EPC, and the commitments to the receiver that these open. */
export interface Shipped {
  readonly salts: ReadonlyMap<string, string>;
  readonly receivers: ReadonlySet<string>;
}

const NOTHING: Handover = { lots: [], units: [], containers: [], salts: [] };

/** All that a shipment tells its receiver: packs first, then containers, inner ones before what they lie in, then readings. */
export function handoversOf(shelf: PackShelf, shipped: Shipped, shipment?: ShipmentTerms): readonly Handover[] {
  const { units, containers } = insideOf(shelf, shipped);
  const salts = [...shipped.salts].flatMap(([epc, salt]) => {
    const item = shelf.find(epc)?.item;
    return item === undefined ? [] : [{ item, salt }];
  });
  const unitParts = inParts(units, UNITS_AT_ONCE, () => 1).map((some) => ({ lots: lotsOf(shelf, some), units: some }));
  const saltParts = inParts(salts, MAX_SALTS, () => 1);
  const [content = [], ...more] = inParts(containers.reverse(), CONTENT_AT_ONCE, contentOf);
  const first = { ...NOTHING, ...unitParts.pop(), containers: content, salts: saltParts.pop() ?? [] };
  // Of what is told of nothing is taken: a salt goes along with each part.
  const known = { ...NOTHING, salts: salts.slice(0, 1) };
  const whole = [first, ...more.map((part) => ({ ...known, containers: part }))];
  return [
    ...unitParts.map((part) => ({ ...NOTHING, ...part })),
    ...saltParts.map((part) => ({ ...NOTHING, salts: part })),
    ...whole.slice(0, -1),
    { ...(whole.at(-1) ?? first), shipment },
    ...readingsOf(shelf, [...containers, ...units]).map((readings) => ({ ...known, readings })),
  ];
}

/** Those in their order, as many together as come to so much at most, and at least one. */
function inParts<T>(all: readonly T[], most: number, sizeOf: (one: T) => number): (readonly T[])[] {
  const parts: T[][] = [];
  let left = 0;
  for (const each of all) {
    const size = sizeOf(each);
    if (size > left || parts.length === 0) {
      parts.push([]);
      left = most;
    }
    parts.at(-1)?.push(each);
    left -= size;
  }
  return parts;
}

/** Characters that a container's content comes to: an id has 64. */
function contentOf({ children, items }: ContainerTerms): number {
  return children.reduce((sum, { length }) => sum + length, 0) + items.length * 64;
}

/** What loggers signed of these, in parts: each names all batches of its item, so that it is held against the ledger's chain alone. */
function readingsOf(shelf: PackShelf, inside: readonly { readonly epc: string }[]): (readonly ToldReadings[])[] {
  const all = inside.flatMap(({ epc }) => {
    const item = shelf.itemOf(epc) ?? '';
    const batches = inTime(shelf.readings(item));
    const digests = batches.map(({ digest }) => digest);
    return batches.map(({ signed }) => ({ epc, item, digests, signed }));
  });
  return inParts(all, READINGS_AT_ONCE, ({ signed }) => signed.length).map((part) => {
    const byItem = Map.groupBy(part, ({ item }) => item);
    return [...byItem.values()].flatMap(([one, ...others]) =>
      one === undefined ? [] : [{ ...one, signed: [one, ...others].map(({ signed }) => signed) }],
    );
  });
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
