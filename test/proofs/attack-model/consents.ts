/** Kinds of consents in the world: what is sent, and, said anew in plain words, what it means. */
import { closedTo, laboratoryForNorthside } from '../../story/people.js';
import { TYPES, type Part } from './record.js';
import type { Asker } from './askers.js';

/** A kind of consent. */
export interface Template {
  readonly name: string;
  readonly send: (patient: string) => object;
  /** It is withdrawn right after it was given. */
  readonly isWithdrawn?: true;
  /** What a person at a desk would say it says; undefined = nothing about this. `inside`: the asker works at the custodian. */
  readonly says: (asker: Asker, part: Part, inside: boolean) => 'permit' | 'deny' | undefined;
}

const MEMBER = 'urn:salus:member';
const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const RESOURCE_TYPES = 'http://hl7.org/fhir/resource-types';
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const laboratory = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }],
};

const actor = (value: string, system = MEMBER): object => ({
  actor: [
    { role: { coding: [{ system: PARTICIPATION, code: 'IRCP' }] }, reference: { identifier: { system, value } } },
  ],
});
const purpose = (code: string): object => ({ purpose: [{ system: ACT_REASON, code }] });
const types = (code: string): object => ({ class: [{ system: RESOURCE_TYPES, code }] });
const consent =
  (provision: object) =>
  (patient: string): object => ({ ...laboratoryForNorthside(patient), provision });

const openToNorthside = { type: 'permit', ...actor('northside'), ...purpose('TREAT') };
const treatsAtNorthside = ({ member, purpose: why }: Asker): boolean => member === 'northside' && why === 'TREAT';
const permitIf = (is: boolean): 'permit' | undefined => (is ? 'permit' : undefined);
const denyIf = (is: boolean): 'deny' | undefined => (is ? 'deny' : undefined);

/** All kinds. */
export const templates: readonly Template[] = [
  {
    name: 'everything to northside for treatment',
    send: consent(openToNorthside),
    says: (asker) => permitIf(treatsAtNorthside(asker)),
  },
  {
    name: 'laboratory results to northside for treatment',
    send: laboratoryForNorthside,
    says: (asker, part) => permitIf(treatsAtNorthside(asker) && (part === 'glucose' || part === 'note')),
  },
  {
    name: 'everything to one physician of northside',
    send: consent({ type: 'permit', ...actor('northside/dr-baker', 'urn:salus:user'), ...purpose('TREAT') }),
    says: (asker) => permitIf(treatsAtNorthside(asker) && asker.user === 'dr-baker'),
  },
  {
    name: 'everything to the nurses of northside',
    send: consent({ type: 'permit', ...actor('northside/nurse', 'urn:salus:role'), ...purpose('TREAT') }),
    says: (asker) => permitIf(treatsAtNorthside(asker) && asker.role === 'nurse'),
  },
  {
    name: 'what is not sensitive to northside for treatment',
    send: consent({ ...openToNorthside, securityLabel: [{ system: CONFIDENTIALITY, code: 'N' }] }),
    says: (asker, part) => permitIf(treatsAtNorthside(asker) && part !== 'hiv'),
  },
  {
    name: 'observations to northside for research',
    send: consent({ type: 'permit', ...actor('northside'), ...purpose('HRESCH'), ...types('Observation') }),
    says: ({ member, purpose: why }, part) =>
      permitIf(member === 'northside' && why === 'HRESCH' && TYPES[part] === 'Observation'),
  },
  {
    name: 'nothing to one physician',
    send: (patient) => closedTo(patient, 'dr-cook'),
    says: ({ user, purpose: why }) => denyIf(user === 'dr-cook' && why !== 'BTG'),
  },
  {
    name: 'no laboratory results to one physician',
    send: consent({ type: 'deny', ...actor('dr-cook', 'urn:salus:user'), code: [laboratory] }),
    says: ({ user, purpose: why }, part) =>
      denyIf(user === 'dr-cook' && why !== 'BTG' && (part === 'glucose' || part === 'note')),
  },
  {
    name: 'no conditions to anybody',
    send: consent({ type: 'deny', ...types('Condition') }),
    says: ({ purpose: why }, part) => denyIf(TYPES[part] === 'Condition' && why !== 'BTG'),
  },
  {
    name: 'nothing elsewhere in an emergency',
    send: consent({ type: 'deny', ...purpose('BTG') }),
    says: ({ purpose: why }, _part, inside) => denyIf(why === 'BTG' && !inside),
  },
  {
    name: 'everything to northside, until 2020',
    send: consent({ ...openToNorthside, period: { end: '2020-01-01' } }),
    says: () => undefined,
  },
  {
    name: 'everything to northside, withdrawn',
    send: consent(openToNorthside),
    isWithdrawn: true,
    says: () => undefined,
  },
];
