/** What the projection makes of patients in `care`: pid to custodians, and a custodian's FHIR id to pid. */
import { createHash } from 'node:crypto';

import type { LinkSide, LookupEntry, PatientKey, PatientLink, PatientRecord } from '@salus/chaincode/patient/api';
import { mspIdOf, parseKey } from '@salus/chaincode/registry/api';

import type { LedgerWrite } from '../ports.js';
import type { Place } from '../projection/place.js';
import type { Change, PlacedTransaction } from '../projection/projector.js';

/** Facts that lead from a Patient's FHIR id to the pid and back, by `byPatientId` and `byPid`. */
export const PATIENT_SPACE = 'patient';
/** Where in the ledger's order a custodian revoked a key, by `keyOf`. */
export const REVOKED_SPACE = 'patient-key-revoked';
/** Where a custodian registered one, by `keyOf`. */
export const REGISTERED_SPACE = 'patient-key-registered';
/** What custodians said of links, by `linkWord`; which links a pid has, by `linkIndex`; which wait, by `linkAsked`. */
export const LINK_SPACE = 'patient-link';
/**
 * By which codes custodians' patients are found, by `<code>/<custodian>/<hash of the ledger key>`: the pid; and by that hash
 * alone the list of those, to forget with the value.
 */
export const CODE_SPACE = 'patient-code';
const CARE = 'care';

/** Key of the facts that lead from a Patient's FHIR id to the pid, one for each custodian that gave the id. */
export const byPatientId = (patientId: string): string => `id/${patientId}/`;
/** Key of the same facts in the order in which they were committed, the earliest first. */
export const byOrder = (patientId: string): string => `order/${patientId}/`;
/** Key of the facts that lead from a pid to its custodians, one for each. */
export const byPid = (pid: string): string => `pid/${pid}/`;

/** Key of the fact what a custodian said of a link. */
export const linkWord = (linkId: string, custodian: string): string => `word/${linkId}/${custodian}`;
/** Key of the fact that a pid has a link. */
export const linkIndex = (pid: string, linkId: string): string => `of/${pid}/${linkId}`;

/** Key of the fact that a custodian is asked whether a link is right, and has not said anything yet: its pid. */
export const linkAsked = (custodian: string, linkId: string): string => `asked/${custodian}/${linkId}`;

/** What one custodian said of a link: of both sides, as it was then. */
export interface ProjectedWord {
  readonly member: string;
  readonly state: 'confirmed' | 'ended';
  readonly sides: readonly Pick<LinkSide, 'pid' | 'custodian'>[];
  /** Of a word that the other custodian brought: what the patient signed, and where it stands in the ledger's order. */
  readonly signed?: Place & { readonly statement: string };
}

/** Key of the facts that a custodian registered or revoked a key. */
export const keyOf = (pid: string, custodian: string, kid: string): string => `${pid}/${custodian}/${kid}`;

/**
 * Facts of one committed write. Who keeps a patient under which id is believed of that custodian's own transactions
 * alone: nobody can say it of another (T16).
 */
export function patientProjector(write: LedgerWrite, transaction: PlacedTransaction): readonly Change[] {
  const { creatorMspId, block, index } = transaction;
  if (write.collection !== CARE) return [];
  if (write.isPurge) return [{ kind: 'forget', space: CODE_SPACE, key: keyHashOf(write) }];
  if (write.key === undefined || write.value === undefined) return [];
  const name = parseKey(write.key)?.name;
  if (name === 'patient-key') return keyFact(write.value, transaction);
  if (name === 'patient-link') return linkFacts(write.value, transaction);
  if (name === 'lookup-entry') return codeFacts(write, transaction);
  if (name !== 'patient') return [];
  const { pid, custodians } = JSON.parse(Buffer.from(write.value).toString('utf8')) as PatientRecord;
  const vouched = Object.entries(custodians).filter(([custodian]) => mspIdOf(custodian) === creatorMspId);
  return vouched.flatMap(([custodian, { patientId }]) => [
    { kind: 'fact', space: PATIENT_SPACE, key: `${byPid(pid)}${custodian}`, value: patientId },
    { kind: 'fact', space: PATIENT_SPACE, key: `${byPatientId(patientId)}${custodian}`, value: pid },
    {
      kind: 'fact',
      space: PATIENT_SPACE,
      key: `${byOrder(patientId)}${sortable(block)}/${sortable(index)}`,
      value: pid,
    },
  ]);
}

