/** Conversion between units of UN/ECE Recommendation 20, as EPCIS queries on sensor readings need it. */

/** A unit against the base unit of what it measures: base = value * factor + offset. */
interface Unit {
  readonly quantity: string;
  readonly factor: number;
  readonly offset?: number;
}

const scaled = (quantity: string, factors: Readonly<Record<string, number>>): readonly (readonly [string, Unit])[] =>
  Object.entries(factors).map(([code, factor]) => [code, { quantity, factor }] as const);

const UNITS: ReadonlyMap<string, Unit> = new Map([
  ['KEL', { quantity: 'temperature', factor: 1 }],
  ['CEL', { quantity: 'temperature', factor: 1, offset: 273.15 }],
  ['FAH', { quantity: 'temperature', factor: 5 / 9, offset: 459.67 * (5 / 9) }],
  ['A48', { quantity: 'temperature', factor: 5 / 9 }],
  ...scaled('length', {
    MTR: 1,
    CMT: 0.01,
    MMT: 0.001,
    KMT: 1000,
    DMT: 0.1,
    INH: 0.0254,
    FOT: 0.3048,
    YRD: 0.9144,
    SMI: 1609.344,
    '4H': 1e-6,
  }),
  ...scaled('mass', { KGM: 1, GRM: 0.001, MGM: 1e-6, MC: 1e-9, TNE: 1000, LBR: 0.45359237, ONZ: 0.028349523125 }),
  ...scaled('volume', {
    MTQ: 1,
    LTR: 0.001,
    MLT: 1e-6,
    CLT: 1e-5,
    DMQ: 0.001,
    CMQ: 1e-6,
    GLL: 0.003785411784,
    OZA: 2.95735295625e-5,
  }),
  ...scaled('pressure', { PAL: 1, KPA: 1000, MPA: 1e6, A97: 100, BAR: 1e5, MBR: 100, ATM: 101325 }),
  ...scaled('time', { SEC: 1, MIN: 60, HUR: 3600, DAY: 86400, C26: 0.001 }),
  ...scaled('speed', { MTS: 1, KMH: 1 / 3.6, HM: 0.44704 }),
  ...scaled('acceleration', { MSK: 1, A76: 0.01, K40: 9.80665 }),
  ...scaled('area', { MTK: 1, CMK: 1e-4, MMK: 1e-6, FTK: 0.09290304 }),
  ...scaled('angle', { C81: 1, DD: Math.PI / 180 }),
  ...scaled('energy', { JOU: 1, KJO: 1000, WHR: 3600, KWH: 3.6e6 }),
  ...scaled('ratio', { P1: 0.01, C62: 1, '59': 1e-6 }),
  ...scaled('density', { KMQ: 1, '23': 1000, A93: 0.001 }),
]);

/** A value in the base unit of what it measures; undefined for a unit nothing is known of. */
function toBase(value: number, uom: string): { readonly quantity: string; readonly value: number } | undefined {
  const unit = UNITS.get(uom);
  return unit === undefined ? undefined : { quantity: unit.quantity, value: value * unit.factor + (unit.offset ?? 0) };
}

/** A temperature in degrees Celsius; undefined for what is none. */
export function celsius(value: number, uom: string): number | undefined {
  const base = toBase(value, uom);
  return base?.quantity === 'temperature' ? base.value - 273.15 : undefined;
}

/** How far apart two values in base units may be and count as equal, relative: conversion rounds. */
const RELATIVE_TOLERANCE = 1e-9;

/** -1, 0 or 1 as a reading is less than, equal to or more than another; undefined where they measure different things. */
export function compareReadings(
  [left, leftUnit]: readonly [number, string],
  [right, rightUnit]: readonly [number, string],
): number | undefined {
  if (leftUnit === rightUnit) return Math.sign(left - right);
  const [a, b] = [toBase(left, leftUnit), toBase(right, rightUnit)];
  if (a === undefined || b === undefined || a.quantity !== b.quantity) return undefined;
  const difference = a.value - b.value;
  const isEqual = Math.abs(difference) <= RELATIVE_TOLERANCE * Math.max(Math.abs(a.value), Math.abs(b.value));
  return isEqual ? 0 : Math.sign(difference);
}
