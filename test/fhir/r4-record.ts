/** A small record that has something of every kind of search parameter. */
import type { Json } from '../support/fhir-server.js';

const UCUM = 'http://unitsofmeasure.org';
const LOINC = 'http://loinc.org';
const V3 = 'http://terminology.hl7.org/CodeSystem';

const coded = (system: string, code: string, more: Json = {}): Json => ({ coding: [{ system, code, ...more }] });
const to = (reference: string): Json => ({ reference });
const quantity = (value: number, code: string): Json => ({ value, system: UCUM, code });

const observation = (id: string, more: Json): Json => ({
  ...{ resourceType: 'Observation', id, status: 'final', subject: to('Patient/p1') },
  ...{ code: coded(LOINC, '8480-6', { display: 'Systolic' }), ...more },
});

const risk = (id: string, probabilityDecimal: number): Json => ({
  ...{ resourceType: 'RiskAssessment', id, status: 'final', subject: to('Patient/p1') },
  prediction: [{ probabilityDecimal }],
});

const valueSet = (id: string, url: string): Json => ({ resourceType: 'ValueSet', id, status: 'active', url });

/** In an order in which every reference leads to what is there already, or to nothing at all. */
export const RECORD: readonly Json[] = [
  { resourceType: 'Organization', id: 'org2', name: 'Umbrella' },
  { resourceType: 'Organization', id: 'org1', name: 'Acme Healthcare', active: true, partOf: to('Organization/org2') },
  { resourceType: 'Practitioner', id: 'pr1', name: [{ family: 'House' }], identifier: [{ system: 'npi', value: '9' }] },
  {
    ...{ resourceType: 'Patient', id: 'p1', active: true, gender: 'male', birthDate: '1970-03-30' },
    meta: { tag: [{ system: 'urn:t', code: 'blue' }], profile: ['http://example.org/p'], source: 'urn:src' },
    identifier: [{ system: 'urn:mrn', value: '123', type: coded(`${V3}/v2-0203`, 'MR') }],
    name: [{ family: 'van den Berg', given: ['Peter', 'James'] }, { family: 'Chalmers' }],
    telecom: [
      { system: 'phone', value: '555-1234' },
      { system: 'email', value: 'p1@example.org' },
    ],
    address: [{ line: ['534 Erewhon St'], city: 'PleasantVille', state: 'Vic', postalCode: '3999', country: 'AU' }],
    managingOrganization: to('Organization/org1'),
    generalPractitioner: [to('Practitioner/pr1')],
  },
  {
    ...{ resourceType: 'Patient', id: 'p2', gender: 'female', birthDate: '1980-12', deceasedBoolean: false },
    name: [{ family: 'Müller', given: ['Änne'] }],
    identifier: [{ value: '123' }],
    managingOrganization: to('Organization/org1/_history/1'),
  },
  {
    ...{ resourceType: 'Patient', id: 'p3', active: false, birthDate: '1960' },
    name: [{ text: 'Anon, the "one"' }],
    deceasedDateTime: '2015-02-14T13:42:00+10:00',
    link: [{ other: to('Patient/p1'), type: 'seealso' }],
    managingOrganization: { identifier: { system: 'urn:orgs', value: 'o9' } },
  },
  observation('o1', {
    effectiveDateTime: '2013-04-02T09:30:10+01:00',
    valueQuantity: quantity(5.4, 'mmol/L'),
    performer: [to('Practitioner/pr1')],
  }),
  observation('o2', {
    status: 'amended',
    effectivePeriod: { start: '2013-01-01', end: '2013-03-31' },
    valueQuantity: { ...quantity(100, 'mg'), comparator: '<' },
  }),
  observation('o3', {
    effectiveDateTime: '2013-01-14',
    valueCodeableConcept: { ...coded('http://snomed.info/sct', '1'), text: 'high blood' },
    hasMember: [to('Observation/o1')],
  }),
  observation('o4', {
    ...{ subject: to('Patient/p2'), effectiveDateTime: '2013', valueString: 'Hello World' },
    code: coded(LOINC, '85354-9'),
    component: [
      { code: coded(LOINC, '8480-6'), valueQuantity: quantity(107, 'mm[Hg]') },
      { code: coded(LOINC, '8462-4'), valueQuantity: quantity(60, 'mm[Hg]') },
    ],
  }),
  observation('o5', {
    subject: to('http://other.example/fhir/Patient/p1'),
    effectivePeriod: { start: '2014-01-01' },
    derivedFrom: [to('Observation/o3')],
  }),
  {
    ...{ resourceType: 'Encounter', id: 'e1', status: 'finished', class: { system: `${V3}/v3-ActCode`, code: 'AMB' } },
    ...{ subject: to('Patient/p1'), period: { start: '2013-04-01', end: '2013-04-05' }, length: quantity(5, 'd') },
  },
  risk('r1', 0.8),
  risk('r2', 100),
  { ...valueSet('v1', 'http://acme.org/fhir/ValueSet/123'), version: '2' },
  valueSet('v2', 'http://acme.org/fhir/ValueSet/123/_history/5'),
  valueSet('v3', 'urn:oid:1.2.3.4.5'),
  {
    ...{ resourceType: 'QuestionnaireResponse', id: 'q1', status: 'completed' },
    questionnaire: 'http://acme.org/Questionnaire/a|3',
  },
  { resourceType: 'Medication', id: 'med1', code: coded('urn:rx', 'R1') },
  {
    ...{ resourceType: 'MedicationRequest', id: 'm1', status: 'active', intent: 'order', subject: to('Patient/p1') },
    ...{ medicationReference: to('Medication/med1'), encounter: to('Encounter/e1') },
  },
];
