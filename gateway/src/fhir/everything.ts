/** Patient/{id}/$everything: the patient's compartment and what it refers to (R4 operation-patient-everything). */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { generatedSearch, indexerOf, isResourceType } from '../projection/generated.js';
import { dateOf, escaped } from '../projection/search/values.js';
import { outlineOf } from '../projection/stored.js';
import { IndexRows } from '../projection/values/rows.js';
import { resourceBody } from './body.js';
import { bundleAnswer } from './bundle-text.js';
import { joinedBy, notFound, requireId, type FhirContext } from './context.js';
import type { JsonObject } from './json.js';
import { gone } from './outcome.js';
import { links, pageSize, type Around } from './paging.js';
import { provenancesOf } from './provenance.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { entryOf } from './search.js';

/** Of care: parameters of the operation on patients. */
const DATES = ['start', 'end'];

/**
 * The patient's record as the asker may see it; of a patient kept elsewhere, what the custodians show. Refuses an
 * unknown id.
 */
export async function everything(context: FhirContext, request: FhirRequest, id: string): Promise<FhirResponse> {
  requireId(id);
  // Said first, whatever is found.
  const isWanted = wantedOf(request.query, DATES);
  const may = (each: StoredVersion): readonly StoredVersion[] => {
    const shown = context.decision.permit(request.actor, each, 'operation');
    return shown === undefined ? [] : [shown];
  };
  const stored = context.projection.current('Patient', id);
  const isOpen = stored !== undefined && context.decision.opens(request.actor, id);
  const record = isOpen ? context.projection.compartment(id).flatMap(may) : [];
  // Who sees nothing of the record is told what is told of a record nobody has.
  if (!isOpen || (record.length === 0 && may(stored).length === 0)) {
    const remote = await context.remote?.everything(request, id);
    if (remote === undefined) throw notFound('Patient', id);
    return remote;
  }
  if (stored.deleted && record.length === 0) return gone(stored.version);
  const all = record.concat(referred(context, record).flatMap(may));
  const wanted = all.concat(provenanceAsked(context, request, all)).filter(isWanted);
  const local = recordAnswer(context, request, wanted, ({ patient }) => patient === id);
  return await joinedBy(context, request, local, { patient: id });
}

/** Of every version of everything, so it comes to whoever asks for it. */
function provenanceAsked(
  context: FhirContext,
  request: FhirRequest,
  record: readonly StoredVersion[],
): readonly StoredVersion[] {
  const isAsked = request.query.get('_type')?.split(',').includes('Provenance') === true;
  return isAsked ? provenancesOf(context, request, record, 'operation') : [];
}

/** The operation by POST: Parameters count as if they stood in the URL. Throws Refusal for what are none. */
export function byQuery(request: FhirRequest): FhirRequest {
  const query = new URLSearchParams(request.query);
  if ((request.body ?? '') !== '') {
    const { parameter = [] } = resourceBody(request).plain as { parameter?: JsonObject[] };
    for (const { name, ...rest } of parameter) {
      const [value] = Object.entries(rest).flatMap(([key, each]) => (key.startsWith('value') ? [each] : []));
      query.append(String(name), queryValue(value));
    }
  }
  return { ...request, method: 'GET', query };
}

/** A parameter's value as a search writes it: a reference, a code with its system, or as it is. */
function queryValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { reference, coding, system, code, value: own } = value as JsonObject;
  if (typeof reference === 'string') return reference;
  if (Array.isArray(coding)) return coding.map(queryValue).join(',');
  const name = typeof code === 'string' ? code : typeof own === 'string' ? own : '';
  const text = escaped(name);
  return typeof system === 'string' ? `${escaped(system)}|${text}` : text;
}

/** A record as a searchset, as far as it is asked for; what is no match comes along. */
export function recordAnswer(
  context: FhirContext,
  request: FhirRequest,
  wanted: readonly StoredVersion[],
  isMatch: (stored: StoredVersion) => boolean,
): FhirResponse {
  const { page, ...around } = pageOf(wanted, request.query);
  const entries = page.map((each) => entryOf(context, each, isMatch(each) ? 'match' : 'include'));
  const link = links(`${context.baseUrl}/${request.path}`, request.query, around);
  return bundleAnswer({ head: { type: 'searchset', total: wanted.length, link }, entries });
}

