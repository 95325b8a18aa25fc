/** Small resources that tests start from. */
import type { Json } from '../support/fhir-server.js';

export const patient = (more: Json = {}): Json => ({
  resourceType: 'Patient',
  name: [{ family: 'Müller', given: ['Zoë', 'Ann'] }],
  gender: 'female',
  birthDate: '1970-03-30',
  ...more,
});

export const observation = (subject: string, more: Json = {}): Json => ({
  resourceType: 'Observation',
  status: 'final',
  category: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: '2339-0', display: 'Glucose' }], text: 'Glucose' },
  subject: { reference: subject },
  effectiveDateTime: '2020-05-17T10:30:00Z',
  valueQuantity: { value: 5.4, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' },
  ...more,
});

/** A narrative that says this and nothing else. */
export const narrative = (text: string): Json => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${text}</div>`,
});

export const entry = (method: string, url: string, resource?: Json, more: Json = {}): Json => {
  const { fullUrl, ...request } = more as Record<string, unknown>;
  return {
    ...(fullUrl === undefined ? {} : { fullUrl }),
    ...(resource === undefined ? {} : { resource: resource as unknown }),
    request: { method, url, ...request },
  };
};
