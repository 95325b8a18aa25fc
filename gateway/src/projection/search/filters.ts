/** From filters to conditions: one place that knows which index table answers which kind of parameter and modifier. */
import { Refusal } from '../../ledger/refusal.js';
import { BESIDE } from '../values/rows.js';
import { anyOf, NOTHING, postings, type Condition } from './condition.js';
import type { Filter, IndexedParameter, ParameterEntry } from './query.js';
import { dateRange, numberRange, quantityParts, type Alternative } from './ranges.js';
import type { Terms } from './terms.js';
import { nearby } from './near.js';
import { UCUM } from './units.js';
import { split, unescaped } from './values.js';

type ValueFilter = Extract<Filter, { kind: 'value' }>;

/** Modifiers by kind of parameter; a reference also takes a type. */
const MODIFIERS: Readonly<Record<string, readonly string[]>> = {
  token: ['', 'not', 'text', 'of-type', 'missing', 'in', 'not-in', 'above', 'below'],
  string: ['', 'exact', 'contains', 'missing'],
  reference: ['', 'identifier', 'missing', 'above', 'below'],
  date: ['', 'missing'],
  number: ['', 'missing'],
  quantity: ['', 'missing'],
  uri: ['', 'above', 'below', 'missing'],
  composite: ['', 'missing'],
  special: ['', 'missing'],
};

/** Whether a search by a parameter of this kind may have the modifier. */
export function takesModifier(entry: ParameterEntry, modifier: string): boolean {
  if (MODIFIERS[entry.kind]?.includes(modifier) === true) return true;
  return entry.kind === 'reference' && (entry.targets?.includes(modifier) ?? false);
}

/** The condition of one parameter: any of its values will do. `now` (ms) is what `ap` on dates is measured from. */
export function valueCondition(filter: ValueFilter, terms: Terms, now: number): Condition {
  const { entry, modifier, values } = filter;
  if (modifier === 'missing') return missing(entry, values);
  switch (entry.kind) {
    case 'date':
      return spans(entry.number, values, now);
    case 'number':
      return amounts(entry.number, values, terms);
    case 'quantity':
      return amounts(entry.number, values, terms);
    case 'special':
      return nearby(entry.number, values, terms);
    case 'composite':
      return composite(entry, values, terms, now);
    default:
      return postings(unique(termsOfAll(filter, terms)), modifier === 'not');
  }
}

function termsOfAll({ entry, modifier, values, folded = [] }: ValueFilter, terms: Terms): number[] {
  return [
    ...values.flatMap((value) => termsOf(entry, value, modifier, terms)),
    ...folded.flatMap(({ system, codes }) => terms.folded(entry.number, system, codes)),
  ];
}

function termsOf(entry: IndexedParameter, value: string, modifier: string, terms: Terms): number[] {
  switch (entry.kind) {
    case 'token':
      if (modifier === 'text') return terms.text(entry.number, value);
      if (modifier === 'below') return terms.mediaType(entry.number, value);
      return modifier === 'of-type'
        ? terms.ofType(entry.number, value)
        : terms.token(entry.number, value, entry.systems);
    case 'string':
      return terms.string(entry.number, value, modifier);
    case 'uri':
      return terms.uri(entry.number, value, modifier);
    default:
      if (modifier === 'identifier') return terms.token(entry.number + BESIDE, value);
      return [
        ...terms.reference(entry, value, modifier),
        ...(value.includes('://') ? terms.canonical(entry.number, value, modifier === 'below') : []),
      ];
  }
}

function unique(tids: readonly number[]): number[] {
  return tids.length < 2 ? [...tids] : [...new Set(tids)];
}

const TABLES: Readonly<Record<string, string>> = {
  date: 'span',
  number: 'amount',
  quantity: 'amount',
  composite: 'pair',
  special: 'pair',
};

function missing({ kind, number }: ParameterEntry, values: readonly string[]): Condition {
  const [value] = values;
  if (value !== 'true' && value !== 'false') throw new Refusal('invalid', 'bad-value', ':missing is true or false');
  const rows = {
    kind: 'rows',
    from: `${TABLES[kind] ?? 'posting'} x`,
    where: 'x.parameter = ?',
    values: [number],
  } as const;
  return value === 'true' ? { ...rows, negated: true } : rows;
}

