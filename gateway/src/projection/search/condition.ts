/** Conditions in SQL: each can drive a search, as a set of resources, or be asked of a resource at hand. */
import type { SQLInputValue } from 'node:sqlite';

/** Rows `x` of an index table whose resources (x.rid) match. */
export interface Rows {
  readonly kind: 'rows';
  /** Table or tables, the one with rid named x. */
  readonly from: string;
  readonly where: string;
  readonly values: readonly SQLInputValue[];
  /** The resources are those that have no such row. */
  readonly negated?: boolean;
  /** The rows come in the order of resources and name each once. */
  readonly isInOrder?: boolean;
}

/** A condition on columns of resource r; none of them drives. */
export interface Columns {
  readonly kind: 'columns';
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

/** Nothing can match. */
export interface Nothing {
  readonly kind: 'nothing';
}

/** A condition over an index table, over columns of the resource itself, or one that nothing meets. */
export type Condition = Rows | Columns | Nothing;

/** The condition that no resource meets. */
export const NOTHING: Nothing = { kind: 'nothing' };

/** Rows of a table that match any of the alternatives. */
export function anyOf(
  from: string,
  alternatives: readonly { where: string; values: readonly SQLInputValue[] }[],
): Rows {
  return {
    kind: 'rows',
    from,
    where: alternatives.map((each) => `(${each.where})`).join(' OR '),
    values: alternatives.flatMap((each) => each.values),
  };
}

/** Postings of the terms; nothing when there are none. */
export function postings(tids: readonly number[], negated = false): Condition {
  if (tids.length === 0) return negated ? { kind: 'columns', where: '1 = 1', values: [] } : NOTHING;
  const one = tids.length === 1;
  return {
    kind: 'rows',
    from: 'posting x',
    where: one ? 'x.tid = ?' : 'x.tid IN (SELECT value FROM json_each(?))',
    values: [one ? (tids[0] ?? 0) : JSON.stringify(tids)],
    isInOrder: one,
    ...(negated ? { negated } : {}),
  };
}

/** The condition asked of resource r. */
export function predicate(condition: Rows | Columns): string {
  if (condition.kind === 'columns') return `(${condition.where})`;
  const exists = `EXISTS (SELECT 1 FROM ${condition.from} WHERE x.rid = r.rid AND (${condition.where}))`;
  return condition.negated === true ? `NOT ${exists}` : exists;
}

/** Resources that meet any of the conditions; an index drives where rows of an index table say it of each. */
export function union(conditions: readonly Condition[]): Condition {
  const some = conditions.filter((each) => each.kind !== 'nothing');
  if (some.length < 2) return some[0] ?? NOTHING;
  if (some.every((each): each is Rows => each.kind === 'rows' && each.negated !== true)) {
    const sets = some.map((each) => `SELECT x.rid AS rid FROM ${each.from} WHERE ${each.where}`);
    const values = some.flatMap((each) => each.values);
    return { kind: 'rows', from: `(${sets.join(' UNION ')}) x`, where: '1 = 1', values };
  }
  return joined(some, ' OR ');
}

/** Resources that meet all of the conditions. */
export function intersection(conditions: readonly Condition[]): Condition {
  const some = conditions.filter((each) => each.kind !== 'nothing');
  return some.length < conditions.length ? NOTHING : joined(some, ' AND ');
}

function joined(conditions: readonly (Rows | Columns)[], by: string): Columns {
  const values = conditions.flatMap((each) => each.values);
  return { kind: 'columns', where: conditions.map(predicate).join(by), values };
}

/** Resources that do not meet the condition. */
export function negation(condition: Condition): Condition {
  if (condition.kind === 'nothing') return { kind: 'columns', where: '1 = 1', values: [] };
  if (condition.kind === 'rows') return { ...condition, negated: condition.negated !== true };
  return { ...condition, where: `NOT (${condition.where})` };
}

/** Resources by their names, `Type/id`. */
export function named(names: readonly string[]): Condition {
  if (names.length === 0) return NOTHING;
  return anyOf('resource x', [
    {
      where:
        "(x.type, x.id) IN (SELECT substr(value, 1, instr(value, '/') - 1), substr(value, instr(value, '/') + 1) FROM json_each(?))",
      values: [JSON.stringify(names)],
    },
  ]);
}
