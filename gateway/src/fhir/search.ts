/** search (R4 http.html#search, search.html): the answer as a searchset. */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { generatedSearch } from '../projection/generated.js';
import type { Filter, Include, SearchQuery } from '../projection/search/query.js';
import type { SearchResult } from '../projection/search/search.js';
import { bundleText, type BundleParts, type EntryText } from './bundle-text.js';
import { COMPARTMENTS } from './compartments.js';
import { joinedBy, requireId, type FhirContext } from './context.js';
import { sightOf } from './sight.js';
import { operationOutcome } from './outcome.js';
import { withQuery } from './read.js';
import { provenancesOf, refersTo, searchProvenance, type ProvenancePage } from './provenance.js';
import { asksInPart, FOUND_BY } from './provenance-filter.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { parseSearch, type Handling, type ParsedSearch } from './search-request.js';
import { shapeOf } from './shape.js';

/** Resources that come along with a page's matches. */
export const INCLUDE_LIMIT = 1_000;

/** A page of the searchset of one type; of a patient kept elsewhere, what the custodians show. */
export async function search(context: FhirContext, request: FhirRequest, type: string): Promise<FhirResponse> {
  const patient = patientNamed(request, type);
  const elsewhere = patient !== undefined && context.remote !== undefined && isElsewhere(context, request, patient);
  if (elsewhere) {
    const remote = await context.remote.search(request, type, patient);
    if (remote !== undefined) return remote;
  }
  const local = searchset(context, request, parseSearch(context, type, request.query, handlingOf(request)));
  if (patient === undefined || elsewhere) return local;
  return await joinedBy(context, request, local, { patient, type });
}

/** A search among a type's resources in a patient's compartment (R4 http.html#vsearch): `Patient/1/Observation`. */
export async function searchCompartment(
  context: FhirContext,
  request: FhirRequest,
  patient: string,
  type: string,
): Promise<FhirResponse> {
  requireId(patient);
  const query = new URLSearchParams(request.query);
  query.append(type === 'Patient' ? '_id' : 'patient', patient);
  const elsewhere = isElsewhere(context, request, patient);
  if (elsewhere) {
    const remote = await context.remote?.search({ ...request, query }, type, patient);
    if (remote !== undefined) return remote;
  }
  const parsed = parseSearch(context, type, request.query, handlingOf(request));
  const within = compartmentFilter(type, patient);
  const filters = [...parsed.search.filters, within];
  const local = searchset(context, request, { ...parsed, search: { ...parsed.search, filters } });
  if (elsewhere) return local;
  return await joinedBy(context, { ...request, query }, local, { patient, type });
}

/** A search among a type's resources in another compartment: `Encounter/1/Observation`. */
export function searchWithin(
  context: FhirContext,
  request: FhirRequest,
  [compartment, id]: readonly [string, string],
  type: string,
): FhirResponse {
  requireId(id);
  const parsed = parseSearch(context, type, request.query, handlingOf(request));
  const filters = [...parsed.search.filters, withinFilter(compartment, id, type)];
  return searchset(context, request, { ...parsed, search: { ...parsed.search, filters } });
}

function withinFilter(compartment: string, id: string, type: string): Filter {
  if (type === compartment) return { kind: 'id', values: [id] };
  const { parameters } = generatedSearch();
  const entries = (COMPARTMENTS[compartment]?.[type] ?? []).flatMap((code) => parameters[type]?.[code] ?? []);
  if (entries.length === 0) {
    throw new Refusal('not-found', 'unknown-type', `${type} lies in no compartment of ${compartment}`);
  }
  return { kind: 'references', entries, targets: [`${compartment}/${id}`] };
}

function compartmentFilter(type: string, patient: string): Filter {
  if (type === 'Patient') return { kind: 'id', values: [patient] };
  const { compartments, parameters } = generatedSearch();
  const entries = (compartments[type] ?? []).flatMap((code) => parameters[type]?.[code] ?? []);
  if (entries.length === 0) throw new Refusal('not-found', 'unknown-type', `${type} lies in no patient's compartment`);
  return { kind: 'references', entries, targets: [`Patient/${patient}`] };
}

function searchset(context: FhirContext, request: FhirRequest, parsed: ParsedSearch): FhirResponse {
  const result = found(context, request, parsed.search);
  const { included, cut } = withIncludes(context, request, parsed.search, result.matches);
  const shape = shapeOf(request.query) ?? ((text: string) => text);
  const entries = [
    ...result.matches.map((stored) => entryOf(context, shape(stored.text), stored, 'match')),
    ...included.map((stored) => entryOf(context, shape(stored.text), stored, 'include')),
    ...warnings(parsed, cut, result.isPartial === true || asksInPart(parsed.search.filters)),
  ];
  const head = {
    type: 'searchset',
    ...(result.total === undefined ? {} : { total: result.total }),
    link: links(`${context.baseUrl}/${request.path.replace(/\/_search$/, '')}`, parsed.applied, result.next),
  };
  return searchsetAnswer({ head, entries });
}

/** A searchset as an answer, with the parts it is made from. */
export function searchsetAnswer(parts: BundleParts): FhirResponse {
  return { status: 200, headers: {}, resource: bundleText(parts.head, parts.entries), parts };
}

