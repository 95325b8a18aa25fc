/** Conditional interactions: what criteria match (R4 http.html#ccreate, #cond-update, #cdelete). */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion, WriteCondition } from '../ports.js';
import { caughtUp, type FhirContext } from './context.js';
import { sightOf } from './sight.js';
import { inTurn } from './lock.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { parseSearch } from './search-request.js';

/** Resources one conditional delete may take away. */
export const CONDITIONAL_DELETE_LIMIT = 100;

/** The match, undefined when there is none. Throws Refusal 412 when there are several, 400 without criteria. */
export function matchOne(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  criteria: string,
): StoredVersion | undefined {
  const matches = matchSome(context, request, type, criteria, 2);
  if (matches.length > 1) {
    throw new Refusal('conflict', 'multiple-matches', `the condition matches more than one ${type}: make it narrower`);
  }
  return matches[0];
}

/**
 * The match, or what a create in its place must carry: looked up together, so that whatever another gateway creates
 * by the same criteria after that voids the write. Throws as matchOne does.
 */
export function matchOr(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  criteria: string,
): { readonly match?: StoredVersion; readonly condition?: WriteCondition } {
  const match = matchOne(context, request, type, criteria);
  if (match !== undefined) return { match };
  const condition = context.conditionOf?.(type, canonicalCriteria(criteria));
  return condition === undefined ? {} : { condition };
}

/** At most `limit` matches. Throws Refusal 400 without criteria. */
export function matchSome(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  criteria: string,
  limit: number,
): readonly StoredVersion[] {
  context.decision.allow(request.actor, type, 'search');
  const query = criteriaOf(criteria);
  query.set('_count', String(limit));
  query.set('_total', 'none');
  const { search } = parseSearch(type, query, 'strict', context.projection.parameters);
  if (search.filters.length === 0) throw noCriteria();
  return context.projection.search.run(search, sightOf(context, request, 'search')).matches;
}

/** The newest block that a conditional interaction wrote, by projection. */
const decidedAt = new WeakMap<object, number>();

/**
 * Runs what decides by criteria so that two of the same criteria never decide at the same time at this gateway, and
 * none before the projection has what the one before wrote. Throws Refusal 503 when it does not catch up.
 */
export function decidedInTurn(
  context: FhirContext,
  criteria: readonly string[],
  work: () => Promise<FhirResponse>,
): Promise<FhirResponse> {
  const names = criteria.map(canonicalCriteria);
  return inTurn(context.projection, [...new Set(names)].sort(), async () => {
    if (names.length === 0) return work();
    if (!(await caughtUp(context, decidedAt.get(context.projection) ?? -1))) {
      throw new Refusal('unavailable', 'behind', 'this gateway has not caught up with an earlier write: ask again');
    }
    const response = await work();
    const block = Number(response.headers['X-Block'] ?? -1);
    decidedAt.set(context.projection, Math.max(block, decidedAt.get(context.projection) ?? -1));
    return response;
  });
}

/** The same text for the same criteria in whatever order. */
function canonicalCriteria(criteria: string): string {
  const query = criteriaOf(criteria);
  query.sort();
  return query.toString();
}

function criteriaOf(criteria: string): URLSearchParams {
  const query = new URLSearchParams(criteria.replace(/^[A-Za-z]*\?/, ''));
  for (const name of ['_count', '_format', '_pretty', '_summary', '_elements']) query.delete(name);
  return query;
}

function noCriteria(): Refusal {
  return new Refusal(
    'conflict',
    'precondition-failed',
    'the condition has no search parameters: name what to look for',
  );
}
