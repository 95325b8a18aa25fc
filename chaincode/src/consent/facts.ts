import { isInTable, labelsOf } from './labels';
import { periodSpan, spanOf } from './spans';
import type { Coding, ResourceFacts, Span } from './terms';

/** A FHIR resource as parsed JSON. */
export type Json = Readonly<Record<string, unknown>>;

/** Elements that a rule's code is compared with: what the search parameters code, category and type read. */
const CODED = ['code', 'category', 'type', 'medicationCodeableConcept', 'vaccineCode'];

/** Clinical time, the first one present. */
const DATED = [
  'effectiveDateTime',
  'effectivePeriod',
  'effectiveInstant',
  'onsetDateTime',
  'onsetPeriod',
  'performedDateTime',
  'performedPeriod',
  'occurrenceDateTime',
  'occurrencePeriod',
  'servicedDate',
  'servicedPeriod',
  'billablePeriod',
  'period',
  'authoredOn',
  'authored',
  'whenHandedOver',
  'whenPrepared',
  'sent',
  'received',
  'createdDateTime',
  'createdPeriod',
  'timingDateTime',
  'timingPeriod',
  'identifiedDateTime',
  'identifiedPeriod',
  'start',
  'startDate',
  'servicePeriod',
  'dateWritten',
  'receivedTime',
  'timestamp',
  'detected',
  'recordedDate',
  'dateTime',
  'date',
  'dateAsserted',
  'started',
  'issued',
  'created',
  'recorded',
];

const AUTHORED = [
  'author',
  'performer',
  'recorder',
  'asserter',
  'requester',
  'enterer',
  'attester',
  'informationSource',
  'sender',
  'provider',
];

/** What of a resource is decided on. `referencedBy`: the resources that refer to it, where known. */
export function factsOf(resource: Json, referencedBy: readonly string[] = []): ResourceFacts {
  const type = textOf(resource.resourceType) ?? '';
  const id = textOf(resource.id);
  const codes = CODED.flatMap((name) => codingsOf(resource[name]));
  const when = timeOf(resource);
  return {
    type,
    ...(id === undefined ? {} : { self: `${type}/${id}` }),
    codes,
    ...(when ? { when } : {}),
    references: referencesIn(resource),
    authors: AUTHORED.flatMap((name) => referencesIn(resource[name])),
    referencedBy,
    ...labelsOf(codingsOf(isJson(resource.meta) ? resource.meta.security : undefined), labellingCodings(resource)),
  };
}

/** Codings that the table of labels may know, wherever in a resource they stand, in whatever it contains or holds. */
export function labellingCodings(resource: Json): readonly Coding[] {
  const found: Coding[] = [];
  // Not by recursion: a resource is as deep as its sender likes.
  const open: object[] = [resource];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { system, code } = at as Json;
    if (typeof system === 'string' && typeof code === 'string' && isInTable(system)) found.push({ system, code });
    for (const part of Object.values(at)) if (typeof part === 'object' && part !== null) open.push(part as object);
  }
  return found;
}

/** Codings of a Coding, a CodeableConcept or a list of them. */
export function codingsOf(value: unknown): readonly Coding[] {
  if (Array.isArray(value)) return value.flatMap(codingsOf);
  if (!isJson(value)) return [];
  if (Array.isArray(value.coding)) return value.coding.flatMap(codingsOf);
  const [system, code] = [textOf(value.system), textOf(value.code)];
  return code === undefined ? [] : [{ code, ...(system === undefined ? {} : { system }) }];
}

function timeOf(resource: Json): Span | undefined {
  for (const name of DATED) {
    const value = resource[name];
    const span = typeof value === 'string' ? spanOf(value) : isJson(value) ? periodSpan(value) : undefined;
    if (span) return span;
  }
  return undefined;
}

/** `Type/id` at the end of an address, or before a version: rules name resources by it. */
const LOCAL = /([A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/;

/** FHIR id of the patient that a consent names by literal reference; undefined where it names none so. */
export function patientIn(consent: object): string | undefined {
  const { patient } = consent as { readonly patient?: { readonly reference?: unknown } | null };
  return PATIENT.exec(String(patient?.reference))?.[1];
}

const PATIENT = /^(?:.*\/)?Patient\/([A-Za-z0-9.-]{1,64})$/;

function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isJson(value)) return [];
  const own = textOf(value.reference);
  const local = own === undefined ? undefined : LOCAL.exec(own)?.[1];
  const inner = Object.values(value).flatMap((part) => (typeof part === 'object' ? referencesIn(part) : []));
  if (own === undefined) return inner;
  return local === undefined || local === own ? [own, ...inner] : [own, local, ...inner];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
