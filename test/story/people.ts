/** The people and resources of the story. */
import type { FhirBody } from '../support/network.js';

export const patient = {
  resourceType: 'Patient',
  name: [{ family: 'CANARYFAMILY', given: ['CANARYGIVEN'] }],
  gender: 'female',
  birthDate: '1971-03-14',
};

const laboratory = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }],
};
const vitalSigns = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }],
};

/** A glucose measurement of the laboratory. */
export const glucose = (patientId: string, value: number): object => ({
  resourceType: 'Observation',
  status: 'final',
  category: [laboratory],
  code: { coding: [{ system: 'http://loinc.org', code: '2339-0', display: 'CANARYDISPLAY' }] },
  subject: { reference: `Patient/${patientId}` },
  effectiveDateTime: '2026-01-10T08:30:00Z',
  valueQuantity: { value, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' },
});

/** A heart rate, which is no laboratory result. */
export const heartRate = (patientId: string): object => ({
  resourceType: 'Observation',
  status: 'final',
  category: [vitalSigns],
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  subject: { reference: `Patient/${patientId}` },
  effectiveDateTime: '2026-01-10T08:31:00Z',
  valueQuantity: { value: 71, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
});

export const condition = (patientId: string): object => ({
  resourceType: 'Condition',
  clinicalStatus: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
  },
  code: { coding: [{ system: 'http://snomed.info/sct', code: '44054006' }], text: 'CANARYCONDITION' },
  subject: { reference: `Patient/${patientId}` },
});

/** An opt-out whose root provision is this. */
export const optOut = (patientId: string, provision: object): object => ({
  resourceType: 'Consent',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: { reference: `Patient/${patientId}` },
  dateTime: '2026-01-11',
  policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
  provision,
});

/** Treatment by northside, of what a provision says beside. */
export const treatmentByNorthside = (patientId: string, what: object): object =>
  optOut(patientId, {
    type: 'deny',
    provision: [
      {
        type: 'permit',
        actor: [
          {
            role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
            reference: { identifier: { system: 'urn:salus:member', value: 'northside' } },
          },
        ],
        purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'TREAT' }],
        ...what,
      },
    ],
  });

/** Treatment by northside, laboratory results only. */
export const laboratoryForNorthside = (patientId: string): object =>
  treatmentByNorthside(patientId, {
    class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }],
    code: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }],
  });

/** Resources of a searchset by type, without the outcomes that accompany them. */
export function resourcesOf(bundle: FhirBody): FhirBody[] {
  return (bundle.entry ?? [])
    .map((entry) => entry.resource ?? {})
    .filter((resource) => resource.resourceType !== 'OperationOutcome');
}

/** Nothing for one member of staff, wherever they work. */
export const closedTo = (patientId: string, user: string): object => ({
  ...laboratoryForNorthside(patientId),
  provision: {
    type: 'deny',
    actor: [
      {
        role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
        reference: { identifier: { system: 'urn:salus:user', value: user } },
      },
    ],
  },
});
