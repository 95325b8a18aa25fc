/** Whether a version of a consent was said by somebody whose word counts at this member. */
import { createHash } from 'node:crypto';

import type { RecordConsent } from '@salus/chaincode/consent/api';
import { patientIn } from '@salus/chaincode/consent/decide';

import { canonicalForm, readStatement, saysWith, type StatementSubject } from '../identity/statements.js';
import type { Memory } from '../keys/memory.js';
import type { PatientKeys } from '../patient/keys.js';
import type { Facts } from '../patient/lookup.js';
import { byPid, keyOf, PATIENT_SPACE, REVOKED_SPACE } from '../patient/project.js';
import { comparePlaces, type Place } from '../projection/place.js';
import type { ProjectedConsent } from './project.js';

/** This member's own knowledge alone: its keys of patients, what it said and what it saw before. */
export interface AuthenticPorts {
  readonly member: string;
  readonly mspId: string;
  readonly channel: string;
  readonly facts: Pick<Facts, 'fact'>;
  readonly memory: Pick<Memory, 'hasSeen' | 'isOwnWord'>;
  readonly patientKeys: Pick<PatientKeys, 'registered'>;
}

/** What this member says without a signature, as it remembers it: hex SHA-256 of its RFC 8785 form. */
export function wordHash({ pid, consentId, version, consent }: Omit<RecordConsent, 'salt'>): string {
  return createHash('sha256').update(canonicalForm({ pid, consentId, version, consent })).digest('hex');
}

/** Of all the ledger holds of a version: it is written once, so that not even the time in it may differ. */
export function hashOf({ record }: ProjectedConsent): string {
  return createHash('sha256').update(canonicalForm(record)).digest('hex');
}

/**
 * Seen to be so before; or signed with a key this member registered; or said by this member: its transaction, as the
 * creator's signature says, and its word, as it remembers it. Who endorsed may not put another into its mouth.
 */
export function isAuthentic(ports: AuthenticPorts, consent: ProjectedConsent): boolean {
  const { consentId, version } = consent.record;
  return ports.memory.hasSeen(consentId, version, hashOf(consent)) || isSaid(ports, consent);
}

/** A version, whose transaction it came or will come in, and its place in the ledger's order. */
export interface SaidVersion {
  readonly record: Omit<RecordConsent, 'salt'>;
  readonly creatorMspId: string;
  readonly place: Place;
}

/** Whether it is said by whose word counts here, whatever was seen before. */
export function isSaid(ports: AuthenticPorts, said: SaidVersion): boolean {
  const { record, creatorMspId } = said;
  if (record.statement !== undefined) return isSigned(ports, said, record.statement);
  return creatorMspId === ports.mspId && ports.memory.isOwnWord(wordHash(record));
}

function isSigned(ports: AuthenticPorts, { record, place }: SaidVersion, statement: string): boolean {
  const read = readStatement(statement);
  const key = read && ports.patientKeys.registered(record.pid, read.kid);
  if (read === undefined || key === undefined) return false;
  // The same key may be registered for another patient, too: what it signed is about the one it names.
  if (patientIn(record.consent) !== ports.facts.fact(PATIENT_SPACE, `${byPid(record.pid)}${ports.member}`))
    return false;
  if (key.revoked && !precedes(place, revocationOf(ports, record.pid, read.kid))) return false;
  return isAbout(read.subject, ports.channel, record) && saysWith(key.jwk, statement) === canonicalForm(record.consent);
}

/** Where the ledger has this member's revocation of a key; undefined while it does not have it. */
function revocationOf({ facts, member }: AuthenticPorts, pid: string, kid: string): Place | undefined {
  const fact = facts.fact(REVOKED_SPACE, keyOf(pid, member, kid));
  return fact === undefined ? undefined : (JSON.parse(fact) as Place);
}

function precedes(place: Place, revocation: Place | undefined): boolean {
  return revocation === undefined || comparePlaces(place, revocation) < 0;
}

function isAbout(
  { channel, consent, version, replaces }: StatementSubject,
  here: string,
  record: SaidVersion['record'],
): boolean {
  if (channel !== here || consent !== record.consentId || version !== record.version) return false;
  return replaces === (version === 1 ? null : version - 1);
}