function spans(number: number, values: readonly string[], now: number): Condition {
  return anyOf(
    'span x',
    values.map((value) => withParameter(number, dateRange(value, 'x.low', 'x.high', now))),
  );
}

function withParameter(number: number, range: Alternative): Alternative {
  return { where: `x.parameter = ? AND (${range.where})`, values: [number, ...range.values] };
}

function amounts(number: number, values: readonly string[], terms: Terms): Condition {
  const alternatives = values.flatMap((value) =>
    quantities(number, value, terms, 'x.unit').map((each) => withParameter(number, each)),
  );
  return alternatives.length === 0 ? NOTHING : anyOf('amount x', alternatives);
}

/** A number, or a quantity in its unit and in those of UCUM that it can be brought into; `column` has the unit's term. */
function quantities(number: number, value: string, terms: Terms, column: string): Alternative[] {
  const { number: asked, unit } = quantityParts(value);
  if (unit === undefined) return [numberRange(asked, 'x.low', 'x.high')];
  const own = terms.unit(number, unit.system, unit.code);
  const same = own.length === 0 ? [] : [inUnit(numberRange(asked, 'x.low', 'x.high'), column, own)];
  if (unit.system !== UCUM) return same;
  const others = terms
    .convertible(number, unit.code)
    .map(({ tid, convert }) => inUnit(numberRange(asked, 'x.low', 'x.high', convert), column, [tid]));
  return [...same, ...others];
}

function inUnit(range: Alternative, column: string, tids: readonly number[]): Alternative {
  const unit = among(column, tids);
  return { where: `(${range.where}) AND ${unit.where}`, values: [...range.values, ...unit.values] };
}

/** `code$value`: the first component is a term, the second whatever its parameter's kind is. */
function composite(entry: ParameterEntry, values: readonly string[], terms: Terms, now: number): Condition {
  const [left, right] = entry.parts ?? [];
  if (left === undefined || right === undefined) return NOTHING;
  const alternatives = values.flatMap((value): Alternative[] => {
    const [first, second] = split(value, '$');
    if (first === undefined || second === undefined) {
      throw new Refusal('invalid', 'bad-value', 'a composite value is written first$second');
    }
    const lefts = termsOf({ ...left, number: entry.number }, first, '', terms);
    if (second === '' || lefts.length === 0) return [];
    return rightsOf({ ...right, number: entry.number + BESIDE }, second, terms, now).map((rest) => ({
      where: `x.left IN (SELECT value FROM json_each(?)) AND (${rest.where})`,
      values: [JSON.stringify(lefts), ...rest.values],
    }));
  });
  return alternatives.length === 0 ? NOTHING : anyOf('pair x', alternatives);
}

function rightsOf(entry: IndexedParameter, value: string, terms: Terms, now: number): Alternative[] {
  if (entry.kind === 'date') return [dateRange(value, 'x.low', 'x.high', now)];
  if (entry.kind === 'quantity' || entry.kind === 'number') return quantities(entry.number, value, terms, 'x.right');
  const rights = termsOf(entry, value, '', terms);
  return rights.length === 0 ? [] : [among('x.right', rights)];
}

function among(column: string, tids: readonly number[]): Alternative {
  return { where: `${column} IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(tids)] };
}

/** `_id` and `_lastUpdated`, held in columns. */
export function columnCondition(filter: Extract<Filter, { kind: 'id' | 'updated' }>, now: number): Condition {
  if (filter.kind === 'id') {
    const ids = filter.values.map((value) => unescaped(value).replace(/^[A-Za-z]+\//, ''));
    return { kind: 'columns', where: 'r.id IN (SELECT value FROM json_each(?))', values: [JSON.stringify(ids)] };
  }
  const alternatives = filter.values.map((value) => dateRange(value, 'r.updated', 'r.updated', now));
  return {
    kind: 'columns',
    where: alternatives.map((each) => `(${each.where})`).join(' OR '),
    values: alternatives.flatMap((each) => each.values),
  };
}
