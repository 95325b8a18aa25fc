/** What goes with a shipment from door to door: the terms of what is inside, the lots' secrets, the receiver's salts. */
import { commitmentOf, isIncluded, type Lot } from '@salus/chaincode/supply/api';

import type { Keep } from '../../ehr/keep.js';
import type { NamedSecrets } from '../../keys/named-secrets.js';
import type { Ledger } from '../../ports.js';
import { digestOf } from '../cold/readings.js';
import type { ShipmentTerms } from '../trade/shipments.js';
import { type Blocks, whenCommitted } from '../../door/committed.js';
import { isHex, isUnderPrefix, itemId, packEpc, packOf } from './identity.js';
import type { PackShelf } from './shelf.js';
import { statusOf } from './status.js';
import { type ContainerTerms, type KeptReadings, type LotTerms, PACK_TYPES, type UnitTerms } from './stored.js';

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

/** All that a shipment of these items, each with its salt, tells their receiver: containers and salts come last. */
export function handoversOf(
  shelf: PackShelf,
  shipped: ReadonlyMap<string, string>,
  shipment?: ShipmentTerms,
): readonly Handover[] {
  const { units, containers } = insideOf(shelf, [...shipped.keys()]);
  const salts = [...shipped].flatMap(([epc, salt]) => {
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

function insideOf(shelf: PackShelf, shipped: readonly string[]) {
  const containers: ContainerTerms[] = [];
  const units: UnitTerms[] = [];
  const open = [...shipped];
  for (let epc = open.pop(); epc !== undefined; epc = open.pop()) {
    const container = shelf.container(epc);
    const unit = container === undefined ? shelf.unit(epc) : undefined;
    if (container !== undefined) {
      const children = container.children.filter((child) => shelf.parentOf(child) === container.epc);
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

/** How a receiver checks what it was told against the ledger, and keeps it. */
export interface HearingPorts {
  readonly member: string;
  readonly ledger: Pick<Ledger, 'evaluate'>;
  readonly blocks: Blocks;
  readonly secrets: NamedSecrets;
  /** Keeps the member's own copy of the terms. */
  readonly keep: Keep;
}

/** Takes a handover in, if every pack is proven by the lot on the ledger; undefined for anything else. */
export async function hearHandover(ports: HearingPorts, teller: string, body: string): Promise<object | undefined> {
  const handover = parse(body);
  if (handover === undefined || !isOfOne(handover, teller)) return undefined;
  for (const lot of handover.lots) {
    const units = handover.units.filter(({ lotId }) => lotId === lot.terms.lotId);
    const committed = await whenCommitted(ports.blocks, () => committedLot(ports.ledger, lot, units[0]));
    if (committed === undefined || !units.every((unit) => isProven(unit, lot, committed))) return undefined;
  }
  if (!(await areSaltsKept(ports, handover))) return undefined;
  ports.secrets.keep(Object.fromEntries(handover.lots.map(({ terms, secret }) => [`lot/${terms.lotId}`, secret])));
  const records = [
    ...handover.lots.map(({ terms }) => ({ type: PACK_TYPES.lot, value: terms })),
    ...(handover.units.length === 0 ? [] : [{ type: PACK_TYPES.units, value: handover.units }]),
    ...handover.containers.map((value) => ({ type: PACK_TYPES.container, value })),
    ...keptReadings(handover),
    ...(handover.shipment === undefined ? [] : [{ type: PACK_TYPES.shipment, value: handover.shipment }]),
  ];
  if (records.length > 0) await ports.keep(records);
  return {};
}

/**
 * Keeps each salt that opens an item's shipment to this member, in the moment the ledger says so: ids are public, and
 * nobody's word alone makes a salt stand anywhere. Whether all did; those told once more are known.
 */
async function areSaltsKept({ ledger, blocks, secrets, member }: HearingPorts, { salts }: Handover): Promise<boolean> {
  for (const { item, salt } of salts) {
    const name = `receive/${item}`;
    const isOpened = async (): Promise<true | undefined> => {
      if (secrets.find(name) === salt) return true;
      const { item: found } = await statusOf(ledger, { item });
      if (found?.shipment?.receiver !== commitmentOf(member, salt)) return undefined;
      secrets.keep({ [name]: salt });
      return true;
    };
    if ((await whenCommitted(blocks, isOpened)) === undefined) return false;
  }
  return true;
}

function keptReadings({ readings = [] }: Handover): readonly { readonly type: string; readonly value: KeptReadings }[] {
  return readings.map(({ item, signed }) => {
    return { type: PACK_TYPES.readings, value: { item, digest: digestOf(signed), signed } };
  });
}

/** Every pack is of a lot that comes along, and the shipment is the teller's own. */
function isOfOne(handover: Handover, teller: string): boolean {
  const isTellers = handover.shipment === undefined || handover.shipment.from.member === teller;
  return isTellers && handover.units.every((unit) => isOfALot(unit, handover));
}

function isOfALot({ lotId }: UnitTerms, { lots }: Handover): boolean {
  return lots.some(({ terms }) => terms.lotId === lotId);
}

/** The lot as the ledger has it, if these terms are its own; a lot without a pack is taken from nobody. */
async function committedLot(
  ledger: Pick<Ledger, 'evaluate'>,
  { terms, secret }: OpenedLot,
  unit: UnitTerms | undefined,
): Promise<Lot | undefined> {
  if (unit === undefined) return undefined;
  const { lotId, index, path } = unit;
  const { lot } = await statusOf(ledger, { item: itemId(secret, unit.epc), origin: { lotId, index, path } });
  if (lot?.lotId !== terms.lotId || lot.issuer !== terms.issuer || lot.expiry !== terms.expiry) return undefined;
  return isUnderPrefix(terms.gtin, lot.prefix) ? lot : undefined;
}

function isProven({ epc, index, path }: UnitTerms, { terms, secret }: OpenedLot, lot: Lot): boolean {
  const pack = packOf(epc);
  if (pack?.gtin !== terms.gtin || packEpc(pack.gtin, pack.serial) !== epc) return false;
  const siblings = path.map((each) => Buffer.from(each, 'hex'));
  return isIncluded(Buffer.from(lot.root, 'hex'), Buffer.from(itemId(secret, epc), 'hex'), index, lot.count, siblings);
}

function parse(body: string): Handover | undefined {
  try {
    const handover = JSON.parse(body) as Partial<Handover>;
    const { lots, units, containers, salts, readings = [] } = handover;
    const isWhole =
      [lots, units, containers, salts, readings].every((each) => Array.isArray(each)) &&
      readings.every(({ item, signed }) => typeof item === 'string' && typeof signed === 'string') &&
      areSalts(handover);
    return isWhole && isShipment(handover.shipment) ? (handover as Handover) : undefined;
  } catch {
    return undefined;
  }
}

/** Nothing is told of nothing: a handover has packs, or what opens an item on its way. */
function areSalts({ salts = [], units = [] }: Partial<Handover>): boolean {
  const isAny = salts.length > 0 || units.length > 0;
  return isAny && salts.length <= MAX_SALTS && salts.every(({ item, salt }) => isHex(item) && isHex(salt));
}

function isShipment(given: Partial<ShipmentTerms> | undefined): boolean {
  if (given === undefined) return true;
  const { shipmentId, from, to, items } = given;
  const areTexts = [shipmentId, from?.member, to?.member].every((each) => typeof each === 'string');
  return areTexts && Array.isArray(items) && /^[0-9A-Za-z/-]{1,100}$/.test(shipmentId ?? '');
}
