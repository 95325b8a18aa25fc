import { custodianStaff, heardAtCustodian } from '../access/roles';
import { Refusal } from '../lib/refusal';
import type { PatientKey, PatientRecord } from '../patient/api';
import {
  type ConsentList,
  type ConsentRecord,
  type ConsentStatus,
  initialStates,
  MAX_CONSENTS,
  type RecordConsent,
  refuse,
  transitions,
} from './api';
import { signersOf } from '../patient/signed';
import { patientIn } from './facts';
import { deniesRelated, isNarrower, isToldRevocation } from './narrower';
import { namedIn, replaces } from './replacing';
import { onlyPermits } from './provisions';
import { statementProblem } from './statement';
import type { CareConsent } from './terms';
import { validateConsent } from './validate';

/** What a consent is judged by. */
export interface Standing {
  readonly channel: string;
  readonly now: string;
  readonly submitter: { readonly member: string; readonly user: string; readonly role: string };
  readonly patient: PatientRecord | undefined;
  /** Whether the version to write is there already. */
  readonly isKnown: boolean;
  /** The version it replaces. */
  readonly previous: ConsentRecord | undefined;
  /** Keys of the statement's key id, by custodian. */
  readonly keys: readonly PatientKey[];
  /** The last tick, where a key has an end. */
  readonly clock: string | undefined;
  readonly list: ConsentList | undefined;
  /** What the patient has in force beside it, if it may replace any. */
  readonly others: readonly ConsentRecord[];
  /** Keys of the statements of what it replaces, the version before it included. */
  readonly earlierKeys: readonly PatientKey[];
}

/** What consent:record writes. */
export interface Recorded {
  readonly record: ConsentRecord;
  readonly list: ConsentList;
}

/**
 * Records a version. Refused in this order: unknown patient, version out of line, form of the consent, another patient, a state it
 * cannot pass to, replaced itself or replacing nothing, a statement about something else, nobody who may say so, what
 * patient or guardian said overruled, too many.
 */
export function record(request: RecordConsent, standing: Standing): Recorded | Refusal {
  const { patient } = standing;
  if (patient === undefined) return refuse('unknown-patient', 'no patient has this pid');
  const problem =
    versionProblem(request, standing) ??
    formProblem(request) ??
    patientProblem(request, patient) ??
    stateProblem(request, standing.previous);
  if (problem !== undefined) return problem;
  const ended = endedBy(request, standing);
  if (ended instanceof Refusal) return ended;
  const said = sayable(request, standing, ended);
  if (said instanceof Refusal) return said;
  const list = listWith(request, standing.list, ended);
  if (list.inForce.length > MAX_CONSENTS) {
    return refuse('too-many-consents', `a patient has at most ${MAX_CONSENTS} consents in force: end one first`);
  }
  return { record: recordOf(request, standing, said), list };
}

function versionProblem(request: RecordConsent, { isKnown, previous }: Standing): Refusal | undefined {
  const { version, replaces } = request;
  if ((replaces ?? 0) !== version - 1) return refuse('version-conflict', 'replaces must be version - 1, absent for 1');
  if (isKnown) return refuse('version-conflict', 'this version of the consent is there already');
  if (version > 1 && previous === undefined) return refuse('version-conflict', 'the version to replace is not there');
  if (previous !== undefined && previous.pid !== request.pid) {
    return refuse('patient-mismatch', "the consent is another patient's");
  }
  return undefined;
}

function formProblem({ consent, consentId }: RecordConsent): Refusal | undefined {
  if (consent.resourceType !== 'Consent') return refuse('not-a-consent', 'resourceType must be Consent');
  if (consent.id !== undefined && consent.id !== consentId) {
    return refuse('not-a-consent', 'Consent.id must be the id it is recorded under');
  }
  const [problem] = validateConsent(consent);
  return problem && refuse('not-decidable', `${problem.path}: ${problem.reason}`);
}

/** A key may speak for several patients, as a guardian's for two children: what it signed is about the one it names. */
function patientProblem({ consent, statement }: RecordConsent, patient: PatientRecord): Refusal | undefined {
  const named = patientIn(consent);
  const isIts = Object.values(patient.custodians).some(({ patientId }) => patientId === named);
  if (isIts || (named === undefined && statement === undefined)) return undefined;
  return refuse('patient-mismatch', 'Consent.patient must name this patient by Patient/{id}');
}