function found(context: FhirContext, request: FhirRequest, query: SearchQuery): Partial<ProvenancePage> & SearchResult {
  if (query.type === 'Provenance') return searchProvenance(context, request, query, 'search');
  return context.projection.search.run(query, sightOf(context, request, 'search'));
}

/** What `Prefer: handling=` asks for; strict unless told. */
export function handlingOf(request: FhirRequest): Handling {
  return /(?:^|[;,\s])handling=lenient\b/.test(request.headers.prefer ?? '') ? 'lenient' : 'strict';
}

/** Whether a patient is not ours, or is for one who may see nothing of the record: both are answered alike. */
function isElsewhere({ projection, decision }: FhirContext, { actor }: FhirRequest, patient: string): boolean {
  const stored = projection.current('Patient', patient);
  if (stored === undefined || !decision.opens(actor, patient)) return true;
  const may = (each: StoredVersion): boolean => decision.permit(actor, each, 'search') !== undefined;
  return !may(stored) && !projection.compartment(patient).some(may);
}

/** The one patient that the search says it is about. */
function patientNamed(request: FhirRequest, type: string): string | undefined {
  const names = type === 'Patient' ? ['_id'] : ['patient', 'subject', 'patient:Patient', 'subject:Patient'];
  const value = names.map((name) => request.query.get(name)).find((each) => each !== null);
  return /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(value ?? '')?.[1];
}

/** An entry of a searchset. */
export function entryOf(
  context: FhirContext,
  resource: string,
  stored: StoredVersion,
  mode: 'match' | 'include',
): EntryText {
  const { type, id } = stored;
  return { fullUrl: `${context.baseUrl}/${type}/${id}`, resource, more: { search: { mode } }, stored };
}

function warnings({ ignored }: ParsedSearch, cut: boolean, isPartial: boolean): EntryText[] {
  const told = [
    ...ignored.map((name) => `the search parameter '${name}' is not known and was left out`),
    ...(cut ? [`more than ${INCLUDE_LIMIT} resources would come along: the rest was left out`] : []),
    ...(isPartial ? [`Provenance of writes is found by ${FOUND_BY.join(', ')} alone: there may be more`] : []),
  ];
  if (told.length === 0) return [];
  const issues = told.map((diagnostics) => ({ severity: 'warning', code: 'not-supported', diagnostics }) as const);
  return [{ resource: JSON.stringify(operationOutcome(issues)), more: { search: { mode: 'outcome' } } }];
}

/** `self` with what was applied, and `next`. */
export function links(
  url: string,
  applied: URLSearchParams,
  next: string | undefined,
): { relation: string; url: string }[] {
  const self = { relation: 'self', url: withQuery(url, applied) };
  if (next === undefined) return [self];
  const query = new URLSearchParams(applied);
  query.set('_cursor', next);
  return [self, { relation: 'next', url: withQuery(url, query) }];
}

interface Included {
  readonly included: readonly StoredVersion[];
  /** Whether there would have been more than the limit. */
  readonly cut: boolean;
}

/** What `_include` and `_revinclude` bring along; iterated ones are asked of what came along, too. */
function withIncludes(
  context: FhirContext,
  request: FhirRequest,
  query: SearchQuery,
  matches: readonly StoredVersion[],
): Included {
  const known = new Set(matches.map(nameOf));
  const included: StoredVersion[] = [];
  let round: readonly StoredVersion[] = matches;
  let includes = query.includes;
  while (round.length > 0 && includes.length > 0) {
    const found: StoredVersion[] = [];
    for (const candidate of includes.flatMap((include) => candidates(context, request, include, round))) {
      const name = nameOf(candidate);
      const seen = known.has(name) ? undefined : context.decision.permit(request.actor, candidate, 'include');
      if (seen === undefined || seen.deleted) continue;
      if (included.length === INCLUDE_LIMIT) return { included, cut: true };
      known.add(name);
      included.push(seen);
      found.push(seen);
    }
    round = found;
    includes = includes.filter((include) => include.iterate);
  }
  return { included, cut: false };
}

function nameOf({ type, id }: StoredVersion): string {
  return `${type}/${id}`;
}

function candidates(
  context: FhirContext,
  request: FhirRequest,
  include: Include,
  from: readonly StoredVersion[],
): StoredVersion[] {
  const { search } = context.projection;
  if (include.reverse) {
    const stored = search.referrers(include.type, include.entry.number, from.map(nameOf), INCLUDE_LIMIT + 1);
    return include.type === 'Provenance' ? [...stored, ...derivedReferrers(context, request, include, from)] : stored;
  }
  const names = from
    .filter((each) => each.type === include.type)
    .flatMap((each) => refersTo(each, include.entry.number) ?? search.referencesOf(each, include.entry.number));
  return [...new Set(names)].flatMap((name) => {
    const [type = '', id = ''] = name.split('/');
    if (include.target !== undefined && include.target !== type) return [];
    return context.projection.current(type, id) ?? [];
  });
}

/** Provenance derived of versions of the resources, as far as it refers to them by the parameter. */
function derivedReferrers(
  context: FhirContext,
  request: FhirRequest,
  { entry }: Include,
  from: readonly StoredVersion[],
): readonly StoredVersion[] {
  const names = new Set(from.map(nameOf));
  const isOf = (each: StoredVersion): boolean => refersTo(each, entry.number)?.some((name) => names.has(name)) === true;
  return provenancesOf(context, request, from, 'include').filter(isOf);
}
