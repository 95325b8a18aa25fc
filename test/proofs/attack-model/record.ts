/** A generated patient: every resource carries a mark by which it is known in any answer. */
import { randomUUID } from 'node:crypto';

import { condition, glucose, heartRate } from '../../story/people.js';
import type { Template } from './consents.js';

/** What of a record is judged: resources, and a note inside of one. */
export const PARTS = ['person', 'glucose', 'note', 'pulse', 'diabetes', 'hiv', 'letter'] as const;

/** One of `PARTS`. */
export type Part = (typeof PARTS)[number];

/** Resource that a part is, or lies in. */
export const TYPES: Readonly<Record<Part, string>> = {
  person: 'Patient',
  glucose: 'Observation',
  note: 'Observation',
  pulse: 'Observation',
  diabetes: 'Condition',
  hiv: 'Condition',
  letter: 'DocumentReference',
};

/** What an emergency summary is made of. */
export const EMERGENCY_PARTS: readonly Part[] = ['person', 'diabetes', 'hiv'];

/** A patient of the world. */
export interface Case {
  readonly custodian: string;
  readonly patient: string;
  readonly family: string;
  readonly marks: Readonly<Record<Part, string>>;
  /** FHIR id of the resource of each part. */
  readonly ids: Readonly<Record<Part, string>>;
  readonly consents: readonly Template[];
  /** Staff ended the mandate of the patient's guardian. */
  readonly isGuardianGone: boolean;
}

/** Marks of the n-th patient. */
export function marksOf(n: number): Record<Part, string> {
  return Object.fromEntries(PARTS.map((part) => [part, `MARK${n}${part.toUpperCase()}X`])) as Record<Part, string>;
}

export function person(family: string, mark: string): object {
  return { resourceType: 'Patient', name: [{ family }], gender: 'female', address: [{ text: mark }] };
}

/** The guardian of the patient, as staff recorded, or ended. */
export function guardianOf(patient: string, isGone: boolean): object {
  return {
    resourceType: 'RelatedPerson',
    active: !isGone,
    patient: { reference: `Patient/${patient}` },
    identifier: [{ system: 'urn:salus:user', value: `guardian-${patient}` }],
    relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'GUARD' }] }],
  };
}

/** What lies in the record beside the patient, by part. */
export function contents(patient: string, marks: Readonly<Record<Part, string>>): readonly (readonly [Part, object])[] {
  const subject = { reference: `Patient/${patient}` };
  const hiv = { coding: [{ system: 'http://snomed.info/sct', code: '86406008' }], text: marks.hiv };
  return [
    ['glucose', { ...glucose(patient, 5.4), method: { text: marks.glucose }, note: [{ text: marks.note }] }],
    ['pulse', { ...heartRate(patient), method: { text: marks.pulse } }],
    ['diabetes', { ...condition(patient), code: { coding: DIABETES, text: marks.diabetes } }],
    ['hiv', { ...condition(patient), code: hiv }],
    ['letter', { resourceType: 'DocumentReference', status: 'current', subject, description: marks.letter, content }],
  ];
}

const DIABETES = [{ system: 'http://snomed.info/sct', code: '44054006' }];
const content = [{ attachment: { contentType: 'text/plain', url: 'http://example.org/letter' } }];

/** Somebody who does not exist, with the questions' names of one who does. */
export function nobody({ custodian }: Case): Case {
  const ids = Object.fromEntries(PARTS.map((part) => [part, randomUUID()])) as Record<Part, string>;
  return {
    custodian,
    patient: ids.person,
    family: 'NOBODY',
    marks: marksOf(-1),
    ids,
    consents: [],
    isGuardianGone: false,
  };
}