function stateProblem({ consent, askedBy }: RecordConsent, previous: ConsentRecord | undefined): Refusal | undefined {
  if (askedBy !== undefined && previous?.status !== 'active') {
    return refuse('illegal-transition', 'another hospital can ask only that a consent in force end');
  }
  if (askedBy !== undefined && consent.status === 'active') {
    return refuse('illegal-transition', 'what another hospital asks for ends the consent');
  }
  const allowed = previous === undefined ? initialStates : transitions[previous.status];
  if ((allowed as readonly unknown[]).includes(consent.status)) return undefined;
  const from = previous === undefined ? 'a new consent' : `a consent that is ${previous.status}`;
  return refuse('illegal-transition', `${from} may become: ${allowed.join(', ') || 'nothing else'}`);
}

/** The other consents in force that it replaces. */
function endedBy(request: RecordConsent, { previous, list, others }: Standing): readonly ConsentRecord[] | Refusal {
  const { consent, consentId } = request;
  if (consent.status !== 'active') return [];
  const inForce = list?.inForce.map((entry) => entry.consentId) ?? [];
  if (previous?.status === 'active' && !inForce.includes(consentId)) {
    return refuse('replaced', 'another consent replaced this one for good: change that one');
  }
  // What the version before replaced is not in force any more.
  const named = namedIn(previous?.status === 'active' ? previous.consent : {});
  const added = namedIn(consent).filter((id) => !named.includes(id));
  if (added.some((id) => id === undefined || !inForce.includes(id))) {
    return refuse('replaces-nothing', 'urn:salus:replaces names no consent in force of this patient');
  }
  return others.filter((other) => replaces(consent, other));
}

/** What is taken of who says a version: where it counts, and whether it is the patient's or a guardian's word. */
interface Sayable {
  readonly countsAt: readonly string[];
  readonly isPatients: boolean;
}

function sayable(request: RecordConsent, standing: Standing, ended: readonly ConsentRecord[]): Sayable | Refusal {
  const inTime = keysInTime(standing);
  const countsAt = authentic(request, standing, inTime, ended);
  if (countsAt instanceof Refusal) return countsAt;
  const speaker = speakerOf({ submitter: standing.submitter, ...statementOf(request) }, inTime);
  const overruled = overruledBy(speaker, request, standing, ended);
  return overruled ?? { countsAt, isPatients: speaker !== 'staff' || isOfPatient(standing) };
}

function keysInTime({ keys, clock }: Standing): readonly PatientKey[] {
  return keys.filter(({ until }) => until === undefined || (clock !== undefined && clock < until));
}

/** Custodians at which it counts: every one at which the version before, or what else it replaces, counts must be among them. */
function authentic(
  request: RecordConsent,
  { channel, submitter, patient, previous }: Standing,
  keys: readonly PatientKey[],
  ended: readonly ConsentRecord[],
): readonly string[] | Refusal {
  const problem = request.statement && statementProblem(request, request.statement, channel);
  if (problem) return refuse('statement-invalid', `the statement is not about this version: ${problem}`);
  const counted = countingAt(request, submitter, patient?.custodians ?? {}, keys);
  const before = [...(previous === undefined ? [] : [previous]), ...ended];
  const isShort = before.some(({ countsAt }) => countsAt.some((custodian) => !counted.includes(custodian)));
  if (counted.length > 0 && !isShort) return counted;
  return refuse('not-authentic', "needs a statement by a key a custodian registered, or a custodian's own staff");
}

/**
 * What patient or guardian said staff may narrow, or end as the patient told them, and no more; a guardian changes
 * nothing that denies something to that guardian.
 */
function overruledBy(
  speaker: Speaker,
  request: RecordConsent,
  standing: Standing,
  ended: readonly ConsentRecord[],
): Refusal | undefined {
  if (speaker === 'patient') return undefined;
  const { previous } = standing;
  const isChanged = previous?.status === 'active' && !isNarrower(request.consent, previous.consent);
  const changed = isChanged ? previous : undefined;
  return speaker === 'guardian'
    ? overruledByGuardian(request, standing, [...(changed === undefined ? [] : [changed]), ...ended])
    : overruledByStaff(request, standing, changed, ended);
}

function overruledByGuardian(
  { statement, representative }: RecordConsent,
  { keys }: Standing,
  changed: readonly ConsentRecord[],
): Refusal | undefined {
  // Of a guardian's key it is known that it signed, but not as whom the custodian knows that guardian.
  const person = isSignedByAny(statement, keys, 'guardian') ? undefined : representative;
  if (!changed.some(({ consent }) => deniesRelated(consent, person))) return undefined;
  return refuse('not-authentic', 'what denies something to a guardian that guardian does not change');
}

