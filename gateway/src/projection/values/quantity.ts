/** Numbers and quantities as ranges with a unit. */
import type { IndexRows, Term } from './rows.js';
import { normalized } from './text.js';

interface Quantity {
  readonly value?: number;
  readonly comparator?: string;
  readonly unit?: string;
  readonly system?: string;
  readonly code?: string;
}

function quantity(rows: IndexRows, parameter: number, value: Quantity): void {
  if (value.value === undefined) return;
  const below = value.comparator?.startsWith('<') === true;
  const above = value.comparator?.startsWith('>') === true;
  rows.amount(parameter, below ? -Infinity : value.value, above ? Infinity : value.value, unitOf(parameter, value));
}

function range(rows: IndexRows, parameter: number, value: { low?: Quantity; high?: Quantity }): void {
  if (value.low === undefined && value.high === undefined) return;
  const unit = unitOf(parameter, value.low ?? value.high ?? {});
  rows.amount(parameter, value.low?.value ?? -Infinity, value.high?.value ?? Infinity, unit);
}

interface Sampled {
  readonly origin?: Quantity;
  readonly factor?: number;
  readonly data?: string;
}

/** The bounds of the values in sampled data (R4 observation.html#search). */
function sampled(rows: IndexRows, parameter: number, { origin, factor = 1, data }: Sampled): void {
  const zero = origin?.value;
  if (origin === undefined || zero === undefined || data === undefined) return;
  const values = data.split(/\s+/).flatMap((point) => amountsOf(point).map((value) => zero + value * factor));
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (low <= high) rows.amount(parameter, low, high, unitOf(parameter, origin));
}

/** `E` is an error, `L` and `U` are beyond what can be measured; of what lies beside the ledger no bound is known. */
function amountsOf(point: string): readonly number[] {
  if (point === 'L') return [-Infinity];
  if (point === 'U') return [Infinity];
  if (point.startsWith('urn:')) return [-Infinity, Infinity];
  const value = point === '' ? NaN : Number(point);
  return Number.isFinite(value) ? [value] : [];
}

function money(rows: IndexRows, parameter: number, value: { value?: number; currency?: string }): void {
  if (value.value === undefined) return;
  const unit = { parameter, a: value.currency ?? '', b: 'urn:iso:std:iso:4217', t: '' };
  rows.amount(parameter, value.value, value.value, unit);
}

function plain(rows: IndexRows, parameter: number, value: number): void {
  rows.amount(parameter, value, value);
}

function unitOf(parameter: number, value: Quantity): Term {
  const t = value.unit === undefined ? '' : normalized(value.unit);
  return { parameter, a: value.code ?? '', b: value.system ?? '', t };
}

/** Converters of `number` parameters. */
export const numberConverters = {
  decimal: plain,
  integer: plain,
  positiveInt: plain,
  unsignedInt: plain,
} as const;

/** Converters of `quantity` parameters; all specialisations of Quantity are indexed alike. */
export const quantityConverters = {
  Quantity: quantity,
  SimpleQuantity: quantity,
  MoneyQuantity: quantity,
  Age: quantity,
  Duration: quantity,
  Count: quantity,
  Distance: quantity,
  Range: range,
  SampledData: sampled,
  Money: money,
} as const;
