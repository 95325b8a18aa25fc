/** Dates, numbers and quantities as ranges in SQL, by prefix (R4 search.html#prefix, #date, #quantity). */
import type { SQLInputValue } from 'node:sqlite';

import { Refusal } from '../../ledger/refusal.js';
import type { Conversion } from './units.js';
import { dateOf, numberOf, prefixed, split, unescaped, type NumberValue, type Prefix } from './values.js';

/** A piece of SQL with the values bound to it. */
export interface Alternative {
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

/** A tenth of the distance between now and the date, on either side, as R4 proposes for `ap`. */
const APPROXIMATE = 0.1;

/** Columns low and high of the resource against the period asked for; `now` in ms for `ap`. */
export function dateRange(value: string, low: string, high: string, now: number): Alternative {
  const { prefix, rest } = prefixed(value);
  const asked = dateOf(unescaped(rest));
  return RANGES[prefix](low, high, prefix === 'ap' ? widened(asked, now) : asked);
}

const RANGES: Readonly<
  Record<Prefix, (low: string, high: string, asked: { low: number; high: number }) => Alternative>
> = {
  eq: (low, high, asked) => ({
    where: `${low} >= ? AND ${low} <= ? AND ${high} <= ?`,
    values: [asked.low, asked.high, asked.high],
  }),
  ne: (low, high, asked) => ({ where: `${low} < ? OR ${high} > ?`, values: [asked.low, asked.high] }),
  gt: (_, high, asked) => ({ where: `${high} > ?`, values: [asked.high] }),
  lt: (low, _, asked) => ({ where: `${low} < ?`, values: [asked.low] }),
  // Wholly after the start of what was asked, or reaching beyond its end: `gt` or `eq`.
  ge: (low, high, asked) => ({ where: `${low} >= ? OR ${high} > ?`, values: [asked.low, asked.high] }),
  le: (low, high, asked) => ({ where: `${high} <= ? OR ${low} < ?`, values: [asked.high, asked.low] }),
  sa: (low, _, asked) => ({ where: `${low} > ?`, values: [asked.high] }),
  eb: (_, high, asked) => ({ where: `${high} < ?`, values: [asked.low] }),
  ap: (low, high, asked) => ({ where: `${low} <= ? AND ${high} >= ?`, values: [asked.high, asked.low] }),
};

function widened(asked: { low: number; high: number }, now: number): { low: number; high: number } {
  const margin = Math.round(Math.abs(now - asked.low) * APPROXIMATE);
  return { low: asked.low - margin, high: asked.high + margin };
}

/** Columns low and high of the resource against a number, which `convert` brings into the resource's unit. */
export function numberRange(value: string, low: string, high: string, convert: Conversion = (own) => own): Alternative {
  const { prefix, rest } = prefixed(value);
  const plain = numberOf(unescaped(rest));
  const asked = { value: convert(plain.value), low: convert(plain.low), high: convert(plain.high) };
  return { where: NUMBERS[prefix](low, high), values: numberValues(prefix, asked) };
}

const NUMBERS: Readonly<Record<Prefix, (low: string, high: string) => string>> = {
  eq: (low, high) => `${low} >= ? AND ${low} < ? AND ${high} < ?`,
  ne: (low, high) => `${low} < ? OR ${high} >= ?`,
  gt: (_, high) => `${high} > ?`,
  lt: (low) => `${low} < ?`,
  ge: (_, high) => `${high} >= ?`,
  le: (low) => `${low} <= ?`,
  sa: (low) => `${low} > ?`,
  eb: (_, high) => `${high} < ?`,
  ap: (low, high) => `${low} <= ? AND ${high} >= ?`,
};

function numberValues(prefix: Prefix, { value, low, high }: NumberValue): number[] {
  if (prefix === 'eq') return [low, high, high];
  if (prefix === 'ne') return [low, high];
  const margin = Math.abs(value) * APPROXIMATE;
  return prefix === 'ap' ? [value + margin, value - margin] : [value];
}

/** `[prefix]number|system|code` or `[prefix]number||code`, its parts. */
export function quantityParts(value: string): {
  readonly number: string;
  readonly unit?: { system: string; code: string };
} {
  const [number = '', system, code, ...rest] = split(value, '|');
  if (system !== undefined && (code === undefined || rest.length > 0)) {
    throw new Refusal('invalid', 'bad-value', 'a quantity is written number, number|system|code or number||code');
  }
  if (code === undefined || code === '') return { number };
  return { number, unit: { system: unescaped(system ?? ''), code: unescaped(code) } };
}
