import { labelsOf } from './labels';
import { periodSpan, spanOf } from './spans';
import type { Coding, ResourceFacts, Span } from './terms';

/** A FHIR resource as parsed JSON. */
export type Json = Readonly<Record<string, unknown>>;

/** Elements that the search parameters code, category and type read, in the types of R4 that differ. */
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
    ...labelsOf(codingsOf(isJson(resource.meta) ? resource.meta.security : undefined), codes),
  };
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

function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isJson(value)) return [];
  const own = textOf(value.reference);
  const inner = Object.values(value).flatMap((part) => (typeof part === 'object' ? referencesIn(part) : []));
  return own === undefined ? inner : [own, ...inner];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