function overruledByStaff(
  { consent }: RecordConsent,
  { patient, earlierKeys }: Standing,
  changed: ConsentRecord | undefined,
  ended: readonly ConsentRecord[],
): Refusal | undefined {
  if (ended.some((each) => denies(each) && isOfPatientAmong(each, earlierKeys))) {
    return refuse('not-authentic', 'what the patient denied is replaced by patient or guardian alone');
  }
  if (changed === undefined || !isOfPatientAmong(changed, earlierKeys)) return undefined;
  const ids = Object.values(patient?.custodians ?? {}).map(({ patientId }) => patientId);
  if (isToldRevocation(consent, ids)) return undefined;
  const how = 'staff narrow it, or end it as the patient told them, with performer and verification';
  return refuse('not-authentic', `what patient or guardian said is theirs to change: ${how}`);
}

function statementOf({ statement }: RecordConsent): { readonly statement?: string } {
  return statement === undefined ? {} : { statement };
}

function denies({ consent }: ConsentRecord): boolean {
  return !onlyPermits(consent as unknown as CareConsent);
}

/** Who says a version: a key of their own says it, else the custodian that authenticated who submitted it. */
type Speaker = 'patient' | 'guardian' | 'staff';

function speakerOf(
  { statement, submitter }: Pick<ConsentRecord, 'statement' | 'submitter'>,
  keys: readonly PatientKey[],
): Speaker {
  const signer = (['patient', 'guardian'] as const).find((holder) => isSignedByAny(statement, keys, holder));
  if (signer !== undefined) return signer;
  return submitter.role === 'patient' || submitter.role === 'guardian' ? submitter.role : 'staff';
}

function isSignedByAny(statement: string | undefined, keys: readonly PatientKey[], by: PatientKey['holder']): boolean {
  if (statement === undefined) return false;
  // Revoked since or not: it was in force when what it signed was taken.
  return signersOf(statement, keys.filter(({ holder }) => holder === by).map(asActive)).length > 0;
}

/** Whether patient or guardian said it, or one that others only narrowed to it. */
function isOfPatientAmong(record: ConsentRecord, keys: readonly PatientKey[]): boolean {
  return record.ofPatient === true || speakerOf(record, keys) !== 'staff';
}

function isOfPatient({ previous, earlierKeys }: Standing): boolean {
  return previous?.status === 'active' && isOfPatientAmong(previous, earlierKeys);
}

function asActive(key: PatientKey): PatientKey {
  return { ...key, state: 'active' };
}

/**
 * By whom it is vouched for: the custodians whose key signed it, and the custodian whose staff submits it. Of patients
 * and guardians who bring a statement the signature alone counts: it may be about another patient than themselves.
 */
function countingAt(
  { statement }: RecordConsent,
  { member, role }: Standing['submitter'],
  custodians: PatientRecord['custodians'],
  keys: readonly PatientKey[],
): readonly string[] {
  const signers = statement === undefined ? [] : signersOf(statement, keys);
  // A statement that no registered key made speaks for nobody, whoever brings it.
  if (statement !== undefined && signers.length === 0) return [];
  const vouching: readonly string[] = statement === undefined ? heardAtCustodian : custodianStaff;
  const isHeard = Object.hasOwn(custodians, member) && vouching.includes(role);
  return [...new Set([...(isHeard ? [member] : []), ...signers])].sort();
}

function listWith(request: RecordConsent, list: ConsentList | undefined, ended: readonly ConsentRecord[]): ConsentList {
  const { pid, consentId, version, consent } = request;
  const gone = [consentId, ...ended.map((each) => each.consentId)];
  const others = (list?.inForce ?? []).filter((entry) => !gone.includes(entry.consentId));
  return { pid, inForce: consent.status === 'active' ? [...others, { consentId, version }] : others };
}

function recordOf(request: RecordConsent, standing: Standing, { countsAt, isPatients }: Sayable): ConsentRecord {
  const { pid, consentId, version, consent, statement, askedBy } = request;
  return {
    pid,
    consentId,
    version,
    status: consent.status as ConsentStatus,
    consent,
    ...(statement !== undefined && { statement }),
    ...(askedBy !== undefined && { askedBy }),
    ...(isPatients && { ofPatient: true as const }),
    countsAt,
    submitter: standing.submitter,
    recorded: standing.now,
  };
}
