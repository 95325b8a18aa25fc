/** Search values as R4 writes them: escapes, prefixes, tokens, precision (search.html#escaping, #prefix, #number). */
import { Refusal } from '../../ledger/refusal.js';
import { spanOf, type TimeSpan } from '../values/dates.js';

/** Comparison prefixes of R4 search.html#prefix. */
export const PREFIXES = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const;
/** One of the comparison prefixes; `eq` where a value has none. */
export type Prefix = (typeof PREFIXES)[number];

/** Splits at a separator that no backslash stands before. */
export function split(value: string, separator: ',' | '|' | '$'): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < value.length; at++) {
    const char = value.charAt(at);
    if (char === '\\') {
      part += char + value.charAt(at + 1);
      at += 1;
    } else if (char === separator) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  return [...parts, part];
}

/** A value without its backslashes (R4 search.html#escaping). */
export function unescaped(value: string): string {
  return value.replace(/\\([,|$\\])/g, '$1');
}

/** A text as a value of its own (R4 search.html#escaping). */
export function escaped(text: string): string {
  return text.replace(/[,|$\\]/g, '\\$&');
}

/** A token as `[system]|[code]` says it. */
export interface TokenValue {
  /** Undefined: any; '': none. */
  readonly system?: string;
  readonly code?: string;
}

/** `code`, `system|code`, `|code`, `system|`. */
export function tokenOf(value: string): TokenValue {
  const parts = split(value, '|').map(unescaped);
  if (parts.length === 1) return { code: parts[0] ?? '' };
  const [system = '', code = ''] = parts;
  return code === '' ? { system } : { system, code };
}

/** A value and its prefix taken apart. */
export function prefixed(value: string): { readonly prefix: Prefix; readonly rest: string } {
  const prefix = PREFIXES.find((each) => value.startsWith(each));
  return prefix === undefined ? { prefix: 'eq', rest: value } : { prefix, rest: value.slice(2) };
}

/** Throws Refusal when the value is no date. */
export function dateOf(value: string): TimeSpan {
  // In a query string a plus sign that was not encoded arrives as a blank.
  const span = spanOf(value.replace(' ', '+'));
  if (span === undefined)
    throw new Refusal(
      'invalid',
      'bad-value',
      `a value is no date: write it as YYYY, YYYY-MM, YYYY-MM-DD or with time and zone`,
    );
  return span;
}

/** A number with the precision it was written in. */
export interface NumberValue {
  readonly value: number;
  /** The implied range: half a unit of the last digit written on either side. */
  readonly low: number;
  readonly high: number;
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Throws Refusal when the value is no number. */
export function numberOf(text: string): NumberValue {
  const match = NUMBER.exec(text);
  const value = Number(text);
  if (match === null || text === '' || !Number.isFinite(value)) {
    throw new Refusal('invalid', 'bad-value', 'a value is no number: write it as 5.4 or 5.40e-3');
  }
  // R4 reads 1e2 as 95 to 105: one digit more than is written, where no fraction says how exact it is.
  const digits = match[4] !== undefined && match[3] === undefined ? 1 : (match[3] ?? '').length;
  const half = 0.5 * 10 ** (Number(match[4] ?? 0) - digits);
  return { value, low: value - half, high: value + half };
}
