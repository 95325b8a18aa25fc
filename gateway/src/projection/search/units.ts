/** Units of UCUM into one another (R4 search.html#quantity), by the National Library of Medicine's tables. */
import { createRequire } from 'node:module';

/** System of UCUM's units. */
export const UCUM = 'http://unitsofmeasure.org';

/** A value of one unit in another. */
export type Conversion = (value: number) => number;

interface Library {
  convertUnitTo(from: string, value: number, to: string): { readonly status: string; readonly toVal: number | null };
}

const require = createRequire(import.meta.url);
let library: Library | undefined;

/** Loaded when a search first names a unit: a start does not wait for the tables. */
function tables(): Library {
  library ??= (require('@lhncbc/ucum-lhc') as { UcumLhcUtils: { getInstance(): Library } }).UcumLhcUtils.getInstance();
  return library;
}

/** Pairs of units remembered; beyond, memory is emptied and filled again. */
const REMEMBERED = 5_000;
const known = new Map<string, Conversion | undefined>();

/** How values of a unit become those of another; undefined where they measure different things or no line joins them. */
export function conversion(from: string, to: string): Conversion | undefined {
  const name = `${from}\n${to}`;
  if (known.has(name)) return known.get(name);
  if (known.size >= REMEMBERED) known.clear();
  const found = lineBetween(from, to);
  known.set(name, found);
  return found;
}

function lineBetween(from: string, to: string): Conversion | undefined {
  const [zero, one, two] = [0, 1, 2].map((value) => converted(from, value, to));
  if (zero === undefined || one === undefined || two === undefined) return undefined;
  // Logarithmic units such as pH are not on a line with others.
  if (Math.abs(two - 2 * one + zero) > 1e-9 * Math.max(1, Math.abs(two))) return undefined;
  const factor = one - zero;
  return zero === 0 ? (value) => value * factor : (value) => converted(from, value, to) ?? Number.NaN;
}

function converted(from: string, value: number, to: string): number | undefined {
  const { status, toVal } = tables().convertUnitTo(from, value, to);
  return status === 'succeeded' && toVal !== null ? toVal : undefined;
}
