/** What an EPCIS event asks of the ledger, by its business step and disposition (CBV 2.0 section 7). Pure. */
import type { ActName, EndReason } from '@salus/chaincode/supply/api';

import { asList, isMap, type JsonMap, textOf, texts } from '../event/json.js';
import { expand, type Namespaces } from '../event/namespaces.js';
import { bareTerm, bizSteps, dispositions, sourceTypes, type Vocabulary } from '../event/vocabulary.js';
import { nameOf, valuesOf } from '../epcis/match.js';
import { canonicalEpc, parseEpc } from '../gs1/epc.js';
import { packOf } from './identity.js';
import type { ProductTerms } from './stored.js';

/** A new lot. */
export interface CommitStep {
  readonly kind: 'commit';
  readonly gtin: string;
  readonly batch: string;
  readonly expiry: string;
  readonly serials: readonly string[];
  readonly product?: ProductTerms | undefined;
  /** How its packs are kept, from ILMD of our own namespace; what the contracts do not know of they refuse. */
  readonly storage?: { readonly kind: string; readonly allowance: number } | undefined;
}

/** A new container. */
export interface PackStep {
  readonly kind: 'pack';
  readonly container: string;
  readonly children: readonly string[];
}

/** A lot is recalled. */
export interface RecallStep {
  readonly kind: 'recall';
  readonly gtin: string;
  readonly batch: string;
}

/** One act of the contracts' table for these packs and containers. */
export interface ActStep {
  readonly kind: 'act';
  readonly act: ActName;
  readonly epcs: readonly string[];
  /** Party GLN of the receiver. */
  readonly to?: string | undefined;
  readonly reason?: EndReason | undefined;
  /** Where it is done, canonical. */
  readonly place: string;
  /** undo: whether the pack was supplied to the public. */
  readonly supplied?: 'yes' | 'no' | undefined;
  /** dispense: the fill of a prescription that it spends. */
  readonly fill?: string | undefined;
}

/** Packs and containers, or a lot, into quarantine or out of it. */
export interface QuarantineStep {
  readonly kind: 'quarantine';
  readonly standing: 'held' | 'released';
  readonly epcs: readonly string[];
  /** As printed, or by its id on the ledger. */
  readonly lot?: { readonly gtin: string; readonly batch: string } | { readonly lotId: string } | undefined;
}

/** What a logger read of packs and containers. */
export interface ClimateStep {
  readonly kind: 'climate';
  readonly epcs: readonly string[];
  /** Compact JWS by the logger. */
  readonly signed: string;
  /** What the event says of the same readings. */
  readonly reports: readonly unknown[];
}

/** What one event asks for, in the order in which it must be done. */
export type Step = CommitStep | PackStep | RecallStep | ActStep | QuarantineStep | ClimateStep;

/** The master data of a lot in ILMD (CBV 2.0 section 9.2). */
const CBV_MASTER_DATA = 'urn:epcglobal:cbv:mda#';
/** What events say that the standard has no member for: `storage`, `minutesOutside`, `signedReadings`. */
const OWN_NAMESPACE = 'urn:salus:epcis#';

/** What an event says, read. */
interface Said {
  readonly event: JsonMap;
  readonly namespaces: Namespaces;
  readonly disposition: string | undefined;
  /** Canonical. */
  readonly epcs: readonly string[];
}

/** The steps that an event asks for; none where it only tells. Whoever holds a thing brings what loggers read of it. */
export function stepsOf(event: JsonMap, namespaces: Namespaces): readonly Step[] {
  if (event.errorDeclaration !== undefined) return [];
  const bizStep = word(bizSteps, event.bizStep, namespaces);
  const read = bizStep === undefined || !Object.hasOwn(READ, bizStep) ? undefined : READ[bizStep];
  const disposition = word(dispositions, event.disposition, namespaces);
  const epcs = canonical(event.epcList);
  const step = read?.({ event, namespaces, disposition, epcs });
  const steps = step === undefined ? [] : [step];
  const readings = readingsOf(event, epcs, namespaces);
  return NEW_IN_HAND.includes(bizStep ?? '') ? [...steps, ...readings] : [...readings, ...steps];
}

/** Steps after which alone this member has the thing in hand. */
const NEW_IN_HAND: readonly string[] = ['commissioning', 'packing', 'receiving'];

/** What loggers signed, of the packs named or of the container they lie in. */
function readingsOf(event: JsonMap, named: readonly string[], namespaces: Namespaces): readonly ClimateStep[] {
  const epcs = named.length > 0 ? named : canonical(event.parentID);
  return asList(event.sensorElementList)
    .filter(isMap)
    .flatMap((element) => {
      const [signed] = valuesOf([element], nameOf(`${OWN_NAMESPACE}signedReadings`, namespaces), {
        namespaces,
        inner: false,
      });
      const isWhole = typeof signed === 'string' && epcs.length > 0;
      return isWhole ? [{ kind: 'climate', epcs, signed, reports: asList(element.sensorReport) } as const] : [];
    });
}

const READ: Readonly<Record<string, (said: Said) => Step | undefined>> = {
  commissioning: commissioned,
  packing: packed,
  unpacking: unpacked,
  shipping: shipped,
  transporting: carried,
  receiving: (said) => acted(said, 'receive'),
  inspecting: (said) => (FIT.includes(said.disposition ?? '') ? acted(said, 'verify-return') : undefined),
  dispensing: (said) => (said.disposition === 'partially_dispensed' ? undefined : acted(said, 'dispense')),
  decommissioning: ended,
  destroying: ended,
  sampling: (said) => acted(said, 'decommission', { reason: 'sample' }),
  holding: (said) => (said.disposition === 'recalled' ? recalled(said) : held(said)),
};

