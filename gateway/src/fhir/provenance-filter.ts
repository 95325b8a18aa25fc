/** By what derived Provenance is found: conditions of a search of Provenance, asked of the version itself. Pure. */
import { provenanceId } from '../ehr/provenance-id.js';
import type { StoredVersion } from '../ports.js';
import { generatedSearch } from '../projection/generated.js';
import type { Filter, SearchQuery, SortKey } from '../projection/search/query.js';
import { dateOf, prefixed, tokenOf, unescaped, type Prefix } from '../projection/search/values.js';
import { literalOf } from '../projection/values/reference.js';
import { authorOf } from './derived-provenance.js';

/** Search parameters that derived Provenance is found by; a search with others finds what clients stored alone. */
export const FOUND_BY = ['target', 'patient', 'recorded', 'agent:identifier', '_id', '_lastUpdated'] as const;

/** Whether a search of another type asks for Provenance by something that derived Provenance is not found by. */
export function asksInPart(filters: readonly Filter[]): boolean {
  return filters.some((filter) => {
    if (filter.kind === 'all' || filter.kind === 'any') return asksInPart(filter.filters);
    if (filter.kind === 'not') return asksInPart([filter.filter]);
    const asked = filter.kind === 'chain' ? filter.links : filter.kind === 'has' ? [filter] : [];
    return asked.some((each) => asksInPart([each.filter]) || (each.type === 'Provenance' && !isFoundBy(each.filter)));
  });
}

/** Whether derived Provenance is found by a condition: what it is about may be asked for by a chain. */
function isFoundBy(filter: Filter): boolean {
  return isOfTarget(filter) || testOf(filter) !== undefined;
}

function isOfTarget(filter: Filter): boolean {
  return filter.kind === 'chain' && ['target', 'patient'].some((code) => numberOf(code) === filter.entry.number);
}

/** The search with each chain over what Provenance is about led to its end: `named` says what a chain's end finds. */
export function withoutChains(
  query: SearchQuery,
  named: (type: string, filter: Filter) => readonly string[],
): SearchQuery {
  const filters = query.filters.map((filter): Filter => {
    if (filter.kind !== 'chain' || !isOfTarget(filter)) return filter;
    const targets = filter.links.flatMap((link) => named(link.type, link.filter));
    return { kind: 'references', entries: [filter.entry], targets };
  });
  return { ...query, filters };
}

/** Whether every condition and the order are such that a version can answer them. */
export function isDerivable({ filters, sort }: SearchQuery): boolean {
  return sort.length <= 1 && sort.every(isByTime) && filters.every(isFoundBy);
}

function isByTime({ by }: SortKey): boolean {
  return by === '_lastUpdated' || (by !== '_id' && by.number === numberOf('recorded'));
}

/** The resources or Provenance ids that a search names; neither where it names none. */
export function namedBy({ filters }: SearchQuery, base: string): NamedBy {
  for (const filter of filters) {
    if (filter.kind === 'id') return { ids: filter.values };
    const named = targetsOf(filter, base);
    if (named !== undefined) return { resources: distinct(named) };
  }
  return {};
}

/** See namedBy. */
export interface NamedBy {
  readonly resources?: readonly { readonly type: string; readonly id: string }[];
  readonly ids?: readonly string[];
}

/** Whether the Provenance of a version meets every condition. */
export function suits(stored: StoredVersion, { filters }: SearchQuery, base: string): boolean {
  return filters.every((filter) => testOf(filter)?.(stored, base) === true);
}

type Test = (stored: StoredVersion, base: string) => boolean;

function testOf(filter: Filter): Test | undefined {
  if (filter.kind === 'id') return (stored) => filter.values.includes(provenanceId(stored) ?? '');
  if (filter.kind === 'updated') return (stored) => isAt(stored, filter.values);
  if (isTargets(filter)) {
    return ({ type, id, version }, base) =>
      (targetsOf(filter, base) ?? []).some(
        (each) => each.type === type && each.id === id && ['', String(version)].includes(each.version),
      );
  }
  if (filter.kind !== 'value') return undefined;
  if (filter.entry.number === numberOf('recorded') && filter.modifier === '') {
    return (stored) => isAt(stored, filter.values);
  }
  const isByAgent = filter.entry.number === numberOf('agent') && filter.modifier === 'identifier';
  return isByAgent ? (stored) => filter.values.some((value) => isBy(stored, value)) : undefined;
}

function numberOf(code: string): number | undefined {
  return generatedSearch().parameters.Provenance?.[code]?.number;
}

interface Target {
  readonly type: string;
  readonly id: string;
  /** '' = any. */
  readonly version: string;
}

function isTargets(filter: Filter): boolean {
  return targetsOf(filter, '') !== undefined;
}

/** The resources that a condition on the target names; undefined for another condition. */
function targetsOf(filter: Filter, base: string): readonly Target[] | undefined {
  if (filter.kind === 'references') return filter.targets.flatMap((each) => targetOf(each, base) ?? []);
  if (filter.kind !== 'value' || !['target', 'patient'].some((code) => numberOf(code) === filter.entry.number)) {
    return undefined;
  }
  const isPatient = filter.entry.number === numberOf('patient');
  if (filter.modifier !== '' && filter.entry.targets?.includes(filter.modifier) !== true) return undefined;
  const type = filter.modifier === '' && isPatient ? 'Patient' : filter.modifier;
  return filter.values.flatMap((value) => {
    const found = targetOf(unescaped(value), base, type);
    return found === undefined || (type !== '' && found.type !== type) ? [] : [found];
  });
}

/** `Type/id`, with a version or the server's URL, or an id of the type given. */
function targetOf(text: string, base: string, type = ''): Target | undefined {
  const { target, version } = literalOf(text, base);
  const [, named = type, id] = /^(?:([A-Z][A-Za-z]+)\/)?([A-Za-z0-9.-]{1,64})$/.exec(target) ?? [];
  return id === undefined || named === '' ? undefined : { type: named, id, version };
}

function distinct(targets: readonly Target[]): readonly { type: string; id: string }[] {
  return [...new Map(targets.map(({ type, id }) => [`${type}/${id}`, { type, id }])).values()];
}

/** Whether a token names the person, as `member/user`, or the member for which the person wrote. */
function isBy(stored: StoredVersion, value: string): boolean {
  const { system, code } = tokenOf(value);
  const by = authorOf(stored);
  if (by === undefined) return false;
  const names = { 'urn:salus:user': `${by.member}/${by.user}`, 'urn:salus:member': by.member };
  return Object.entries(names).some(
    ([each, name]) => (system === undefined || system === each) && (code === undefined || code === name),
  );
}

const AT: Readonly<Record<Prefix, (time: number, low: number, high: number) => boolean>> = {
  eq: (time, low, high) => time >= low && time <= high,
  ne: (time, low, high) => time < low || time > high,
  gt: (time, _low, high) => time > high,
  sa: (time, _low, high) => time > high,
  lt: (time, low) => time < low,
  eb: (time, low) => time < low,
  ge: (time, low) => time >= low,
  le: (time, _low, high) => time <= high,
  ap: (time, low, high) => time >= low && time <= high,
};

/** Whether a version was committed at one of the times asked for. */
function isAt({ lastUpdated }: StoredVersion, values: readonly string[]): boolean {
  return values.some((value) => {
    const { prefix, rest } = prefixed(value);
    const { low, high } = dateOf(unescaped(rest));
    return AT[prefix](Date.parse(lastUpdated), low, high);
  });
}
