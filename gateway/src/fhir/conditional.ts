/** Conditional interactions: the one resource that criteria match (R4 http.html#ccreate, #cond-update, #cdelete). */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { sightOf, type FhirContext } from './context.js';
import type { FhirRequest } from './request.js';
import { parseSearch } from './search-request.js';

/** The match, undefined when there is none. Throws Refusal 412 when there are several, 400 without criteria. */
export function matchOne(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  criteria: string,
): StoredVersion | undefined {
  const query = new URLSearchParams(criteria.replace(/^[A-Za-z]*\?/, ''));
  if (query.size === 0) throw new Refusal('invalid', 'bad-value', 'the condition has no search parameters');
  query.set('_count', '2');
  query.set('_total', 'none');
  const { search } = parseSearch(context, type, query, 'strict');
  const { matches } = context.projection.search.run(search, sightOf(context, request, 'search'));
  if (matches.length > 1) {
    throw new Refusal('conflict', 'multiple-matches', `the condition matches more than one ${type}: make it narrower`);
  }
  return matches[0];
}
