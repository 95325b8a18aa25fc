/** Searches by what is not shown: whoever sees a resource without some of its elements does not find it by those. */
import type { JsonObject } from '../../fhir/json.js';
import type { StoredVersion } from '../../ports.js';
import { outlineOf } from '../stored.js';
import { wordPlaces, type WordPlaces } from '../values/words.js';
import type { Filter, ParameterEntry, SearchQuery } from './query.js';
import type { Sight } from './sight.js';
import { hasWords } from './words.js';

/** What a search finds and puts in order by. */
type Sought = Pick<SearchQuery, 'filters' | 'sort'>;

/**
 * A version that the index found, as the asker is shown it. Undefined where that is nothing, and where it was found or
 * would be put in its place by what is left out of it for this asker: words are looked for anew in what is left, and
 * other conditions on an element left out find nothing, since also what they do not find would tell.
 */
export function shownBy(sight: Sight, { filters, sort }: Sought, stored: StoredVersion): StoredVersion | undefined {
  const seen = sight.permit(stored);
  const lacks = seen?.lacks;
  if (seen === undefined || lacks === undefined || outlineOf(seen) === '') return seen;
  if (sort.some(({ by }) => typeof by !== 'string' && reads(by, lacks))) return undefined;
  const doubtful = filters.filter((each) => asks(each, lacks));
  if (doubtful.length === 0) return seen;
  const places = wordPlaces(JSON.parse(outlineOf(seen)) as JsonObject);
  return doubtful.every((each) => isShown(each, places)) ? seen : undefined;
}

function reads({ elements }: ParameterEntry, lacks: readonly string[]): boolean {
  return elements?.some((each) => lacks.includes(each)) === true;
}

/** Whether the answer may lie in what is left out. What is asked of other resources was decided of those. */
function asks(filter: Filter, lacks: readonly string[]): boolean {
  switch (filter.kind) {
    case 'words':
      return true;
    case 'any':
    case 'all':
      return filter.filters.some((each) => asks(each, lacks));
    case 'not':
      return asks(filter.filter, lacks);
    case 'references':
      return filter.entries.some((each) => reads(each, lacks));
    case 'value':
    case 'chain':
      return reads(filter.entry, lacks);
    default:
      return false;
  }
}

/** Whether the words that are shown suffice to say so. */
function isShown(filter: Filter, places: readonly WordPlaces[]): boolean {
  if (filter.kind === 'words') return hasWords(filter, places);
  if (filter.kind === 'all') return filter.filters.every((each) => isShown(each, places));
  return filter.kind === 'any' && filter.filters.some((each) => isShown(each, places));
}
