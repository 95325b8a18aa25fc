/** Search across types (R4 http.html#search): parameters that all of them have, `_type` to choose some. */
import { Refusal } from '../ledger/refusal.js';
import { generatedSearch, isResourceType } from '../projection/generated.js';
import type { Filter, Include } from '../projection/search/query.js';
import { requireId, type FhirContext } from './context.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { parsedOf, searchsetOf, typesWithin, withinFilter } from './search.js';
import type { ParsedSearch } from './search-request.js';
import { sightOf } from './sight.js';

/** One page of all types asked for, in one order. */
export function searchSystem(context: FhirContext, request: FhirRequest): FhirResponse {
  return searchTypes(context, request, generatedSearch().types, () => []);
}

/** The same among what lies in a compartment (R4 http.html#vsearch): `Patient/1/*`. */
export function searchCompartmentWhole(
  context: FhirContext,
  request: FhirRequest,
  [compartment, id]: readonly [string, string],
): FhirResponse {
  requireId(id);
  const within = (type: string): Filter[] => [withinFilter(compartment, id, type)];
  return searchTypes(context, request, typesWithin(compartment), within);
}

function searchTypes(
  context: FhirContext,
  request: FhirRequest,
  known: readonly string[],
  within: (type: string) => readonly Filter[],
): FhirResponse {
  const parsed = typesOf(request.query, known).map((type) => parsedFor(context, request, type));
  const [one] = parsed;
  const shown = parsed
    .map(({ search }) => ({ ...search, filters: [...search.filters, ...within(search.type)] }))
    .filter(({ type }) => isAllowed(context, request, type));
  const [first, ...others] = shown;
  if (one === undefined || first === undefined) return nothing(context, request, one && { ...one, ...toldOf(parsed) });
  const result = context.projection.search.merged([first, ...others], sightOf(context, request, 'search'));
  const search = { ...first, includes: everyOf(shown.flatMap(({ includes }) => includes)) };
  return searchsetOf(context, request, { search, ...toldOf(parsed) }, result);
}

/** Of a search that is one for each type: what was applied to any, and what any left out. */
function toldOf(parsed: readonly ParsedSearch[]): Pick<ParsedSearch, 'applied' | 'leftOut'> {
  const applied = new URLSearchParams();
  const texts = new Set<string>();
  for (const [name, value] of parsed.flatMap((each) => [...each.applied])) {
    const text = JSON.stringify([name, value]);
    if (!texts.has(text)) applied.append(name, value);
    texts.add(text);
  }
  return { applied, leftOut: [...new Set(parsed.flatMap(({ leftOut }) => leftOut))] };
}

/** To whom no type is shown. */
function nothing(context: FhirContext, request: FhirRequest, one: ParsedSearch | undefined): FhirResponse {
  const parsed = one ?? parsedFor(context, request, 'Patient');
  return searchsetOf(context, request, parsed, { matches: [], total: 0 });
}

/** Each include once, although every type's search has it. */
function everyOf(includes: readonly Include[]): Include[] {
  const named = includes.map((each) => {
    const { reverse, type, entry, target, iterate } = each;
    return [JSON.stringify([reverse, type, entry.number, target, iterate]), each] as const;
  });
  return [...new Map(named).values()];
}

function typesOf(query: URLSearchParams, known: readonly string[]): readonly string[] {
  const wanted = query.get('_type');
  if (wanted === null) return known;
  const types = wanted.split(',');
  if (!types.every(isResourceType)) {
    throw new Refusal('invalid', 'bad-value', '_type names a type that R4 does not have');
  }
  return [...new Set(types)].filter((type) => known.includes(type));
}

/** The search as one type's; `_type` has done its part. */
function parsedFor(context: FhirContext, request: FhirRequest, type: string): ParsedSearch {
  const query = new URLSearchParams(request.query);
  const wanted = query.get('_type');
  query.delete('_type');
  const parsed = parsedOf(context, request, type, query);
  if (wanted !== null) parsed.applied.append('_type', wanted);
  return parsed;
}

function isAllowed(context: FhirContext, request: FhirRequest, type: string): boolean {
  try {
    context.decision.allow(request.actor, type, 'search');
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
