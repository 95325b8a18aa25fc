/** Which types of resources a search is about: the one it finds, those it asks of on the way, and those that come along. */
import { generatedSearch } from '../projection/generated.js';
import type { Filter, Include, SearchQuery } from '../projection/search/query.js';

/** Resource types of a search, its own first: what a search at another hospital asks access to. */
export function typesAsked({
  type,
  filters,
  includes,
}: Pick<SearchQuery, 'type' | 'filters' | 'includes'>): readonly string[] {
  return [...new Set([type, ...[...filters.flatMap(typesIn), ...includes.flatMap(broughtBy)].sort()])];
}

/** Types whose resources decide what else a search shows: those of its conditions, and those that others come along with. */
export function typesDeciding({
  type,
  filters,
  includes,
}: Pick<SearchQuery, 'type' | 'filters' | 'includes'>): readonly string[] {
  const leading = includes.flatMap((each) => (each.iterate ? [type, each.type] : [type]));
  return [...new Set([...filters.flatMap(typesIn), ...leading])];
}

/** Types that a condition looks at beside the one it is asked of. */
function typesIn(filter: Filter): readonly string[] {
  switch (filter.kind) {
    case 'chain':
      return filter.links.flatMap((link) => [link.type, ...typesIn(link.filter)]);
    case 'has':
      return [filter.type, ...typesIn(filter.filter)];
    case 'list':
      return ['List'];
    case 'all':
    case 'any':
      return filter.filters.flatMap(typesIn);
    case 'not':
      return typesIn(filter.filter);
    default:
      return [];
  }
}

function broughtBy({ reverse, type, entry, target }: Include): readonly string[] {
  if (reverse) return [type];
  return target === undefined ? (entry.targets ?? generatedSearch().types) : [target];
}
