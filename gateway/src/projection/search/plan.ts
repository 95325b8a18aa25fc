/** Puts conditions together to one SQL query that an index drives. */
import type { SQLInputValue } from 'node:sqlite';

import type { Statements } from '../statements.js';
import { VERSION_COLUMNS } from '../stored.js';
import { predicate, type Columns, type Condition, type Rows } from './condition.js';
import type { Place, Position } from './cursor.js';
import type { SearchQuery, SortKey } from './query.js';

/** The text of resource r. */
export const VERSION = 'CROSS JOIN version v ON v.vid = r.vid';

/** Counting further to find the smallest driver costs more than it saves. */
const ESTIMATE_LIMIT = 500;

/** The pieces of a query, with the values bound to it in order. */
export interface Plan {
  /** FROM, with resource as r; rows once per resource. */
  readonly from: string;
  readonly where: string;
  /** The resource's number, in whose order the driver comes by itself where it can. */
  readonly rid: string;
  readonly values: readonly SQLInputValue[];
}

/** Undefined when a condition says that nothing matches. */
export function planOf(type: string, conditions: readonly Condition[], statements: Statements): Plan | undefined {
  if (conditions.some((each) => each.kind === 'nothing')) return undefined;
  const usable = conditions as readonly (Rows | Columns)[];
  const driver = chooseDriver(usable, statements);
  const asked = usable.filter((each) => each !== driver);
  const tests = ['r.type = ?', 'r.deleted = 0', ...asked.map(predicate)];
  const values = [type, ...asked.flatMap((each) => each.values)];
  const where = tests.join(' AND ');
  if (driver === undefined) return { from: 'resource r', where, rid: 'r.rid', values };
  // The rows of one term are in the order of resources and name each once: the page ends the walk.
  if (driver.isInOrder === true) {
    const from = `${driver.from} CROSS JOIN resource r ON r.rid = x.rid`;
    return { from, where: `${driver.where} AND ${where}`, rid: 'x.rid', values: [...driver.values, ...values] };
  }
  const distinct = `(SELECT DISTINCT x.rid AS rid FROM ${driver.from} WHERE ${driver.where})`;
  const from = `${distinct} d CROSS JOIN resource r ON r.rid = d.rid`;
  return { from, where, rid: 'd.rid', values: [...driver.values, ...values] };
}

/** The condition with the fewest rows; none when ids are named, which is the best there is. */
function chooseDriver(conditions: readonly (Rows | Columns)[], statements: Statements): Rows | undefined {
  if (conditions.some((each) => each.kind === 'columns' && each.where.startsWith('r.id IN'))) return undefined;
  const able = conditions.filter((each): each is Rows => each.kind === 'rows' && each.negated !== true);
  if (able.length < 2) return able[0];
  let best = able[0];
  let fewest = Infinity;
  for (const each of able) {
    const rows = statements.get(
      `SELECT count(*) AS n FROM (SELECT 1 FROM ${each.from} WHERE ${each.where} LIMIT ${ESTIMATE_LIMIT})`,
      ...each.values,
    )?.n as number;
    if (rows < fewest) [best, fewest] = [each, rows];
  }
  return best;
}

/** Tables of ranges with the index to take: for min and max SQLite would rather walk all values in their order. */
const TABLES: Readonly<Record<string, string>> = {
  date: 'span x INDEXED BY span_by_resource',
  number: 'amount x INDEXED BY amount_by_resource',
  quantity: 'amount x INDEXED BY amount_by_resource',
};
const LAST_NUMBER = Number.MAX_VALUE;
const LAST_TEXT = '\u{10ffff}';

/** SQL of a sort key; resources without a value come last. */
function sortExpression({ by, descending }: SortKey): string {
  if (by === '_id') return 'r.id';
  if (by === '_lastUpdated') return 'r.updated';
  const { kind, number } = by;
  const pick = descending ? 'max' : 'min';
  const table = TABLES[kind];
  if (table !== undefined) {
    const column = descending ? 'high' : 'low';
    const value = `(SELECT ${pick}(x.${column}) FROM ${table} WHERE x.rid = r.rid AND x.parameter = ${number})`;
    return `coalesce(${value}, ${descending ? -LAST_NUMBER : LAST_NUMBER})`;
  }
  const value = `(SELECT ${pick}(t.a) FROM posting x JOIN term t ON t.tid = x.tid WHERE x.rid = r.rid AND x.parameter = ${number})`;
  return `coalesce(${value}, '${descending ? '' : LAST_TEXT}')`;
}

/** A column that rows are sorted by. */
export interface OrderKey {
  readonly name: string;
  readonly descending: boolean;
}

/** The keys of a sort as columns and, last, rid; the other way round when the search goes back. */
export function orderOf(sort: readonly SortKey[], isBack: boolean): OrderKey[] {
  const keys = sort.map(({ descending }, at) => ({ name: `k${at}`, descending: descending !== isBack }));
  return [...keys, { name: 'rid', descending: isBack }];
}

/** The rows after a position in an order. */
function afterPosition(
  keys: readonly OrderKey[],
  position: Position,
): { readonly where: string; readonly values: readonly (string | number)[] } {
  const alternatives: string[] = [];
  const values: (string | number)[] = [];
  keys.forEach((key, at) => {
    const equal = keys.slice(0, at).map((each) => `${each.name} = ?`);
    alternatives.push([...equal, `${key.name} ${key.descending ? '<' : '>'} ?`].join(' AND '));
    values.push(...position.slice(0, at + 1));
  });
  return { where: alternatives.map((each) => `(${each})`).join(' OR '), values };
}

/** One page of a search from a place on, in the order it is gone through, with the keys it is sorted by as k0, k1 and so on. */
export function pageQuery(
  query: SearchQuery,
  plan: Plan,
  place: Place | undefined,
  limit: number,
): { readonly sql: string; readonly values: readonly SQLInputValue[] } {
  const isBack = place?.isBack === true;
  if (query.sort.length === 0) {
    const after = place === undefined ? '' : ` AND ${plan.rid} ${isBack ? '<' : '>'} ?`;
    const sql = `SELECT r.rid AS rid, ${VERSION_COLUMNS} FROM ${plan.from} ${VERSION} WHERE ${plan.where}${after} ORDER BY ${plan.rid}${isBack ? ' DESC' : ''} LIMIT ?`;
    return { sql, values: [...plan.values, ...(place?.position ?? []), limit] };
  }
  const keys = query.sort.map((key, at) => `${sortExpression(key)} AS k${at}`).join(', ');
  const columns = orderOf(query.sort, isBack);
  const order = columns.map(({ name, descending }) => `${name} ${descending ? 'DESC' : 'ASC'}`).join(', ');
  const after = place === undefined ? { where: '1 = 1', values: [] } : afterPosition(columns, place.position);
  const sorted = `SELECT * FROM (SELECT r.rid AS rid, r.vid AS vid, ${keys} FROM ${plan.from} WHERE ${plan.where}) WHERE ${after.where} ORDER BY ${order} LIMIT ?`;
  const sql = `SELECT s.*, ${VERSION_COLUMNS} FROM (${sorted}) s CROSS JOIN resource r ON r.rid = s.rid ${VERSION} ORDER BY ${order.replaceAll(/\b(k\d|rid)\b/g, 's.$1')}`;
  return { sql, values: [...plan.values, ...after.values, limit] };
}
