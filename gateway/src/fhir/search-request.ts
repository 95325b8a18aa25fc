/** From a query string to a search (R4 search.html); every part of it is applied or refused. */
import { Refusal } from '../ledger/refusal.js';
import { isResourceType } from '../projection/generated.js';
import { R4_PARAMETERS, type SearchParameters } from '../projection/parameters.js';
import { takesModifier } from '../projection/search/filters.js';
import type { Filter, Include, ParameterEntry, SearchQuery, SortKey } from '../projection/search/query.js';
import { split } from '../projection/search/values.js';
import { parseFilter } from './filter-expression.js';
import { type Handling, KnownParameters, unknown } from './known-parameters.js';
import { pageSize } from './paging.js';
import { parseWords } from './words-expression.js';

/** How much one search may ask for; more is refused with the limit's name. */
export const SEARCH_LIMITS = {
  parameters: 60,
  valuesPerParameter: 500,
  chainDepth: 5,
  sortKeys: 5,
  includes: 20,
} as const;

/** A search ready to run, and what the answer has to say of it. */
export interface ParsedSearch {
  readonly search: SearchQuery;
  /** What was applied, for the link `self`. */
  readonly applied: URLSearchParams;
  /** Sentences on what was left out. */
  readonly leftOut: readonly string[];
}

/** Those that say how to answer, not what to find. */
const RESULT = new Set([
  ...['_count', '_cursor', '_sort', '_include', '_revinclude', '_summary', '_elements', '_total', '_format', '_pretty'],
  ...['_include:iterate', '_revinclude:iterate', '_include:recurse', '_revinclude:recurse'],
]);

/** `_contained=false` is what is done without it (R4 search.html#contained). */
function saysHow(name: string, value: string): boolean {
  return RESULT.has(name) || (name === '_contained' && value === 'false');
}

/**
 * Throws Refusal 400 for what is unknown or wrong, 503 for what is still derived; where handling is lenient unknown names and
 * those are left out. Without `parameters` it may name those of R4 alone.
 */
export function parseSearch(
  type: string,
  query: URLSearchParams,
  handling: Handling,
  parameters: SearchParameters = R4_PARAMETERS,
): ParsedSearch {
  if (query.size > SEARCH_LIMITS.parameters)
    throw tooMany(`a search has at most ${SEARCH_LIMITS.parameters} parameters`);
  const applied = new URLSearchParams();
  const known = new KnownParameters(parameters, handling);
  const filters: Filter[] = [];
  for (const [name, value] of query) {
    // An empty value asks for nothing (R4: it is left out), and so do several.
    if (/^,*$/.test(value)) continue;
    if (!saysHow(name, value)) {
      const filter = known.withoutUnknown(type, name, () => filterOf(known, type, name, value, 1));
      if (filter === undefined) continue;
      // Each condition of a conjunction may drive the search.
      filters.push(...(filter.kind === 'all' ? filter.filters : [filter]));
    }
    applied.append(name, value);
  }
  const search = { type, filters, ...resultControls(known, type, query) };
  return { search, applied, leftOut: known.told };
}

function tooMany(detail: string): Refusal {
  return new Refusal('invalid', 'too-costly', detail);
}

/** Those that are rows of no type's index. */
const OF_EVERY_TYPE: Readonly<Record<string, (value: string, values: readonly string[]) => Filter>> = {
  _id: (_, values) => ({ kind: 'id', values }),
  '_id:not': (_, values) => ({ kind: 'not', filter: { kind: 'id', values } }),
  _lastUpdated: (_, values) => ({ kind: 'updated', values }),
  _list: listFilter,
  _text: (value) => parseWords('narrative', value),
  _content: (value) => parseWords('everything', value),
};

function filterOf(
  known: KnownParameters,
  type: string,
  name: string,
  value: string,
  depth: number,
): Filter | undefined {
  if (depth > SEARCH_LIMITS.chainDepth) throw tooMany(`a chain has at most ${SEARCH_LIMITS.chainDepth} links`);
  const values = split(value, ',').filter((each) => each !== '');
  if (values.length > SEARCH_LIMITS.valuesPerParameter) {
    throw tooMany(`a parameter has at most ${SEARCH_LIMITS.valuesPerParameter} values`);
  }
  if (values.length === 0) throw new Refusal('invalid', 'bad-value', `'${name.slice(0, 80)}' is given no value`);
  const own = Object.hasOwn(OF_EVERY_TYPE, name) ? OF_EVERY_TYPE[name]?.(value, values) : undefined;
  if (own !== undefined) return own;
  if (name === '_filter') return parseFilter(value, (code, each) => filterOf(known, type, code, each, depth + 1));
  if (name.startsWith('_has:')) return hasFilter(known, type, name.slice('_has:'.length), value, depth);
  const dot = name.indexOf('.');
  if (dot > 0) return chainFilter(known, type, [name.slice(0, dot), name.slice(dot + 1)], value, depth);
  return valueFilter(known, type, name, values);
}

