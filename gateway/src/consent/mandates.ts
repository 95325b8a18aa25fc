/**
 * Who may come for a patient: guardians and delegates, whom the custodian's staff keep as RelatedPerson of the patient
 * (http://hl7.org/fhir/R4/relatedperson.html). Whoever has none in force sees nothing.
 */
import { periodSpan, type Identifier, type Period } from '@salus/chaincode/consent/decide';

import type { Actor, Mandate } from '../ports.js';
import { outlineOf } from '../projection/stored.js';
import { USER } from './person-systems.js';
import type { RecordIndex } from './relationships.js';

/** Age at which parents stand for their child no more, years. */
const MAJORITY_YEARS = 18;

/** HL7 v3 RoleCode of those who have charge of a child until its majority. */
const PARENTS = ['PRN', 'NPRN', 'MTH', 'NMTH', 'GESTM', 'FTH', 'NFTH', 'ADOPTP', 'ADOPTM', 'ADOPTF'];
/** Of those whom a court or the patient appointed for everything: until their period ends. */
const APPOINTED = ['GUARD', 'POWATT', 'DPOWATT', 'HPOWATT'];
const ROLE_CODE = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';

/** Where patients and those related to them are found. */
export interface MandatePorts {
  readonly index: Pick<RecordIndex, 'current' | 'ofPatient'>;
  /** A subject of the issuer's tokens as the ledger may show it. */
  readonly pseudonym: (subject: string) => string;
  /** FHIR instant. */
  readonly now: () => string;
}

/** A mandate in force, and from when on it is none: milliseconds since 1970, Infinity where it has no end. */
export interface TimedMandate {
  readonly kind: 'guardian' | 'delegate';
  readonly until: number;
}

interface Held {
  readonly person: RelatedPerson & { readonly id: string };
  readonly mandate: TimedMandate;
}

interface RelatedPerson {
  readonly active?: boolean;
  readonly relationship?: readonly { readonly coding?: readonly { system?: string; code?: string }[] }[];
  readonly period?: Period;
  readonly identifier?: readonly Identifier[];
}

/** The mandates of this custodian's patients. */
export class Mandates {
  constructor(private readonly ports: MandatePorts) {}

  /** What a person, by pseudonym, may do for a patient: a guardian's mandate before a delegate's. */
  of(user: string, patient: string): Mandate {
    const held = this.#inForce(patient).filter(({ person }) => this.#isOf(person, user));
    const best = held.find(({ mandate }) => mandate.kind === 'guardian') ?? held[0];
    return best === undefined ? { kind: 'none' } : { kind: best.mandate.kind, person: best.person.id };
  }

  /** Who came at another time, with the mandate of now. */
  renewed(actor: Actor): Actor {
    return actor.mandate === undefined ? actor : { ...actor, mandate: this.of(actor.user, actor.patient ?? '') };
  }

  /** The mandate of a RelatedPerson of the patient; undefined where it is not in force. */
  ofPerson(patient: string, id: string): TimedMandate | undefined {
    return this.#inForce(patient).find(({ person }) => person.id === id)?.mandate;
  }

  #inForce(patient: string): readonly Held[] {
    const now = Date.parse(this.ports.now());
    return this.ports.index.ofPatient('RelatedPerson', patient).flatMap((stored) => {
      const { id } = stored;
      const person = JSON.parse(outlineOf(stored)) as RelatedPerson;
      const kind = this.#kindOf(person);
      const span = periodSpan(person.period ?? {});
      if (person.active === false || span === undefined || now < span.from) return [];
      const end = kind === 'parent' ? Math.min(span.to + 1, this.#majorityOf(patient)) : span.to + 1;
      const mandate = { kind: kind === 'delegate' ? 'delegate' : 'guardian', until: end } as const;
      return now < end ? [{ person: { ...person, id }, mandate }] : [];
    });
  }

  #kindOf({ relationship = [] }: RelatedPerson): 'parent' | 'appointed' | 'delegate' {
    const codes = relationship.flatMap(({ coding = [] }) => coding.filter(({ system }) => system === ROLE_CODE));
    if (codes.some(({ code = '' }) => APPOINTED.includes(code))) return 'appointed';
    return codes.some(({ code = '' }) => PARENTS.includes(code)) ? 'parent' : 'delegate';
  }

  #isOf({ identifier = [] }: RelatedPerson, user: string): boolean {
    return identifier.some(({ system, value }) => {
      return system === USER && value !== undefined && this.ports.pseudonym(value) === user;
    });
  }

  /** Milliseconds since 1970; a date known by year or month counts from its first day, and without one there is none. */
  #majorityOf(patient: string): number {
    const stored = this.ports.index.current('Patient', patient);
    const text = stored === undefined ? '' : outlineOf(stored);
    const { birthDate = '' } = (text === '' ? {} : JSON.parse(text)) as { birthDate?: string };
    const [, year, rest] = /^(\d{4})(-.*)?$/.exec(birthDate) ?? [];
    if (year === undefined) return -Infinity;
    return periodSpan({ start: `${Number(year) + MAJORITY_YEARS}${leapless(rest ?? '')}` })?.from ?? -Infinity;
  }
}

/** Who was born on a leap day is of age on 28 February: 18 years later there is none. */
function leapless(rest: string): string {
  return rest === '-02-29' ? '-02-28' : rest;
}

/** Whether the actor has the rights of the patient whom the token names: the patient, or at the custodian a guardian. */
export function actsAsPatient({
  role,
  patient,
  mandate,
}: {
  role: string;
  patient?: string;
  mandate?: Mandate;
}): boolean {
  return patient !== undefined && (role !== 'guardian' || mandate?.kind === 'guardian');
}
