/** A member's own copy of the terms of lots, packs and containers: in its collection, encrypted, and in its facts. */
import type { Change } from '../../projection/projector.js';
import type { KeptAnswer, KeptException } from '../trade/exceptions.js';
import type { KeptTrace } from '../trade/trace.js';
import type { ShipmentTerms } from '../trade/shipments.js';
import { packEpc } from './identity.js';
import type { Sighting } from './sighting.js';

/** Space of the projection's facts about packs. */
export const PACK_SPACE = 'packs';

/** What versions of these records are called in the member's own collection. */
export const PACK_TYPES = {
  lot: 'SupplyLot',
  units: 'SupplyUnits',
  container: 'SupplyContainer',
  unpacked: 'SupplyUnpacked',
  carried: 'SupplyCarried',
  effects: 'SupplyEffects',
  handedOver: 'SupplyHandedOver',
  readings: 'SupplyReadings',
  shipment: 'SupplyShipment',
  exception: 'SupplyException',
  answer: 'SupplyAnswer',
  trace: 'SupplyTrace',
} as const;

/** The terms of a lot, each party's own copy of them. */
export interface LotTerms {
  readonly lotId: string;
  readonly gtin: string;
  /** Batch or lot number as printed. */
  readonly batch: string;
  /** Last day, YYYY-MM-DD. */
  readonly expiry: string;
  readonly issuer: string;
  /** What the product is, as its lot's event says it. */
  readonly product?: ProductTerms | undefined;
}

/** Master data of a product that transaction information names (CBV 2.0 section 9.2). */
export interface ProductTerms {
  readonly regulatedProductName?: string | undefined;
  readonly strengthDescription?: string | undefined;
  readonly dosageFormType?: string | undefined;
  readonly netContentDescription?: string | undefined;
}

/** The issuer's copy: with the serials in the order of the lot's tree. */
export interface IssuedLot extends LotTerms {
  readonly serials: readonly string[];
}

/** A pack somebody else issued: its place in its lot, with proof. */
export interface UnitTerms {
  /** Canonical Digital Link. */
  readonly epc: string;
  readonly lotId: string;
  readonly index: number;
  readonly path: readonly string[];
}

/** A container and what lies in it. */
export interface ContainerTerms {
  readonly epc: string;
  /** Its id on the ledger, under the secret of the first of its lots. */
  readonly item: string;
  /** Lots inside when it was packed. */
  readonly lots: readonly string[];
  readonly children: readonly string[];
  /** Ids of all that was packed into it, in the order of its tree. */
  readonly items: readonly string[];
  /** Under what its tree is made, hex: who knows it alone can tell how many those are. */
  readonly seed: string;
}

/** An item that this member carries or carried for others: it learns nothing of what is inside. */
export interface CarriedItem {
  /** Canonical Digital Link, as printed outside. */
  readonly epc: string;
  /** Its id on the ledger. */
  readonly item: string;
}

/** A batch of readings that a logger signed, as this member brought it to the ledger. */
export interface KeptReadings {
  readonly item: string;
  /** SHA-256 of the JWS, hex. */
  readonly digest: string;
  readonly signed: string;
}

/** What an event did on the ledger. */
export interface Effect {
  /** Position of the event in its capture. */
  readonly event: number;
  readonly act: string;
  readonly epc?: string;
  /** `unknown`: nobody says whether it took effect. */
  readonly state: 'done' | 'refused' | 'unknown';
  /** Code of the refusal, and what it says. */
  readonly code?: string;
  readonly detail?: string;
  /** The suspicion that was raised. */
  readonly alert?: string;
  /** Which limit readings broke: the contracts put it in quarantine. */
  readonly excursion?: string;
  /** Id of the exception of a shipment that a receipt led to. */
  readonly exception?: string;
  /** Whether the receiver's door took the terms of a shipment. */
  readonly handedOver?: boolean;
  /** When and where the event says it was; kept for what is said of the pack next, and not shown. */
  readonly seen?: Sighting;
}

/** Key of when and where a pack was last seen, by the events of this member that took effect. */
export function seenKey(epc: string): string {
  return `seen/${epc}`;
}

/** Under what the shipments of a pack or container are found. */
export function shippedKey(epc: string): string {
  return `shipped/${epc}/`;
}