/** What an inspection finds fit for sale. */
const FIT: readonly string[] = ['sellable_accessible', 'available', 'conformant'];

/** Why a pack leaves, by disposition; any other one locks it. */
const REASONS: Readonly<Record<string, EndReason>> = {
  destroyed: 'destroyed',
  disposed: 'destroyed',
  damaged: 'to-be-destroyed',
  stolen: 'stolen',
};

function ended(said: Said): Step | undefined {
  return acted(said, 'decommission', { reason: REASONS[said.disposition ?? ''] ?? 'locked' });
}

function acted({ event, epcs }: Said, act: ActName, more: Partial<ActStep> = {}): Step | undefined {
  if (epcs.length === 0) return undefined;
  return { kind: 'act', act, epcs, place: placeOf(textOf(event.readPoint, 'id') ?? ''), ...more };
}

/** A place in the one spelling that all spellings of it have in common. */
export function placeOf(text: string): string {
  return canonicalEpc(text) ?? text;
}

/** To a new owner; to a carrier, where only a party that possesses is named. */
function shipped(said: Said): Step | undefined {
  const to = partyOf(said, 'owning_party');
  if (to === undefined && partyOf(said, 'possessing_party') !== undefined) return carried(said);
  return acted(said, said.disposition === 'returned' ? 'return' : 'ship', { to });
}

function carried(said: Said): Step | undefined {
  const to = partyOf(said, 'possessing_party');
  return to === undefined ? undefined : acted(said, 'hand-over', { to });
}

function held({ epcs }: Said): Step | undefined {
  return epcs.length === 0 ? undefined : { kind: 'quarantine', standing: 'held', epcs };
}

function partyOf({ event, namespaces }: Said, type: string): string | undefined {
  const party = asList(event.destinationList).find(
    (each) => word(sourceTypes, textOf(each, 'type'), namespaces) === type,
  );
  return textOf(party, 'destination');
}

function commissioned({ event, namespaces, epcs }: Said): Step | undefined {
  const packs = epcs.map(packOf).filter((each) => each !== undefined);
  const [gtin, another] = new Set(packs.map((each) => each.gtin));
  const batch = masterData(event, 'lotNumber', namespaces);
  const expiry = masterData(event, 'itemExpirationDate', namespaces)?.slice(0, 10);
  const isWhole = another === undefined && packs.length === epcs.length && event.action === 'ADD';
  if (!isWhole || gtin === undefined || batch === undefined || expiry === undefined) return undefined;
  const serials = packs.map((each) => each.serial);
  const [storage, product] = [storageOf(event, namespaces), productOf(event, namespaces)];
  return { kind: 'commit', gtin, batch, expiry, serials, storage, product };
}

/** Longest text of master data that is handed on. */
const MAX_PRODUCT_TEXT = 200;

function productOf(event: JsonMap, namespaces: Namespaces): ProductTerms | undefined {
  const names = ['regulatedProductName', 'strengthDescription', 'dosageFormType', 'netContentDescription'] as const;
  const said = names.flatMap((name) => {
    const text = masterData(event, name, namespaces);
    return text === undefined ? [] : [[name, text.slice(0, MAX_PRODUCT_TEXT)] as const];
  });
  return said.length === 0 ? undefined : Object.fromEntries(said);
}

function storageOf({ ilmd }: JsonMap, namespaces: Namespaces): CommitStep['storage'] {
  const said = (name: string): unknown =>
    valuesOf([ilmd], nameOf(OWN_NAMESPACE + name, namespaces), { namespaces, inner: false })[0];
  const [kind, allowance = 0] = [said('storage'), said('minutesOutside')];
  return typeof kind === 'string' ? { kind, allowance: Number(allowance) } : undefined;
}

function masterData({ ilmd }: JsonMap, name: string, namespaces: Namespaces): string | undefined {
  const [found] = valuesOf([ilmd], nameOf(CBV_MASTER_DATA + name, namespaces), { namespaces, inner: false });
  return typeof found === 'string' ? found : undefined;
}

function packed({ event }: Said): Step | undefined {
  const [container] = canonical(event.parentID);
  const children = canonical(event.childEPCs);
  if (event.action !== 'ADD' || container === undefined || children.length === 0) return undefined;
  return { kind: 'pack', container, children };
}

function unpacked({ event }: Said): Step | undefined {
  const epcs = canonical(event.childEPCs);
  return event.action === 'DELETE' && epcs.length > 0 ? { kind: 'act', act: 'unpack', epcs, place: '' } : undefined;
}

/** The lot stands as class of a quantity, with or without how many. */
function recalled({ event }: Said): Step | undefined {
  const [first] = asList(event.quantityList).filter(isMap);
  const link = parseEpc(textOf(first, 'epcClass') ?? '');
  if (link?.ai !== '01' || link.qualifier?.ai !== '10') return undefined;
  return { kind: 'recall', gtin: link.key, batch: link.qualifier.value };
}

function word(vocabulary: Vocabulary, value: unknown, namespaces: Namespaces): string | undefined {
  return typeof value === 'string' ? bareTerm(vocabulary, expand(value, namespaces)) : undefined;
}

function canonical(value: unknown): readonly string[] {
  return texts(value).map((each) => canonicalEpc(each) ?? each);
}
