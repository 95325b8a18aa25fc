/**
 * The consents this custodian's door decides on: each checked by itself, with keys this member registered, against
 * the highest version it ever saw. What does not hold closes the patient to other members and raises an alarm.
 */
import { createHash, createPublicKey, verify, type JsonWebKey } from 'node:crypto';

import type { ConsentInForce } from '@salus/chaincode/consent/decide';

import { inForceAt, type ConsentShelf } from '../consent/shelf.js';
import type { ProjectedConsent } from '../consent/project.js';
import { canonicalForm, readStatement, type StatementSubject } from '../identity/statements.js';
import type { Memory } from '../keys/memory.js';
import type { PatientKeys } from '../patient/keys.js';

export type Alarm = (what: 'rollback' | 'foreign-consent', pid: string) => void;

export interface TrustPorts {
  readonly member: string;
  readonly mspId: string;
  readonly channel: string;
  readonly shelf: ConsentShelf;
  readonly memory: Memory;
  readonly patientKeys: PatientKeys;
  readonly alarm: Alarm;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Subject of a refusal in force: a withdrawn consent, or a patient under alarm. */
export const refusalSubject = {
  consent: (consentId: string): string => `consent/${consentId}`,
  patient: (pid: string): string => `patient/${pid}`,
};

/**
 * The readings to decide on: the consents in force, and, where a withdrawal is heard but not yet on the ledger, those
 * that will be left. Undefined = the patient is closed to other members.
 */
export function trustedReadings(ports: TrustPorts, pid: string): readonly (readonly ConsentInForce[])[] | undefined {
  if (ports.memory.refusalOf(refusalSubject.patient(pid)) !== undefined) return undefined;
  const consents = ports.shelf.of(pid);
  for (const consent of consents) {
    const wrong = problemOf(ports, consent);
    if (wrong !== undefined) {
      close(ports, pid, wrong);
      return undefined;
    }
  }
  const inForce = inForceAt(ports.member, consents);
  const left = inForce.filter((consent) => !isRefused(ports.memory, consent));
  return left.length === inForce.length ? [inForce] : [inForce, left];
}

function problemOf(ports: TrustPorts, consent: ProjectedConsent): 'rollback' | 'foreign-consent' | undefined {
  const { pid, consentId, version, countsAt } = consent.record;
  // No version may stop counting where the one before did: a denial would be lost that way.
  if (!countsAt.includes(ports.member)) return ports.shelf.everCounted(pid, consentId) ? 'rollback' : undefined;
  if (!isAuthentic(ports, consent)) return 'foreign-consent';
  return ports.memory.sawVersion(consentId, version, hashOf(consent)) ? undefined : 'rollback';
}

/** Of all the ledger holds of a version: it is written once, so that not even the time in it may differ. */
function hashOf({ record }: ProjectedConsent): string {
  return createHash('sha256').update(canonicalForm(record)).digest('hex');
}

function close(ports: TrustPorts, pid: string, what: 'rollback' | 'foreign-consent'): void {
  ports.memory.refuse(refusalSubject.patient(pid), what, ports.now());
  ports.alarm(what, pid);
}

/** Heard to be withdrawn, and the ledger does not say so yet. A version that came after it lifts the refusal. */
function isRefused(memory: Memory, { id, version }: ConsentInForce): boolean {
  const subject = refusalSubject.consent(id);
  const reason = memory.refusalOf(subject);
  if (reason === undefined) return false;
  if (version < Number(reason)) return true;
  memory.lift(subject);
  return false;
}

/** Sent by this member itself, as the transaction's signature says, or signed with a key this member registered. */
function isAuthentic(ports: TrustPorts, { record, creatorMspId }: ProjectedConsent): boolean {
  return creatorMspId === ports.mspId || (record.statement !== undefined && isSigned(ports, record, record.statement));
}

function isSigned(ports: TrustPorts, record: ProjectedConsent['record'], statement: string): boolean {
  const read = readStatement(statement);
  const [header = '', payload = '', signature = ''] = statement.split('.');
  const jwk = read && ports.patientKeys.active(record.pid, read.kid);
  if (read === undefined || jwk === undefined) return false;
  return (
    isAbout(read.subject, ports.channel, record) &&
    Buffer.from(payload, 'base64url').toString('utf8') === canonicalForm(record.consent) &&
    isSignedWith(jwk, `${header}.${payload}`, signature)
  );
}

function isAbout(
  { channel, consent, version, replaces }: StatementSubject,
  here: string,
  record: ProjectedConsent['record'],
): boolean {
  if (channel !== here || consent !== record.consentId || version !== record.version) return false;
  return replaces === (version === 1 ? null : version - 1);
}

function isSignedWith(jwk: object, signed: string, signature: string): boolean {
  const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  const bytes = Buffer.from(signature, 'base64url');
  return verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, bytes);
}