/** What a capture's events did; a later version, of work that was gone on with, replaces it. */
export interface CaptureEffects {
  readonly captureID: string;
  readonly effects: readonly Effect[];
}

type Facts = (id: string, text: string) => readonly (readonly [key: string, value?: string])[];

const FACTS: Readonly<Record<string, Facts>> = {
  [PACK_TYPES.lot]: (_id, text) => {
    const { serials, ...terms } = JSON.parse(text) as LotTerms & Partial<IssuedLot>;
    const { lotId, gtin, batch } = terms;
    const issued = serials ?? [];
    return [
      [`lot/${lotId}`, JSON.stringify(terms)],
      [`batch/${gtin}/${batch}`, lotId],
      ...(serials === undefined ? [] : [[`serials/${lotId}`, JSON.stringify(serials)] as const]),
      ...issued.map((serial, index) => [`unit/${packEpc(gtin, serial)}`, JSON.stringify({ lotId, index })] as const),
    ];
  },
  [PACK_TYPES.units]: (_id, text) =>
    (JSON.parse(text) as readonly UnitTerms[]).flatMap((unit) => [
      [`unit/${unit.epc}`, JSON.stringify(unit)] as const,
      [`of/${unit.lotId}/${unit.epc}`, unit.epc] as const,
    ]),
  [PACK_TYPES.container]: (_id, text) => {
    const { epc, children } = JSON.parse(text) as ContainerTerms;
    const inside = children.flatMap((child) => [
      [`parent/${child}`, epc] as const,
      [`ever-in/${child}/${epc}`, epc] as const,
    ]);
    return [[`container/${epc}`, text], ...inside];
  },
  [PACK_TYPES.unpacked]: (_id, text) =>
    (JSON.parse(text) as readonly string[]).map((child) => [`parent/${child}`] as const),
  [PACK_TYPES.carried]: (_id, text) =>
    (JSON.parse(text) as readonly CarriedItem[]).map(({ epc, item }) => [`carried/${epc}`, item] as const),
  [PACK_TYPES.effects]: (_id, text) => {
    const { captureID, effects } = JSON.parse(text) as CaptureEffects;
    const shown = effects.map((effect) => ({ ...effect, seen: undefined }));
    const seen = effects.flatMap(({ epc, seen: sighting }) =>
      epc === undefined || sighting === undefined ? [] : [[seenKey(epc), JSON.stringify(sighting)] as const],
    );
    return [[`effects/${captureID}`, JSON.stringify(shown)], ...seen];
  },
  [PACK_TYPES.readings]: (_id, text) => {
    const { item, digest, signed } = JSON.parse(text) as KeptReadings;
    return [[`readings/${item}/${digest}`, signed]];
  },
  [PACK_TYPES.shipment]: (_id, text) => {
    const { from, shipmentId, items } = JSON.parse(text) as ShipmentTerms;
    const key = `shipment/${from.member}/${shipmentId}`;
    return [[key, text], ...items.map(({ epc }) => [shippedKey(epc) + key, key] as const)];
  },
  [PACK_TYPES.exception]: (_id, text) => {
    const { exceptionId } = JSON.parse(text) as KeptException;
    return [[`exception/${exceptionId}`, text]];
  },
  [PACK_TYPES.answer]: (_id, text) => {
    const { exceptionId, answered } = JSON.parse(text) as KeptAnswer;
    return [[`answer/${exceptionId}`, answered]];
  },
  [PACK_TYPES.trace]: (_id, text) => [[`trace/${(JSON.parse(text) as KeptTrace).traceId}`, text]],
  [PACK_TYPES.handedOver]: (_id, text) => {
    const { captureID, event } = JSON.parse(text) as { readonly captureID: string; readonly event: number };
    return [[`handed/${captureID}/${event}`, 'yes']];
  },
};

/** The projection's changes for a version of one of these types; undefined for all others. */
export function packChanges(type: string, id: string, text: string | undefined): readonly Change[] | undefined {
  const facts = Object.hasOwn(FACTS, type) ? FACTS[type] : undefined;
  if (facts === undefined || text === undefined) return undefined;
  return facts(id, text).map(([key, value]) => ({
    kind: 'fact',
    space: PACK_SPACE,
    key,
    ...(value === undefined ? {} : { value }),
  }));
}