/** `_list=id`; lists that a server would keep by function are not served. */
function listFilter(value: string): Filter {
  const id = value.replace(/^List\//, '');
  if (/^[A-Za-z0-9.-]{1,64}$/.test(id)) return { kind: 'list', id };
  throw new Refusal('invalid', 'not-supported', '_list takes the id of one List');
}

function valueFilter(
  known: KnownParameters,
  type: string,
  name: string,
  values: readonly string[],
): Filter | undefined {
  const [code = '', modifier = ''] = name.split(':', 2);
  const entry = known.find(type, code);
  if (entry === undefined) return undefined;
  if (!takesModifier(entry, modifier)) {
    throw new Refusal('invalid', 'not-supported', `'${code}' of ${type} takes no modifier ':${modifier.slice(0, 40)}'`);
  }
  if (entry.kind === 'uri' && code === 'url' && modifier === '') return canonicalFilter(known, type, entry, values);
  return { kind: 'value', entry, modifier, values };
}

/** `url=http://example.org/vs|2`: of that version (R4 search.html#uri). */
function canonicalFilter(
  known: KnownParameters,
  type: string,
  entry: ParameterEntry,
  values: readonly string[],
): Filter {
  const filters = values.map((value): Filter => {
    const [url = '', number] = split(value, '|');
    const own: Filter = { kind: 'value', entry, modifier: '', values: [url] };
    const version = number === undefined ? undefined : valueFilter(known, type, 'version', [number]);
    return version === undefined ? own : { kind: 'all', filters: [own, version] };
  });
  const isPlain = filters.every(({ kind }) => kind === 'value');
  if (isPlain) return { kind: 'value', entry, modifier: '', values };
  const [first, ...others] = filters;
  return first !== undefined && others.length === 0 ? first : { kind: 'any', filters };
}

/** `subject:Patient.name`: the rest is asked of what is referred to. */
function chainFilter(
  known: KnownParameters,
  type: string,
  [head, rest]: readonly [string, string],
  value: string,
  depth: number,
): Filter | undefined {
  const [code = '', only] = head.split(':', 2);
  const entry = known.find(type, code);
  if (entry?.kind !== 'reference') return undefined;
  const types = only === undefined ? (entry.targets ?? []) : [only];
  const links = types.filter(isResourceType).flatMap((target) => {
    const filter = filterOf(known, target, rest, value, depth + 1);
    return filter === undefined ? [] : [{ type: target, filter }];
  });
  return links.length === 0 ? undefined : { kind: 'chain', entry, links };
}

/** `_has:Observation:patient:code`: some Observation whose patient is this one has the code. */
function hasFilter(
  known: KnownParameters,
  type: string,
  text: string,
  value: string,
  depth: number,
): Filter | undefined {
  const [source = '', reference = '', ...rest] = text.split(':');
  const entry = known.find(source, reference);
  if (entry?.kind !== 'reference' || rest.length === 0) return undefined;
  if (entry.targets?.includes(type) === false) return undefined;
  const filter = filterOf(known, source, rest.join(':'), value, depth + 1);
  return filter === undefined ? undefined : { kind: 'has', type: source, entry, filter };
}

type ResultControls = Omit<SearchQuery, 'type' | 'filters'>;

function resultControls(known: KnownParameters, type: string, query: URLSearchParams): ResultControls {
  const count = pageSize(query);
  const cursor = query.get('_cursor');
  return {
    count,
    sort: sortKeys(known, type, query.get('_sort')),
    includes: includesOf(known, type, query),
    total: totalOf(query.get('_total')),
    countOnly: query.get('_summary') === 'count' || count === 0,
    ...(cursor === null ? {} : { cursor }),
  };
}

function totalOf(value: string | null): SearchQuery['total'] {
  if (value === null) return 'estimate';
  if (value === 'none' || value === 'estimate' || value === 'accurate') return value;
  throw new Refusal('invalid', 'bad-value', '_total is none, estimate or accurate');
}

function sortKeys(known: KnownParameters, type: string, sort: string | null): SortKey[] {
  if (sort === null || sort === '') return [];
  const names = sort.split(',');
  if (names.length > SEARCH_LIMITS.sortKeys)
    throw tooMany(`a search is sorted by at most ${SEARCH_LIMITS.sortKeys} keys`);
  return names.map((name) => {
    const descending = name.startsWith('-');
    const code = descending ? name.slice(1) : name;
    if (code === '_id' || code === '_lastUpdated') return { by: code, descending };
    const entry = known.require(type, code);
    if (entry === undefined || entry.kind === 'composite') throw unknown(type, `_sort=${code}`);
    return { by: entry, descending };
  });
}

function includesOf(known: KnownParameters, type: string, query: URLSearchParams): Include[] {
  const asked = [...query].flatMap(([name, value]) => {
    const match = /^_(rev)?include(?::(iterate|recurse))?$/.exec(name);
    return match === null ? [] : [{ value, reverse: match[1] !== undefined, iterate: match[2] !== undefined }];
  });
  if (asked.length > 0 && query.get('_summary') === 'text') {
    throw new Refusal('invalid', 'not-supported', '_include and _revinclude do not go with _summary=text');
  }
  if (asked.length > SEARCH_LIMITS.includes) throw tooMany(`a search has at most ${SEARCH_LIMITS.includes} includes`);
  return asked.flatMap(({ value, reverse, iterate }) =>
    value === '*' ? known.everyInclude(type, reverse, iterate) : includeOf(known, value, reverse, iterate),
  );
}

/** `Type:parameter`, `Type:parameter:Target` or `Type:*`. */
function includeOf(known: KnownParameters, value: string, reverse: boolean, iterate: boolean): Include[] {
  const [type = '', code = '', target] = value.split(':');
  const entries = code === '*' ? known.referencesOf(type) : [known.require(type, code)];
  const references = entries.filter((entry): entry is ParameterEntry => entry?.kind === 'reference');
  if (references.length === 0) throw unknown(type, `${reverse ? '_revinclude' : '_include'}=${value}`);
  return references.map((entry) => ({ reverse, type, entry, iterate, ...(target === undefined ? {} : { target }) }));
}