/** A number whose digits sort as it does. */
function sortable(number: number): string {
  return String(number).padStart(12, '0');
}

/** What a custodian's own transaction says of a key that counts there; of what others say of it nothing is believed. */
function keyFact(value: Uint8Array, { creatorMspId, block, index }: PlacedTransaction): readonly Change[] {
  const { pid, custodian, jwk, state } = JSON.parse(Buffer.from(value).toString('utf8')) as PatientKey;
  if (mspIdOf(custodian) !== creatorMspId) return [];
  const key = keyOf(pid, custodian, jwk.kid);
  const space = state === 'revoked' ? REVOKED_SPACE : REGISTERED_SPACE;
  return [{ kind: 'fact', space, key, value: JSON.stringify({ block, index, x: jwk.x, y: jwk.y }) }];
}

/**
 * What a custodian's own transaction says of a link of its own patient's; of what others say of it nothing is believed, but
 * what the patient signed, by the signature.
 */
function linkFacts(value: Uint8Array, { creatorMspId, block, index: at }: PlacedTransaction): readonly Change[] {
  const { linkId, sides, state } = JSON.parse(Buffer.from(value).toString('utf8')) as PatientLink;
  const member = sides.find(({ custodian }) => mspIdOf(custodian) === creatorMspId)?.custodian;
  if (member === undefined) return [];
  const word: ProjectedWord = {
    member,
    state: state === 'ended' ? 'ended' : 'confirmed',
    sides: sides.map(({ pid, custodian }) => ({ pid, custodian })),
  };
  const said = { kind: 'fact', space: LINK_SPACE, key: linkWord(linkId, member), value: JSON.stringify(word) } as const;
  const index = sides.map(
    ({ pid }) => ({ kind: 'fact', space: LINK_SPACE, key: linkIndex(pid, linkId), value: '1' }) as const,
  );
  const asked = sides.map(({ pid, custodian }): Change => {
    const waits = state === 'proposed' && custodian !== member;
    return { kind: 'fact', space: LINK_SPACE, key: linkAsked(custodian, linkId), ...(waits && { value: pid }) };
  });
  const brought = sides.flatMap(({ custodian, confirmed }): Change[] => {
    if (custodian === member || confirmed?.via !== member || confirmed.statement === undefined) return [];
    const signed = { statement: confirmed.statement, block, index: at };
    const value = JSON.stringify({ ...word, member: custodian, state: 'confirmed', signed } satisfies ProjectedWord);
    return [{ kind: 'fact', space: LINK_SPACE, key: linkWord(linkId, `${custodian}/signed`), value }];
  });
  return [said, ...index, ...asked, ...brought];
}

/** Codes of a custodian's own patient, by its own transaction. */
function codeFacts(write: LedgerWrite, { creatorMspId }: PlacedTransaction): readonly Change[] {
  const [custodian = ''] = parseKey(write.key ?? '')?.attributes ?? [];
  if (mspIdOf(custodian) !== creatorMspId) return [];
  const { pid, codes } = JSON.parse(Buffer.from(write.value ?? []).toString('utf8')) as LookupEntry;
  const origin = keyHashOf(write);
  const keys = codes.map((code) => `${code}/${custodian}/${origin}`);
  return [
    ...keys.map((key) => ({ kind: 'fact', space: CODE_SPACE, key, value: pid }) as const),
    { kind: 'fact', space: CODE_SPACE, key: origin, value: JSON.stringify(keys) },
  ];
}

function keyHashOf({ key = '', keyHash }: LedgerWrite): string {
  return keyHash ?? createHash('sha256').update(key).digest('hex');
}