/** All of it, or with `_count` a page that starts behind the resource that `_cursor` names. */
function pageOf(
  wanted: readonly StoredVersion[],
  query: URLSearchParams,
): Around & { readonly page: readonly StoredVersion[] } {
  if (!query.has('_count')) return { page: wanted };
  const nameOf = ({ type, id }: StoredVersion): string => `${type}/${id}`;
  const cursor = query.get('_cursor');
  const start = cursor === null ? 0 : wanted.findIndex((each) => nameOf(each) === cursor) + 1;
  if (cursor !== null && start === 0) {
    throw new Refusal('invalid', 'bad-cursor', 'this page is not known here: start again');
  }
  const size = pageSize(query);
  const page = wanted.slice(start, start + size);
  // A page starts behind the resource that its cursor names.
  const before = (at: number): string => wanted.slice(0, at).slice(-1).map(nameOf).join('');
  return {
    page,
    ...(start === 0 || size === 0 ? {} : { previous: before(Math.max(0, start - size)) }),
    ...(start + page.length >= wanted.length || size === 0 ? {} : { next: before(start + size) }),
  };
}

const PARAMETERS = ['_type', '_since', '_count', '_cursor', '_format', '_pretty'];

/**
 * By `_type`, `_since` and, where the operation takes `dates`, those of care: `start` and `end`. Throws Refusal for what is
 * not one of these.
 */
export function wantedOf(query: URLSearchParams, dates: readonly string[]): (stored: StoredVersion) => boolean {
  const strange = [...query.keys()].find((name) => !PARAMETERS.includes(name) && !dates.includes(name));
  if (strange !== undefined) {
    throw new Refusal('invalid', 'unknown-parameter', `$everything has no parameter '${strange.slice(0, 80)}'`);
  }
  const types = query.get('_type')?.split(',');
  const unknown = types?.find((type) => !isResourceType(type));
  if (unknown !== undefined) throw new Refusal('invalid', 'bad-value', '_type names a type that R4 does not have');
  const since = query.get('_since');
  const time = since === null ? -Infinity : Date.parse(since);
  if (Number.isNaN(time))
    throw new Refusal('invalid', 'bad-value', '_since is an instant such as 2026-01-31T10:00:00Z');
  const isCare = careWithin(query.get('start'), query.get('end'));
  return (stored) =>
    (types === undefined || types.includes(stored.type)) && Date.parse(stored.lastUpdated) >= time && isCare(stored);
}

/** Whether a resource is of care in the period: some date of it is, or it has none. */
function careWithin(start: string | null, end: string | null): (stored: StoredVersion) => boolean {
  if (start === null && end === null) return () => true;
  const low = start === null ? -Infinity : dateOf(start).low;
  const high = end === null ? Infinity : dateOf(end).high;
  return (stored) => {
    const { type } = stored;
    if (type === 'Patient') return true;
    const rows = new IndexRows();
    indexerOf(type).index(JSON.parse(outlineOf(stored)) as JsonObject, rows);
    return rows.spans.length === 0 || rows.spans.some((span) => span.low <= high && span.high >= low);
  };
}

/** Resources outside the compartment that it refers to: practitioners, organizations, medications. */
export function referred(context: FhirContext, record: readonly StoredVersion[]): StoredVersion[] {
  const { compartments } = generatedSearch();
  const known = new Set(record.map(({ type, id }) => `${type}/${id}`));
  return context.projection
    .referred(record)
    .filter((name) => !known.has(name))
    .flatMap((name) => {
      const [type = '', id = ''] = name.split('/');
      // What lies in compartments belongs to some patient: it never comes along with another one's record.
      if (type === 'Patient' || (compartments[type]?.length ?? 0) > 0) return [];
      const found = context.projection.current(type, id);
      return found === undefined || found.deleted ? [] : [found];
    });
}
