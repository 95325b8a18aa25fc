/** A small code system, and what is made of it. */
import type { Json } from '../support/fhir-server.js';

export const ANIMALS = 'http://example.org/animals';
const kind = (valueCode: string): Json => ({ code: 'kind', valueCode });

export const animals = {
  ...{ resourceType: 'CodeSystem', id: 'animals', url: ANIMALS, version: '2', name: 'Animals', status: 'active' },
  ...{ content: 'complete', property: [{ code: 'kind', type: 'code' }] },
  concept: [
    {
      ...{ code: 'mammal', display: 'Mammal', definition: 'Warm and furred' },
      concept: [
        { code: 'dog', display: 'Dog', property: [kind('pet')], designation: [{ language: 'de', value: 'Hund' }] },
        { code: 'cat', display: 'Cat', property: [kind('pet')] },
        { code: 'mammoth', display: 'Mammoth', property: [{ code: 'inactive', valueBoolean: true }] },
      ],
    },
    { code: 'fish', display: 'Fish' },
  ],
};
export const set = (id: string, compose: Json): Json => ({
  ...{ resourceType: 'ValueSet', id, url: `http://example.org/${id}`, version: '1', name: id, status: 'active' },
  compose,
});
export const filter = (property: string, op: string, value: string): Json => ({
  include: [{ system: ANIMALS, filter: [{ property, op, value }] }],
});
export const map = {
  ...{ resourceType: 'ConceptMap', id: 'map', url: 'http://example.org/map', status: 'active' },
  group: [
    {
      ...{ source: ANIMALS, target: 'urn:zoo', unmapped: { mode: 'fixed', code: 'other', display: 'Other' } },
      element: [
        { code: 'dog', target: [{ code: 'D', display: 'Hound', equivalence: 'wider' }] },
        { code: 'fish', target: [{ equivalence: 'unmatched' }] },
      ],
    },
  ],
};
