/** search (R4 http.html#search, search.html): the answer as a searchset. */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { generatedSearch } from '../projection/generated.js';
import type { Filter, SearchQuery } from '../projection/search/query.js';
import type { SearchResult } from '../projection/search/search.js';
import { bundleAnswer, type EntryText } from './bundle-text.js';
import { COMPARTMENTS } from './compartments.js';
import { joinedBy, requireId, type FhirContext } from './context.js';
import { sightOf } from './sight.js';
import { ifLost, operationOutcome } from './outcome.js';
import { INCLUDE_LIMIT, withIncludes } from './includes.js';
import { links } from './paging.js';
import { searchProvenance, type ProvenancePage } from './provenance.js';
import { asksInPart, FOUND_BY } from './provenance-filter.js';
import type { FhirRequest, FhirResponse } from './request.js';
import type { Handling } from './known-parameters.js';
import { parseSearch, type ParsedSearch } from './search-request.js';
import { shapeOf } from './shape.js';
import { typesAsked } from './types-asked.js';

/** A page of the searchset of one type; of a patient kept elsewhere, what the custodians show. */
export async function search(context: FhirContext, request: FhirRequest, type: string): Promise<FhirResponse> {
  const patient = patientNamed(request, type);
  // What is wrong with it is said before anybody is asked.
  const parsed = parsedOf(context, request, type);
  const types = typesAsked(parsed.search);
  const abroad = { ...request, query: parsed.applied };
  const elsewhere = patient !== undefined && context.remote !== undefined && isElsewhere(context, request, patient);
  if (elsewhere) {
    const remote = await context.remote.search(abroad, types, patient);
    if (remote !== undefined) return remote;
  }
  const local = searchset(context, request, parsed);
  if (patient === undefined || elsewhere) return local;
  return await joinedBy(context, abroad, local, { patient, types });
}

/** A search among a type's resources in a patient's compartment (R4 http.html#vsearch): `Patient/1/Observation`. */
export async function searchCompartment(
  context: FhirContext,
  request: FhirRequest,
  patient: string,
  type: string,
): Promise<FhirResponse> {
  requireId(patient);
  const parsed = parsedOf(context, request, type);
  const types = typesAsked(parsed.search);
  const query = new URLSearchParams(parsed.applied);
  query.append(type === 'Patient' ? '_id' : 'patient', patient);
  const elsewhere = isElsewhere(context, request, patient);
  if (elsewhere) {
    const remote = await context.remote?.search({ ...request, query }, types, patient);
    if (remote !== undefined) return remote;
  }
  const within = withinFilter('Patient', patient, type);
  const filters = [...parsed.search.filters, within];
  const local = searchset(context, request, { ...parsed, search: { ...parsed.search, filters } });
  if (elsewhere) return local;
  return await joinedBy(context, { ...request, query }, local, { patient, types });
}

/** A search among a type's resources in another compartment: `Encounter/1/Observation`. */
export function searchWithin(
  context: FhirContext,
  request: FhirRequest,
  [compartment, id]: readonly [string, string],
  type: string,
): FhirResponse {
  requireId(id);
  const parsed = parsedOf(context, request, type);
  const filters = [...parsed.search.filters, withinFilter(compartment, id, type)];
  return searchset(context, request, { ...parsed, search: { ...parsed.search, filters } });
}

/** Codes of the parameters by which a type lies in compartments of a kind, by type. */
function membersOf(compartment: string): Readonly<Record<string, readonly string[]>> {
  return compartment === 'Patient' ? generatedSearch().compartments : (COMPARTMENTS[compartment] ?? {});
}

/** Types that lie in compartments of a kind, the one that they are named by first. */
export function typesWithin(compartment: string): string[] {
  const types = Object.entries(membersOf(compartment)).flatMap(([type, codes]) => (codes.length > 0 ? [type] : []));
  return [...new Set([compartment, ...types])];
}

/** What keeps resources of a type that lie in the compartment. Throws Refusal 404 where the type lies in none. */
export function withinFilter(compartment: string, id: string, type: string): Filter {
  if (type === compartment) return { kind: 'id', values: [id] };
  const { parameters } = generatedSearch();
  const entries = (membersOf(compartment)[type] ?? []).flatMap((code) => parameters[type]?.[code] ?? []);
  if (entries.length === 0) {
    throw new Refusal('not-found', 'unknown-type', `${type} lies in no compartment of ${compartment}`);
  }
  return { kind: 'references', entries, targets: [`${compartment}/${id}`] };
}

/** A search of one type as this request asks for it, by R4's parameters and those posted here. Throws Refusal. */
export function parsedOf(
  { projection }: FhirContext,
  request: FhirRequest,
  type: string,
  query: URLSearchParams = request.query,
): ParsedSearch {
  return parseSearch(type, query, handlingOf(request), projection.parameters);
}

function searchset(context: FhirContext, request: FhirRequest, parsed: ParsedSearch): FhirResponse {
  return searchsetOf(context, request, parsed, found(context, request, parsed.search));
}

/** What a search found, with what comes along, as a page with its links. */
export function searchsetOf(
  context: FhirContext,
  request: FhirRequest,
  parsed: ParsedSearch,
  result: Partial<ProvenancePage> & SearchResult,
): FhirResponse {
  const { included, cut } = withIncludes(context, request, parsed.search.includes, result.matches);
  const shape = shapeOf(request.query);
  // _elements is not for what comes along (R4 search.html#elements).
  const around = request.query.has('_elements') ? undefined : shape;
  const entries = [
    ...result.matches.map((stored) => entryOf(context, stored, 'match', shape)),
    ...included.map((stored) => entryOf(context, stored, 'include', around)),
    ...warnings(parsed, cut, result.isPartial === true || asksInPart(parsed.search.filters)),
  ];
  const head = {
    type: 'searchset',
    ...(result.total === undefined ? {} : { total: result.total }),
    link: links(`${context.baseUrl}/${request.path.replace(/(^|\/)_search$/, '')}`, parsed.applied, result),
  };
  return bundleAnswer({ head, entries });
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

/** An entry of a searchset; where content of the resource is lost, the outcome that says so. */
export function entryOf(
  context: FhirContext,
  stored: StoredVersion,
  mode: 'match' | 'include',
  shape: (text: string) => string = (text) => text,
): EntryText {
  const { type, id } = stored;
  return ifLost(
    () => ({
      fullUrl: `${context.baseUrl}/${type}/${id}`,
      ...{ resource: shape(stored.text), more: { search: { mode } }, stored },
    }),
    (outcome) => ({ resource: JSON.stringify(outcome), more: { search: { mode: 'outcome' } } }),
  );
}

function warnings({ leftOut }: ParsedSearch, cut: boolean, isPartial: boolean): EntryText[] {
  const told = [
    ...leftOut,
    ...(cut ? [`more than ${INCLUDE_LIMIT} resources would come along: the rest was left out`] : []),
    ...(isPartial ? [`Provenance of writes is found by ${FOUND_BY.join(', ')} alone: there may be more`] : []),
  ];
  if (told.length === 0) return [];
  const issues = told.map((diagnostics) => ({ severity: 'warning', code: 'not-supported', diagnostics }) as const);
  return [{ resource: JSON.stringify(operationOutcome(issues)), more: { search: { mode: 'outcome' } } }];
}
