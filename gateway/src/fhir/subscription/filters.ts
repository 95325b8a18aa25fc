/** Filters of a subscription, as searches of the topic's type write them (backport-filter-criteria). Pure. */
import { Refusal } from '../../ledger/refusal.js';
import { generatedSearch, indexerOf } from '../../projection/generated.js';
import { split, unescaped } from '../../projection/search/values.js';
import { IndexRows, type Term } from '../../projection/values/rows.js';
import { isCodedAs } from '../../identity/narrowing.js';
import type { JsonObject } from '../json.js';
import { SUBSCRIPTION_LIMITS } from './limits.js';

/** A search parameter, and the values of which a resource has one. */
export interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

/**
 * The filters that a text says: `patient=Patient/1`, `Observation.code=…` or `Observation?patient=1&code=…`. Throws Refusal
 * for what is no parameter of the type by token or reference.
 */
export function filtersOf(type: string, text: unknown): readonly Filter[] {
  if (typeof text !== 'string') throw bad('a filter is a valueString');
  const query = text.startsWith(`${type}?`) || text.startsWith(`${type}.`) ? text.slice(type.length + 1) : text;
  const filters = [...new URLSearchParams(query)].map(([name, value]) => ({ name, values: split(value, ',') }));
  if (filters.length === 0) throw bad('a filter is written as a search: patient=Patient/1');
  for (const { name, values } of filters) {
    if (!['id', 'token', 'reference'].includes(kindOf(type, name) ?? '')) {
      throw bad(`${type} is filtered by _id and its search parameters of tokens and references, without modifiers`);
    }
    if (values.length > SUBSCRIPTION_LIMITS.valuesPerFilter || values.includes('')) {
      throw bad(`a filter has 1 to ${SUBSCRIPTION_LIMITS.valuesPerFilter} values`);
    }
  }
  return filters;
}

/** Whether a resource of the type meets every filter; `base` is the server's base URL with a slash at its end. */
export function meets(filters: readonly Filter[], type: string, resource: JsonObject, base: string): boolean {
  if (filters.length === 0) return true;
  const rows = new IndexRows(base);
  indexerOf(type).index(resource, rows);
  return filters.every(({ name, values }) => {
    if (name === '_id') return values.some((value) => unescaped(value) === resource.id);
    const number = generatedSearch().parameters[type]?.[name]?.number;
    const own = rows.terms.filter(({ parameter }) => parameter === number);
    if (kindOf(type, name) === 'token') return isCodedAs(own, values);
    return values.some((value) => own.some((term) => refersTo(term, value, base)));
  });
}

function kindOf(type: string, name: string): string | undefined {
  if (name === '_id') return 'id';
  const own = generatedSearch().parameters[type];
  return own !== undefined && Object.hasOwn(own, name) ? own[name]?.kind : undefined;
}

/** An id, `Type/id` or a URL (R4 search.html#reference). */
function refersTo({ a }: Term, value: string, base: string): boolean {
  const asked = unescaped(value);
  const wanted = asked.startsWith(base) ? asked.slice(base.length) : asked;
  return a === wanted || (!wanted.includes('/') && a.endsWith(`/${wanted}`) && !a.includes(':'));
}

function bad(detail: string): Refusal {
  return new Refusal('invalid', 'unprocessable', detail);
}
