/** From FHIR values to index rows, by kind of search parameter and FHIR type (R4 search.html, tables of 3.1.1.4). */
import { dateConverters } from './date.js';
import { numberConverters, quantityConverters } from './quantity.js';
import { referenceConverters } from './reference.js';
import type { IndexRows } from './rows.js';
import { stringConverters } from './string.js';
import { tokenConverters } from './token.js';
import { specialConverters } from './position.js';
import { uriConverters } from './uri.js';

/** Adds the index rows of one value under a parameter's number. */
export type Converter = (rows: IndexRows, parameter: number, value: never) => void;

/** Kinds of search parameters that have rows of their own. */
export type SearchKind = 'token' | 'string' | 'reference' | 'date' | 'number' | 'quantity' | 'uri' | 'special';

/** By kind of parameter, then by FHIR type; a type that is missing cannot be held by that kind. */
export const converters: Readonly<Record<SearchKind, Readonly<Record<string, Converter>>>> = {
  token: tokenConverters,
  string: stringConverters,
  reference: referenceConverters,
  date: dateConverters,
  number: numberConverters,
  quantity: quantityConverters,
  uri: uriConverters,
  special: specialConverters,
};

/** Whether values of the FHIR type can be indexed for the kind of parameter. */
export function isConvertible(kind: string, fhirType: string): boolean {
  return kind in converters && fhirType in converters[kind as SearchKind];
}
