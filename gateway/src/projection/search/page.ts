/** Pages of a search: what is on one, and where those around it start; of several types in one order. */
import type { StoredVersion } from '../../ports.js';
import type { Row } from '../statements.js';
import type { StoredRows } from '../stored.js';
import type { Place, Position } from './cursor.js';
import type { OrderKey } from './plan.js';
import type { SearchQuery } from './query.js';
import { shownBy } from './shown.js';
import type { Sight } from './sight.js';

/** A resource on a page and its place in the order of the search. */
export interface Found {
  readonly stored: StoredVersion;
  readonly position: Position;
}

/** Resources in the order they were gone through, and whether more follow. */
export interface Walk {
  readonly found: readonly Found[];
  readonly isCut: boolean;
}

/** What is on a page, in the order asked for, and the places of the pages around it. */
export interface Page {
  readonly matches: readonly StoredVersion[];
  readonly next?: Place;
  readonly previous?: Place;
}

/** Where a row stands in the order of the search. */
export function positionOf(row: Row, query: SearchQuery): Position {
  return [...query.sort.map((_, at) => row[`k${at}`] as string | number), row.rid as number];
}

/** A row that a search of one type came upon. */
export interface Ranked {
  readonly query: SearchQuery;
  readonly row: Row;
  readonly position: Position;
}

/** The rows of several searches that are each in the order of the keys, in that order; none is fetched before its turn. */
export function* inOneOrder(sources: readonly Iterator<Ranked>[], keys: readonly OrderKey[]): Generator<Ranked> {
  const [only] = sources;
  if (sources.length === 1 && only !== undefined) {
    for (let each = only.next(); each.done !== true; each = only.next()) yield each.value;
    return;
  }
  let heads = sources.map((source) => ({ source, head: source.next() }));
  for (;;) {
    heads = heads.filter(({ head }) => head.done !== true);
    let least = heads[0];
    for (const each of heads) if (least !== undefined && isBefore(keys, each.head, least.head)) least = each;
    if (least === undefined) return;
    yield least.head.value as Ranked;
    least.head = least.source.next();
  }
}

function isBefore(keys: readonly OrderKey[], one: IteratorResult<Ranked>, other: IteratorResult<Ranked>): boolean {
  return compared(keys, (one.value as Ranked).position, (other.value as Ranked).position) < 0;
}

function compared(keys: readonly OrderKey[], one: Position, other: Position): number {
  for (const [at, { descending }] of keys.entries()) {
    const order = comparedValues(one[at] ?? 0, other[at] ?? 0);
    if (order !== 0) return descending ? -order : order;
  }
  return 0;
}

/** As SQLite compares them: numbers before texts, texts by their bytes. */
function comparedValues(one: string | number, other: string | number): number {
  if (typeof one === 'string' && typeof other === 'string') return Buffer.compare(Buffer.from(one), Buffer.from(other));
  if (typeof one === 'string') return 1;
  return typeof other === 'string' ? -1 : one - other;
}

/** The first `count` rows whose resources are shown. */
export function walk(rows: Iterable<Ranked>, stored: StoredRows, sight: Sight, count: number): Walk {
  const found: Found[] = [];
  for (const { query, row, position } of rows) {
    const seen = shownBy(sight, query, stored.of(row));
    if (seen === undefined) continue;
    if (found.length === count) return { found, isCut: true };
    found.push({ stored: seen, position });
  }
  return { found, isCut: false };
}

/** The page that a walk from a place makes; going back, the page it came from follows. */
export function pageOf({ found, isCut }: Walk, from: Place | undefined): Page {
  const isBack = from?.isBack === true;
  const inOrder = isBack ? found.toReversed() : found;
  const matches = inOrder.map(({ stored }) => stored);
  const [first, last] = [inOrder[0], inOrder.at(-1)];
  if (first === undefined || last === undefined) return { matches };
  const hasPrevious = isBack ? isCut : from !== undefined;
  return {
    matches,
    ...(isBack || isCut ? { next: { position: last.position, isBack: false } } : {}),
    ...(hasPrevious ? { previous: { position: first.position, isBack: true } } : {}),
  };
}
