/** Page sizes and the links between pages (R4 search.html#count, http.html#paging). */
import { Refusal } from '../ledger/refusal.js';

/** Entries of a page when `_count` does not say. */
export const DEFAULT_PAGE = 50;
/** More is answered with this many: a server may give less than was asked for. */
export const LARGEST_PAGE = 1_000;

/** From `_count`; 0 asks for the number of matches alone. Throws Refusal when it is no whole number. */
export function pageSize(query: URLSearchParams): number {
  const count = query.get('_count');
  if (count === null) return DEFAULT_PAGE;
  if (!/^\d{1,9}$/.test(count)) throw new Refusal('invalid', 'bad-value', '_count is a whole number');
  return Math.min(Number(count), LARGEST_PAGE);
}

/** Where the pages around one start, as cursors; '' is the first one. */
export interface Around {
  readonly next?: string;
  readonly previous?: string;
}

/** A link of a Bundle. */
export interface PageLink {
  readonly relation: 'self' | 'first' | 'previous' | 'next';
  readonly url: string;
}

/** `self` with what was applied; where there are several pages, `first` and those before and behind. */
export function links(url: string, applied: URLSearchParams, { next, previous }: Around): PageLink[] {
  const at = (relation: PageLink['relation'], cursor: string): PageLink => {
    const query = new URLSearchParams(applied);
    query.delete(CURSOR);
    if (cursor !== '') query.set(CURSOR, cursor);
    return { relation, url: withQuery(url, query) };
  };
  const self = { relation: 'self', url: withQuery(url, applied) } as const;
  const isAlone = next === undefined && previous === undefined && !applied.has(CURSOR);
  return [
    self,
    ...(next === undefined ? [] : [at('next', next)]),
    ...(previous === undefined ? [] : [at('previous', previous)]),
    ...(isAlone ? [] : [at('first', '')]),
  ];
}

const CURSOR = '_cursor';

/** The URL with its query, without a lone question mark. */
function withQuery(url: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === '' ? url : `${url}?${text}`;
}
