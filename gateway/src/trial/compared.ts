/** The order of two values of answers, numbers plain. Pure. */
import type { JsonObject } from '../fhir/json.js';
import { isSameCoding } from './questions.js';

/** Below, at or above 0 as `a` is less than, equal to or more than `b`; undefined for what has no order. */
export function compared(a: unknown, b: unknown, isDate = false): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return isDate ? comparedDates(a, b) : comparedTexts(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return comparedObjects(a as JsonObject | undefined, b as JsonObject | undefined);
}

function comparedTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Instants by when they are; dates as far as both tell, and without an order where one tells more (R4 datatypes.html#date). */
function comparedDates(a: string, b: string): number | undefined {
  if (a.includes('T') && b.includes('T')) return Date.parse(a) - Date.parse(b);
  const length = Math.min(a.length, b.length, 'YYYY-MM-DD'.length);
  const order = comparedTexts(a.slice(0, length), b.slice(0, length));
  return order === 0 && a.length !== b.length ? undefined : order;
}

/** Codings are equal or not; quantities are ordered where their units are the same. */
function comparedObjects(a: JsonObject | undefined, b: JsonObject | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a.value === undefined) return isSameCoding(a, b) && a.code !== undefined ? 0 : undefined;
  const isSameUnit = a.system === b.system && (a.code ?? a.unit) === (b.code ?? b.unit);
  return isSameUnit ? compared(a.value, b.value) : undefined;
}
