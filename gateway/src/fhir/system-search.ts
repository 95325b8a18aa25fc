/** Search across types (R4 http.html#search): parameters that all of them have, `_type` to choose some. */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { generatedSearch, isResourceType } from '../projection/generated.js';
import { bundleText } from './bundle-text.js';
import { type FhirContext } from './context.js';
import { sightOf } from './sight.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { entryOf, handlingOf, links } from './search.js';
import { parseSearch, type ParsedSearch } from './search-request.js';
import { shapeOf } from './shape.js';

/** One type after the other; a cursor names the type it is in. */
export function searchSystem(context: FhirContext, request: FhirRequest): FhirResponse {
  const types = typesOf(request.query);
  const [start, inner] = startOf(request.query, types);
  const shape = shapeOf(request.query) ?? ((text: string) => text);
  const parsed = types.map((type, at) => parsedFor(context, request, type, at === start ? inner : undefined));
  const found = walk(context, request, parsed, start);
  const entries = found.matches.map((stored) => entryOf(context, shape(stored.text), stored, 'match'));
  const whole = found.next === undefined && start === 0 && inner === undefined;
  const link = links(`${context.baseUrl}/`, parsed[0]?.applied ?? new URLSearchParams(), found.next);
  const head = { type: 'searchset', ...(whole ? { total: found.total } : {}), link };
  return { status: 200, headers: {}, resource: bundleText(head, entries) };
}

interface Found {
  readonly matches: StoredVersion[];
  total: number;
  readonly next?: string;
}

/** Fills a page type by type, from the one at `start` on. */
function walk(context: FhirContext, request: FhirRequest, parsed: readonly ParsedSearch[], start: number): Found {
  const found: Found = { matches: [], total: 0 };
  const sight = sightOf(context, request, 'search');
  for (const [at, { search }] of parsed.entries()) {
    if (at < start || !isAllowed(context, request, search.type)) continue;
    const count = search.count - found.matches.length;
    if (count === 0 && !search.countOnly) return { ...found, next: `${at}.` };
    const result = context.projection.search.run({ ...search, count, total: 'accurate' }, sight);
    found.matches.push(...result.matches);
    found.total += result.total ?? 0;
    if (result.next !== undefined) return { ...found, next: `${at}.${result.next}` };
  }
  return found;
}

function typesOf(query: URLSearchParams): readonly string[] {
  const wanted = query.get('_type');
  if (wanted === null) return generatedSearch().types;
  const types = wanted.split(',');
  if (!types.every(isResourceType)) {
    throw new Refusal('invalid', 'bad-value', '_type names a type that R4 does not have');
  }
  return [...new Set(types)];
}

function startOf(query: URLSearchParams, types: readonly string[]): [number, string | undefined] {
  const cursor = query.get('_cursor');
  if (cursor === null) return [0, undefined];
  const match = /^(\d{1,3})\.(.*)$/.exec(cursor);
  if (match === null || Number(match[1]) >= types.length) {
    throw new Refusal('invalid', 'bad-cursor', 'this page is not known here: start the search again');
  }
  return [Number(match[1]), match[2] === '' ? undefined : match[2]];
}

/** The search as one type's; `_type` has done its part. */
function parsedFor(context: FhirContext, request: FhirRequest, type: string, cursor: string | undefined): ParsedSearch {
  const query = new URLSearchParams(request.query);
  const wanted = query.get('_type');
  query.delete('_type');
  query.delete('_cursor');
  if (cursor !== undefined) query.set('_cursor', cursor);
  const parsed = parseSearch(context, type, query, handlingOf(request));
  if (wanted !== null) parsed.applied.append('_type', wanted);
  parsed.applied.delete('_cursor');
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
