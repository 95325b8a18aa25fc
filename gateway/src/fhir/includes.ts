/** Resources that come along with a search's matches (R4 search.html#include, #revinclude). */
import type { StoredVersion } from '../ports.js';
import type { Include } from '../projection/search/query.js';
import type { FhirContext } from './context.js';
import { provenancesOf, refersTo } from './provenance.js';
import type { FhirRequest } from './request.js';

/** Resources that come along with a page's matches. */
export const INCLUDE_LIMIT = 1_000;

/** What comes along. */
export interface Included {
  readonly included: readonly StoredVersion[];
  /** Whether there would have been more than the limit. */
  readonly cut: boolean;
}

/** What `_include` and `_revinclude` bring along; iterated ones are asked of what came along, too. */
export function withIncludes(
  context: FhirContext,
  request: FhirRequest,
  asked: readonly Include[],
  matches: readonly StoredVersion[],
): Included {
  const known = new Set(matches.map(nameOf));
  const included: StoredVersion[] = [];
  let round: readonly StoredVersion[] = matches;
  let includes = asked;
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
