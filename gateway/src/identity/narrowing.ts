/**
 * Scopes narrowed by a search (SMART App Launch 2.2, finer-grained resource constraints using search parameters):
 * `patient/Observation.rs?category=laboratory`. Of searches those by tokens without modifiers can be kept to, on types of
 * which every answer is decided resource by resource.
 */
import type { JsonObject } from '../fhir/json.js';
import { generatedSearch, indexerOf } from '../projection/generated.js';
import { split, tokenOf } from '../projection/search/values.js';
import { IndexRows, type Term } from '../projection/values/rows.js';

/** What a resource must match: every parameter, by any of its values. */
export type Narrowing = readonly { readonly name: string; readonly values: readonly string[] }[];

const TYPES: ReadonlySet<string> = new Set([
  ...['AllergyIntolerance', 'CarePlan', 'Condition', 'DiagnosticReport', 'DocumentReference', 'Encounter', 'Goal'],
  ...['Immunization', 'Observation', 'Procedure', 'ServiceRequest'],
]);

/** The narrowing that a scope's query says; undefined where it cannot be kept to: the scope then grants nothing. */
export function narrowingOf(query: string): Narrowing | undefined {
  const narrowing = [...new URLSearchParams(query)].map(([name, value]) => ({ name, values: split(value, ',') }));
  return narrowing.length > 0 && narrowing.every(({ name }) => /^[a-z-]+$/.test(name)) ? narrowing : undefined;
}

/** Whether it can be kept to for the type at all. */
export function narrows(narrowing: Narrowing, type: string): boolean {
  const known = generatedSearch().parameters[type];
  return TYPES.has(type) && narrowing.every(({ name }) => known?.[name]?.kind === 'token');
}

/** Whether a resource of the type is within it. */
export function isWithinNarrowing(narrowing: Narrowing, type: string, resource: JsonObject): boolean {
  if (!narrows(narrowing, type)) return false;
  const rows = new IndexRows();
  indexerOf(type).index(resource, rows);
  return narrowing.every(({ name, values }) => {
    const number = generatedSearch().parameters[type]?.[name]?.number;
    return isCodedAs(
      rows.terms.filter(({ parameter }) => parameter === number),
      values,
    );
  });
}

/** Whether one of the terms of a token parameter is one of the values, as a search writes them. */
export function isCodedAs(terms: readonly Term[], values: readonly string[]): boolean {
  return values
    .map(tokenOf)
    .some(({ system, code }) =>
      terms.some(({ a, b }) => (code === undefined || a === code) && (system === undefined || b === system)),
    );
}
