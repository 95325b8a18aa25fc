/**
 * The supply chain for clinicians, in front of the router. `GET SupplyDelivery/$shipments`: the shipments this member sent
 * or got, a SupplyDelivery for each product (R4 supplydelivery.html). `GET AdverseEvent/{id}/$exposed`: who else was
 * dispensed packs of the lots that the event suspects, from this member's own record, as whoever asks may read it.
 */
import { outcomeOf } from '../../fhir/outcome.js';
import { parseBody, type JsonObject } from '../../fhir/json.js';
import type { Fhir, FhirRequest, FhirResponse } from '../../fhir/request.js';
import { Refusal } from '../../ledger/refusal.js';
import { asList, isMap, textOf } from '../event/json.js';
import { canonicalEpc } from '../gs1/epc.js';
import { packOf } from '../packs/identity.js';
import type { PackShelf } from '../packs/shelf.js';
import { lotIdentifier } from '../trade/holders.js';
import type { ShipmentTerms, ShippedProduct } from '../trade/shipments.js';
import { PACK_SYSTEM } from './record.js';

const GTIN_SYSTEM = 'https://www.gs1.org/gtin';
const KEEPERS = ['supply-operator', 'pharmacist', 'quality-officer', 'auditor'];

/** Names of the operations, without `$`, by type. */
export const supplyOperations = { SupplyDelivery: ['shipments'], AdverseEvent: ['exposed'] } as const;

/** What the face is made from. */
export interface FacePorts {
  readonly shipments: () => readonly ShipmentTerms[];
  readonly shelf: Pick<PackShelf, 'unit' | 'lot'>;
}

/** The FHIR interface with these operations in front of it. */
export function withSupplyFace(fhir: Fhir, ports: FacePorts): Fhir {
  return async (request) => {
    const [, event] = /^AdverseEvent\/([A-Za-z0-9.-]{1,64})\/\$exposed$/.exec(request.path) ?? [];
    try {
      if (request.method === 'GET' && event !== undefined) return await exposed(fhir, ports, request, event);
      if (request.method === 'GET' && request.path === 'SupplyDelivery/$shipments') return deliveries(ports, request);
    } catch (error) {
      return { headers: {}, ...outcomeOf(error) };
    }
    return await fhir(request);
  };
}

function deliveries({ shipments }: FacePorts, { actor }: FhirRequest): FhirResponse {
  if (!KEEPERS.includes(actor.role)) {
    throw new Refusal('forbidden', 'not-your-role', `only these roles may: ${KEEPERS.join(', ')}`);
  }
  const made = shipments().flatMap((shipment) => shipment.products.map((each) => deliveryOf(shipment, each)));
  const entry = made.map((resource) => ({ resource }));
  return { status: 200, headers: {}, resource: { resourceType: 'Bundle', type: 'collection', entry } };
}

/** One product of a shipment. */
function deliveryOf({ shipmentId, shipped, from, to }: ShipmentTerms, product: ShippedProduct): JsonObject {
  const { gtin, batch, expiry, count, product: terms } = product;
  const name = terms?.regulatedProductName;
  const medication = {
    resourceType: 'Medication',
    id: 'product',
    code: { coding: [{ system: GTIN_SYSTEM, code: gtin }], ...(name === undefined ? {} : { text: name }) },
    batch: { lotNumber: batch, expirationDate: expiry },
  };
  const partner = (of: ShipmentTerms['from']) => ({
    identifier: { system: 'urn:salus:member', value: of.member },
    display: of.name,
  });
  return {
    resourceType: 'SupplyDelivery',
    contained: [medication],
    identifier: [{ system: 'urn:salus:shipment', value: shipmentId }, lotIdentifier(gtin, batch)],
    status: 'completed',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/supply-item-type', code: 'medication' }] },
    suppliedItem: { quantity: { value: count, unit: 'packs' }, itemReference: { reference: '#product' } },
    occurrenceDateTime: shipped,
    supplier: partner(from),
    receiver: [partner(to)],
  };
}

/** Dispenses of the suspected lots; an event that names none is told what it must name. */
async function exposed(fhir: Fhir, ports: FacePorts, { actor }: FhirRequest, id: string): Promise<FhirResponse> {
  const asked = { method: 'GET', actor, headers: {}, query: new URLSearchParams() } as const;
  const found = await fhir({ ...asked, path: `AdverseEvent/${id}` });
  if (found.status !== 200) return found;
  const lots = lotsOf(ports, resourceOf(found));
  if (lots.length === 0) {
    const words =
      'suspectEntity names no contained Medication with GTIN and batch.lotNumber, or with a pack’s identifier';
    throw new Refusal('invalid', 'unprocessable', words);
  }
  const query = new URLSearchParams({ identifier: lots.join(','), status: 'completed' });
  return await fhir({ ...asked, path: 'MedicationDispense', query });
}

/** Tokens of the lots that are suspected: as the event names them, or by the pack it names. */
function lotsOf(ports: FacePorts, event: JsonObject): readonly string[] {
  const named = new Set(
    asList(event.suspectEntity).map((each) => textOf(isMap(each) ? each.instance : undefined, 'reference') ?? ''),
  );
  const suspects = asList(event.contained)
    .filter(isMap)
    .filter(({ id }) => named.has(`#${String(id)}`));
  const lots = suspects.flatMap((each) => lotOf(each) ?? packLotsOf(ports, each));
  return [...new Set(lots)];
}

function lotOf({ code, batch }: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const codings = asList(isMap(code) ? code.coding : undefined);
  const gtin = codings.find((each) => textOf(each, 'system') === GTIN_SYSTEM);
  const [number, lot] = [textOf(gtin, 'code'), textOf(batch, 'lotNumber')];
  return number === undefined || lot === undefined ? undefined : [tokenOf(number.padStart(14, '0'), lot)];
}

function packLotsOf({ shelf }: FacePorts, { identifier }: Readonly<Record<string, unknown>>): readonly string[] {
  return asList(identifier).flatMap((each) => {
    const isPack = textOf(each, 'system') === PACK_SYSTEM;
    const epc = isPack ? canonicalEpc(textOf(each, 'value') ?? '') : undefined;
    const unit = epc === undefined || packOf(epc) === undefined ? undefined : shelf.unit(epc);
    const terms = unit && shelf.lot(unit.lotId);
    return terms === undefined ? [] : [tokenOf(terms.gtin, terms.batch)];
  });
}

function tokenOf(gtin: string, batch: string): string {
  const { system, value } = lotIdentifier(gtin, batch);
  return `${system}|${value}`;
}

function resourceOf({ resource }: FhirResponse): JsonObject {
  return typeof resource === 'string' ? (parseBody(resource).plain as JsonObject) : (resource ?? {});
}
