/** Page sizes (R4 search.html#count). */
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
