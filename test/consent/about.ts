/** Resources about a patient, by those who have no say in it. */
import { glucose } from '../story/people.js';

/** A reference. */
export const to = (reference: string): object => ({ reference });
/** A CodeableConcept of one code. */
export const coded = (code: string): object => ({ coding: [{ system: 'http://example.org/codes', code }] });

/** A glucose measurement of whom or what a reference names. */
export const glucoseOf = (reference: string, value: number): object => ({
  ...glucose('x', value),
  subject: to(reference),
});

/** About A and said, done or sent by M, who is a patient, too. */
export const bySomebodyElse = (a: string, m: string): readonly object[] => [
  { ...glucoseOf(a, 81), performer: [to(m)] },
  { resourceType: 'QuestionnaireResponse', status: 'completed', subject: to(a), author: to(m) },
  { resourceType: 'Communication', status: 'completed', subject: to(a), sender: to(m), recipient: [to(m)] },
  { resourceType: 'Condition', subject: to(a), asserter: to(m) },
  {
    ...{ resourceType: 'AllergyIntolerance', patient: to(a), asserter: to(m), recorder: to(m) },
    verificationStatus: {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
          code: 'entered-in-error',
        },
      ],
    },
  },
  {
    ...{ resourceType: 'DocumentReference', status: 'current', subject: to(a), author: [to(m)] },
    content: [{ attachment: { title: 'letter' } }],
  },
  { resourceType: 'List', status: 'current', mode: 'working', subject: to(a), source: to(m) },
];

/** Data of A that R4 puts in no patient's compartment, or only by what it goes with. */
export const outside = (a: string, observation: string): readonly object[] => [
  { resourceType: 'Device', patient: to(a) },
  { resourceType: 'GuidanceResponse', moduleUri: 'http://example.org/m', status: 'success', subject: to(a) },
  { resourceType: 'Contract', status: 'executed', subject: [to(a)] },
  { resourceType: 'Task', status: 'ready', intent: 'order', for: to(a) },
  { resourceType: 'Binary', contentType: 'text/plain', securityContext: to(observation), data: 'aGVsbG8=' },
  { resourceType: 'Linkage', item: ['source', 'alternate'].map((type) => ({ type, resource: to(observation) })) },
  {
    ...{ resourceType: 'Provenance', target: [to(observation)], recorded: '2026-01-10T08:30:00Z' },
    agent: [{ who: to('Practitioner/dr-adams') }],
  },
  {
    ...{ resourceType: 'Bundle', type: 'document', timestamp: '2026-01-10T08:30:00Z' },
    identifier: { system: 'http://example.org/documents', value: 'd1' },
    entry: [
      {
        fullUrl: 'urn:uuid:5d1a8f0c-0f6c-4c56-9a0f-1a3f9d2f6b11',
        resource: {
          ...{ resourceType: 'Composition', status: 'final', type: coded('letter'), subject: to(a) },
          ...{ date: '2026-01-10', author: [to('Practitioner/dr-adams')], title: 'Letter' },
        },
      },
    ],
  },
];
