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
import { statementProblem } from './statement';
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
}

/** What consent:record writes. */
export interface Recorded {
  readonly record: ConsentRecord;
  readonly list: ConsentList;
}

/**
 * Records a version. Refused in this order: unknown patient, version out of line, form of the consent, a state it
 * cannot pass to, a statement about something else, nobody who may say so, too many.
 */
export function record(request: RecordConsent, standing: Standing): Recorded | Refusal {
  const { patient } = standing;
  if (patient === undefined) return refuse('unknown-patient', 'no patient has this pid');
  const problem = versionProblem(request, standing) ?? formProblem(request) ?? stateProblem(request, standing.previous);
  if (problem !== undefined) return problem;
  const countsAt = authentic(request, standing, patient);
  if (countsAt instanceof Refusal) return countsAt;
  const list = listWith(request, standing.list);
  if (list.inForce.length > MAX_CONSENTS) {
    return refuse('too-many-consents', `a patient has at most ${MAX_CONSENTS} consents in force: end one first`);
  }
  return { record: recordOf(request, standing, countsAt), list };
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

/** Custodians at which it counts: every one at which the version it replaces counts must be among them. */
function authentic(
  request: RecordConsent,
  { channel, submitter, keys, clock, previous }: Standing,
  patient: PatientRecord,
): readonly string[] | Refusal {
  const problem = request.statement && statementProblem(request, request.statement, channel);
  if (problem) return refuse('statement-invalid', `the statement is not about this version: ${problem}`);
  const inTime = keys.filter(({ until }) => until === undefined || (clock !== undefined && clock < until));
  const counted = countingAt(request, submitter, patient, inTime);
  if (counted.length === 0 || previous?.countsAt.some((custodian) => !counted.includes(custodian))) {
    return refuse('not-authentic', "needs a statement by a key a custodian registered, or a custodian's own staff");
  }
  return counted;
}

/**
 * By whom it is vouched for: the custodians whose key signed it, and the custodian whose staff submits it. Of patients
 * and guardians who bring a statement the signature alone counts: it may be about another patient than themselves.
 */
function countingAt(
  { statement }: RecordConsent,
  { member, role }: Standing['submitter'],
  patient: PatientRecord,
  keys: readonly PatientKey[],
): readonly string[] {
  const signers = statement === undefined ? [] : signersOf(statement, keys);
  // A statement that no registered key made speaks for nobody, whoever brings it.
  if (statement !== undefined && signers.length === 0) return [];
  const vouching: readonly string[] = statement === undefined ? heardAtCustodian : custodianStaff;
  const isHeard = Object.hasOwn(patient.custodians, member) && vouching.includes(role);
  return [...new Set([...(isHeard ? [member] : []), ...signers])].sort();
}

function listWith(request: RecordConsent, list: ConsentList | undefined): ConsentList {
  const { pid, consentId, version, consent } = request;
  const others = (list?.inForce ?? []).filter((entry) => entry.consentId !== consentId);
  return { pid, inForce: consent.status === 'active' ? [...others, { consentId, version }] : others };
}

function recordOf(request: RecordConsent, standing: Standing, countsAt: readonly string[]): ConsentRecord {
  const { pid, consentId, version, consent, statement, askedBy } = request;
  return {
    pid,
    consentId,
    version,
    status: consent.status as ConsentStatus,
    consent,
    ...(statement !== undefined && { statement }),
    ...(askedBy !== undefined && { askedBy }),
    countsAt,
    submitter: standing.submitter,
    recorded: standing.now,
  };
}
