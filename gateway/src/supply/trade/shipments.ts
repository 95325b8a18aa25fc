/**
 * Transaction information and transaction statement of a shipment (21 U.S.C. 360eee (26) and (27)): made by the shipper,
 * told with the terms of what is inside, kept by both sides.
 */
import type { Directory } from '../../registry/directory.js';
import { goesAlong } from '../packs/apart.js';
import { packOf } from '../packs/identity.js';
import type { PackShelf, ShelfPorts } from '../packs/shelf.js';
import type { Sighting } from '../packs/sighting.js';
import { type LotTerms, PACK_SPACE, shippedKey } from '../packs/stored.js';

/** Years for which both sides keep a shipment (21 U.S.C. 360eee-1); nothing deletes it before, or after. */
export const RETENTION_YEARS = 6;

/** Business name and identifier of a side. */
export interface TradingPartner {
  readonly member: string;
  readonly name: string;
  readonly pgln?: string | undefined;
}

/** Packs of one lot. */
export interface ShippedProduct extends Pick<LotTerms, 'gtin' | 'batch' | 'expiry' | 'product'> {
  /** Number of packs. */
  readonly count: number;
}

/** What a shipper says of a shipment. */
export interface ShipmentTerms {
  readonly shipmentId: string;
  /** Date of the transaction and of the shipment: FHIR instant. */
  readonly shipped: string;
  readonly isReturn: boolean;
  readonly from: TradingPartner;
  readonly to: TradingPartner;
  /** What is counted at receipt, each with its id on the ledger. */
  readonly items: readonly { readonly epc: string; readonly item: string }[];
  readonly products: readonly ShippedProduct[];
  /** The transaction statement. */
  readonly statement: readonly string[];
  /** Last day for which it is kept at least, YYYY-MM-DD. */
  readonly retainUntil: string;
  /** When and where the shipper's event says it left: compared with the receiver's. */
  readonly dispatched?: Sighting | undefined;
}

/** 21 U.S.C. 360eee (27): what whoever transfers ownership states. */
const STATEMENT = [
  'is authorized as required under the Drug Supply Chain Security Act',
  'received the product from a person that is authorized as required under the Drug Supply Chain Security Act',
  'received transaction information and a transaction statement from the prior owner of the product, as required under law',
  'did not knowingly ship a suspect or illegitimate product',
  'had systems and processes in place to comply with verification requirements under the law',
  'did not knowingly provide false transaction information',
  'did not knowingly alter the transaction history',
];
/** What a manufacturer, as first owner, has nothing to say of. */
const OF_PRIOR_OWNER = [1, 2];

/** What shipments are made from. */
export interface ShipmentPorts {
  readonly member: string;
  readonly shelf: Pick<PackShelf, 'find' | 'unit' | 'container' | 'parentOf' | 'record' | 'lot'>;
  readonly directory: Pick<Directory, 'gs1'>;
  readonly titleOf: (member: string) => string;
  /** FHIR instant. */
  readonly now: () => string;
}

/** The information and statement of a shipment to a member of these, each with the commitment to it that the ledger has. */
export function shipmentOf(
  ports: ShipmentPorts,
  of: Pick<ShipmentTerms, 'shipmentId' | 'isReturn' | 'dispatched'> & { readonly to: string },
  shippedItems: readonly (readonly [epc: string, commitment: string])[],
): ShipmentTerms {
  const { member, shelf, now } = ports;
  const { shipmentId, to, isReturn, dispatched } = of;
  const shipped = now();
  const items = shippedItems.flatMap(([epc]) => {
    const item = shelf.find(epc)?.item;
    return item === undefined ? [] : [{ epc, item }];
  });
  const counts = new Map<string, number>();
  for (const { lotId } of packsIn(shelf, shippedItems)) counts.set(lotId, (counts.get(lotId) ?? 0) + 1);
  const lots = [...counts].flatMap(([lotId, count]) => {
    const lot = shelf.lot(lotId);
    return lot === undefined ? [] : [{ lot, count }];
  });
  const isFirstOwner = lots.every(({ lot }) => lot.issuer === member) && !isReturn;
  return {
    shipmentId,
    shipped,
    isReturn,
    from: partnerOf(ports, member),
    to: partnerOf(ports, to),
    items,
    products: lots.map(({ lot, count }) => productOf(lot, count)),
    statement: STATEMENT.filter((_each, index) => !(isFirstOwner && OF_PRIOR_OWNER.includes(index))),
    retainUntil: `${Number(shipped.slice(0, 4)) + RETENTION_YEARS}${shipped.slice(4, 10)}`.replace('-02-29', '-03-01'),
    ...(dispatched === undefined ? {} : { dispatched }),
  };
}

/** Every pack in these packs and containers, as far as it goes along. */
function packsIn(
  shelf: ShipmentPorts['shelf'],
  shipped: readonly (readonly [epc: string, commitment: string])[],
): readonly { readonly epc: string; readonly lotId: string }[] {
  const found: { epc: string; lotId: string }[] = [];
  const receivers = new Set(shipped.map(([, commitment]) => commitment));
  const open = shipped.map(([epc]) => epc);
  for (let epc = open.pop(); epc !== undefined; epc = open.pop()) {
    const unit = packOf(epc) === undefined ? undefined : shelf.unit(epc);
    if (unit !== undefined) found.push({ epc, lotId: unit.lotId });
    const container = shelf.container(epc);
    if (container === undefined) continue;
    open.push(...container.children.filter((child) => goesAlong(shelf, child, container.epc, receivers)));
  }
  return found;
}

/** Every shipment that this member sent or got, oldest first. */
export function shipmentsOf(projection: ShelfPorts['projection']): readonly ShipmentTerms[] {
  return inOrder(projection.facts(PACK_SPACE, 'shipment/').map(({ value }) => value));
}

/** Those among them that name any of these packs and containers, oldest first. */
export function shipmentsWith(projection: ShelfPorts['projection'], epcs: Iterable<string>): readonly ShipmentTerms[] {
  const keys = [...epcs].flatMap((epc) => projection.facts(PACK_SPACE, shippedKey(epc)).map(({ value }) => value));
  return inOrder([...new Set(keys)].flatMap((key) => projection.fact(PACK_SPACE, key) ?? []));
}

function inOrder(texts: readonly string[]): readonly ShipmentTerms[] {
  return texts.map((text) => JSON.parse(text) as ShipmentTerms).sort((a, b) => (a.shipped < b.shipped ? -1 : 1));
}

function productOf({ gtin, batch, expiry, product }: LotTerms, count: number): ShippedProduct {
  return { gtin, batch, expiry, count, ...(product === undefined ? {} : { product }) };
}

function partnerOf({ directory, titleOf }: ShipmentPorts, member: string): TradingPartner {
  return { member, name: titleOf(member), pgln: directory.gs1(member).pgln };
}
