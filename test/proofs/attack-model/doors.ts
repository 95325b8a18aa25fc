/** Questions at a custodian's door under an access, and the ways to cheat there. */
import { randomBytes } from 'node:crypto';

import { PROOF_LIFETIME_S } from '@salus/gateway/door/proof';

import type { Knock, Knocker } from '../../support/knock.js';
import type { SharingWorld } from '../../support/sharing-world.js';
import { PARTS, TYPES, type Case, type Part } from './record.js';

/** What an access is asked for, and the call that it is for. */
export interface DoorQuestion {
  readonly scope: { readonly types: readonly string[]; readonly interaction: string; readonly id?: string };
  readonly path: string;
  /** Parts in the answer, for who may see `sight`. */
  readonly shows: (sight: ReadonlySet<Part>) => readonly Part[];
}

/** Questions about a part of a record. */
export function doorQuestions({ patient, ids }: Case, part: Part): readonly DoorQuestion[] {
  const type = TYPES[part];
  const ofType = PARTS.filter((each) => TYPES[each] === type);
  const within = PARTS.filter((each) => ids[each] === ids[part]);
  const search = {
    scope: { types: [type], interaction: 'search' },
    path: `${type}?patient=${patient}`,
    shows: (sight: ReadonlySet<Part>) => ofType.filter((each) => sight.has(each)),
  };
  return [
    // Of a Patient a search names no patient: it is read.
    ...(type === 'Patient' ? [] : [search]),
    {
      scope: { types: [type], interaction: 'read', id: ids[part] },
      path: `${type}/${ids[part]}`,
      shows: (sight) => within.filter((each) => sight.has(each)),
    },
    {
      scope: { types: [], interaction: 'everything' },
      path: `Patient/${patient}/$everything`,
      shows: (sight) => PARTS.filter((each) => sight.has(each)),
    },
  ];
}

/** What the cheats start from: a call that is right, one that was let in before, and another record. */
export interface Right {
  readonly world: SharingWorld;
  readonly base: Knocker['base'];
  readonly call: Knock;
  readonly question: DoorQuestion;
  readonly record: Case;
  readonly other: Case;
  /** The proof of the right call, which was made. */
  readonly used: string;
  /** An access of somebody else's. */
  readonly foreign: string;
}

/** Each makes of a right call one that must be answered as if nothing were there; `aid`: under another access. */
export const cheats: Readonly<Record<string, (right: Right) => Partial<Knock> & { readonly aid?: string }>> = {
  'another person': ({ call }) => ({ by: { ...call.by, user: 'u-mallory' } }),
  'another role': ({ call }) => ({ by: { ...call.by, role: call.by.role === 'nurse' ? 'physician' : 'nurse' } }),
  'another member’s key': ({ world }) => ({ signer: world.stmary }),
  'another member’s line': ({ world }) => ({ line: world.stmary }),
  'another member altogether': ({ world }) => ({ signer: world.stmary, line: world.stmary }),
  'a proof for another record': ({ base, call, record, other }) => ({
    claims: { htu: base + call.path.replaceAll(record.patient, other.patient) + '&x=y' },
  }),
  'a proof for another method': () => ({ claims: { htm: 'POST' } }),
  'a proof for another door': () => ({ claims: { aud: 'northside' } }),
  'a proof under another access': ({ foreign }) => ({ claims: { aid: foreign } }),
  'a used proof': ({ used }) => ({ proof: used }),
  'an old proof': () => ({ aheadMs: -(PROOF_LIFETIME_S + 1) * 1_000 }),
  'a proof of tomorrow': () => ({ aheadMs: 86_400_000 }),
  'no proof': () => ({ proof: '' }),
  'an access that is not there': () => ({ aid: randomBytes(32).toString('hex') }),
  'somebody else’s access': ({ foreign }) => ({ aid: foreign }),
  'another patient': ({ question, record, other }) => ({
    path: question.path.replaceAll(record.patient, other.patient).replaceAll(idOf(question, record), other.ids.pulse),
  }),
  'another type': ({ call }) => ({ path: `Basic?patient=${call.path}` }),
  'the whole record': ({ question, record }) => ({
    path: question.scope.interaction === 'everything' ? `Observation?patient=${record.patient}` : everything(record),
  }),
  'a chain': ({ question, record }) => ({
    path: `${question.scope.types[0] ?? 'Observation'}?patient=${record.patient}&subject:Patient.name=x`,
  }),
  'what refers to it': ({ question, record }) => ({
    path: `${question.scope.types[0] ?? 'Observation'}?patient=${record.patient}&_has:Provenance:target:agent=x`,
  }),
  'no patient': ({ question }) => ({ path: question.scope.types[0] ?? 'Observation' }),
  'a history': ({ call }) => ({ path: `${call.path.replace(/\?.*/, '')}/_history` }),
};

const everything = ({ patient }: Case): string => `Patient/${patient}/$everything`;

/** Of a read the id, of anything else the patient's again. */
function idOf({ scope }: DoorQuestion, { patient }: Case): string {
  return scope.id ?? patient;
}
