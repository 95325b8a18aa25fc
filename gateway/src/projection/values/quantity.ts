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
  Money: money,
} as const;
