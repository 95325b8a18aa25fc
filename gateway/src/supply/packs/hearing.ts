/** Takes in what goes with a shipment from door to door. */
import { commitmentOf, MAX_UNITS } from '@salus/chaincode/supply/api';

import { type Blocks, whenCommitted } from '../../door/committed.js';
import type { Keep } from '../../ehr/keep.js';
import type { NamedSecrets } from '../../keys/named-secrets.js';
import type { Ledger } from '../../ports.js';
import type { ShipmentTerms } from '../trade/shipments.js';
import { type Handover, MAX_SALTS, type ToldReadings } from './handover.js';
import { isHex, termsOf } from './identity.js';
import { keepEarlier } from './salts.js';
import type { PackShelf, ShelfPorts } from './shelf.js';
import { statusOf } from './status.js';
import { type ContainerTerms, type KeptReadings, PACK_SPACE, PACK_TYPES, type UnitTerms } from './stored.js';
import { areContainersTrue, committedLot, isOfNoOther, isProven, trueReadings } from './told.js';

/** How a receiver checks what it was told against the ledger, and keeps it. */
export interface HearingPorts {
  readonly member: string;
  readonly ledger: Pick<Ledger, 'evaluate'>;
  readonly blocks: Blocks;
  readonly secrets: NamedSecrets;
  /** Keeps the member's own copy of the terms. */
  readonly keep: Keep;
  readonly shelf: PackShelf;
  readonly projection: ShelfPorts['projection'];
}

/** Takes a handover in, if all that it tells is as the ledger has it; undefined for anything else. */
export async function hearHandover(ports: HearingPorts, teller: string, body: string): Promise<object | undefined> {
  const handover = parse(body);
  if (handover === undefined || !isOfOne(handover, teller) || !isOfNoOther(ports, handover)) return undefined;
  for (const lot of handover.lots) {
    const units = handover.units.filter(({ lotId }) => lotId === lot.terms.lotId);
    const committed = await whenCommitted(ports.blocks, () => committedLot(ports.ledger, lot, units[0]));
    if (committed === undefined || !units.every((unit) => isProven(unit, lot, committed))) return undefined;
  }
  if (!(await areSaltsKept(ports, handover)) || !(await areContainersTrue(ports, handover))) return undefined;
  ports.secrets.keep(Object.fromEntries(handover.lots.map(({ terms, secret }) => [`lot/${terms.lotId}`, secret])));
  // Readings are held against what is kept: whose they are is known by then.
  await keepAny(ports, recordsOf(ports, handover));
  const readings = await readingsOf(ports, handover);
  await keepAny(
    ports,
    readings.map((value) => ({ type: PACK_TYPES.readings, value })),
  );
  return {};
}

async function keepAny({ keep }: HearingPorts, records: Parameters<Keep>[0]): Promise<void> {
  if (records.length > 0) await keep(records);
}

/** What is new of it. What an issuer has of its own lots, and what was told of a shipment first, stays as it is. */
function recordsOf({ member, shelf, projection }: HearingPorts, handover: Handover): Parameters<Keep>[0] {
  const { units, containers, shipment } = handover;
  const lots = handover.lots.filter(({ terms }) => terms.issuer !== member && shelf.lot(terms.lotId) === undefined);
  const own = new Set(handover.lots.filter(({ terms }) => terms.issuer === member).map(({ terms }) => terms.lotId));
  const foreign = units.filter(({ lotId }) => !own.has(lotId));
  const key = shipment === undefined ? '' : `shipment/${shipment.from.member}/${shipment.shipmentId}`;
  const isKnown = shipment === undefined || projection.fact(PACK_SPACE, key) !== undefined;
  return [
    ...lots.map(({ terms }) => ({ type: PACK_TYPES.lot, value: termsOf(terms) })),
    ...(foreign.length === 0 ? [] : [{ type: PACK_TYPES.units, value: foreign }]),
    ...containers.map((value) => ({ type: PACK_TYPES.container, value })),
    ...(isKnown ? [] : [{ type: PACK_TYPES.shipment, value: shipment }]),
  ];
}

/** What loggers read of what was shipped to this member, and of what lies in it, as far as the ledger's chains are made of it. */
async function readingsOf(ports: HearingPorts, { readings = [] }: Handover): Promise<readonly KeptReadings[]> {
  const { shelf, blocks } = ports;
  const isShipped = ({ epc, item }: ToldReadings): boolean =>
    shelf.itemOf(epc) === item && shelf.salts(epc, ['receive']).length > 0;
  const told = readings.filter(isShipped);
  const count = told.reduce((sum, { signed }) => sum + signed.length, 0);
  const look = (): readonly KeptReadings[] => trueReadings(ports, told);
  // The projection may be behind the peer that the shipment was seen at.
  const all = () => Promise.resolve(look().length === count ? look() : undefined);
  return count === 0 ? [] : ((await whenCommitted(blocks, all)) ?? look());
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
      if (!found.isUnit) keepEarlier(secrets, name, salt);
      secrets.keep({ [name]: salt });
      return true;
    };
    if ((await whenCommitted(blocks, isOpened)) === undefined) return false;
  }
  return true;
}

/** Every pack is of a lot that comes along, and the shipment is the teller's own. */
function isOfOne(handover: Handover, teller: string): boolean {
  const isTellers = handover.shipment === undefined || handover.shipment.from.member === teller;
  return isTellers && handover.units.every((unit) => isOfALot(unit, handover));
}

function isOfALot({ lotId }: UnitTerms, { lots }: Handover): boolean {
  return lots.some(({ terms }) => terms.lotId === lotId);
}

function parse(body: string): Handover | undefined {
  try {
    const handover = JSON.parse(body) as Partial<Handover>;
    const { lots, units, containers, salts, readings = [] } = handover;
    const isWhole =
      [lots, units, containers, salts, readings].every((each) => Array.isArray(each)) &&
      readings.every(areReadings) &&
      (containers ?? []).every(isContainer) &&
      areSalts(handover);
    return isWhole && isShipment(handover.shipment) ? (handover as Handover) : undefined;
  } catch {
    return undefined;
  }
}

function isContainer({ epc, item, lots, children, items, seed }: Partial<ContainerTerms>): boolean {
  const areNamed = typeof epc === 'string' && [item, seed].every(isHex);
  const areIds = [lots, items].every((each) => Array.isArray(each) && each.length <= MAX_UNITS && each.every(isHex));
  return areNamed && areIds && Array.isArray(children) && children.every((each) => typeof each === 'string');
}

function areReadings({ epc, item, digests, signed }: Partial<ToldReadings>): boolean {
  const isNamed = typeof epc === 'string' && isHex(item) && Array.isArray(digests) && digests.every(isHex);
  return isNamed && Array.isArray(signed) && signed.every((each) => typeof each === 'string');
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
  const areItems = Array.isArray(items) && items.every(({ epc, item }) => typeof epc === 'string' && isHex(item));
  return areTexts && areItems && /^[0-9A-Za-z/-]{1,100}$/.test(shipmentId ?? '');
}
