/**
 * `POST Consent/$evaluate`: consent's decision, for the patient to look at. With `receipt` (valueString, the id of an
 * AuditEvent on the patient's list) an access is decided again on the very consents it was decided on, at its own time;
 * without, it is told what would be decided now of `member` (valueString), `role` and `purpose` (valueCode), and where
 * named `user` and `resource` (valueString, Type/id). `patient` (valueString) is whose record it is about. Asked by
 * patient or guardian of the own record, and by privacy officers and auditors, at the custodian.
 */
import { createHash } from 'node:crypto';

import {
  decidedAgain,
  mayClaim,
  type AccessRecord,
  type Considered,
  type CustodianDecision,
} from '@salus/chaincode/access/api';
import {
  decide,
  factsOf,
  mayAskAtAll,
  type AccessRequest,
  type ConsentInForce,
  type Decision,
} from '@salus/chaincode/consent/decide';

import { ACCESS_SPACE, type ProjectedAccess } from '../access/project.js';
import { parametersAnswer, parametersOf, type ReadParameter } from '../fhir/parameters.js';
import type { JsonObject } from '../fhir/json.js';
import { outcomeOf } from '../fhir/outcome.js';
import type { Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import { requireScope } from '../identity/scopes.js';
import { canonicalForm } from '../identity/statements.js';
import { Refusal } from '../ledger/refusal.js';
import type { Facts, PatientLookup } from '../patient/lookup.js';
import type { Actor, StoredVersion } from '../ports.js';
import { outlineOf } from '../projection/stored.js';
import type { ConsentShelf } from './shelf.js';
import { actsAsPatient } from './mandates.js';
import { referrersOf } from './related.js';
import { Relationships, type RecordIndex } from './relationships.js';
import type { TrustedConsents } from './trusted.js';

/** What deciding a question without reading anything needs. */
export interface EvaluatePorts {
  readonly member: string;
  readonly lookup: PatientLookup;
  readonly facts: Facts;
  readonly shelf: Pick<ConsentShelf, 'versions'>;
  readonly trusted: Pick<TrustedConsents, 'within' | 'toOthers'>;
  readonly current: (type: string, id: string) => StoredVersion | undefined;
  readonly index: RecordIndex;
  /** Puts what was asked about a patient on that patient's list. */
  readonly shown: (patient: string) => void;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Who looks at decisions about others. */
export const OFFICERS = ['privacy-officer', 'auditor'];

/** The FHIR interface with the operation in front of it. */
export function withEvaluation(fhir: Fhir, ports: EvaluatePorts): Fhir {
  return async (request) => {
    if (request.path !== 'Consent/$evaluate' || request.method !== 'POST') return await fhir(request);
    try {
      return evaluate(ports, request);
    } catch (error) {
      return { headers: {}, ...outcomeOf(error) };
    }
  };
}

function evaluate(ports: EvaluatePorts, { actor, body }: FhirRequest): FhirResponse {
  const read = parametersOf(body);
  const patient = stringOf(read, 'patient') ?? actor.patient;
  if (patient === undefined) throw wrong('patient is missing: the id of the Patient');
  requireEntitled(actor, patient);
  const known = ports.lookup.byId(patient);
  if (known === undefined || !Object.hasOwn(known.custodians, ports.member)) {
    throw new Refusal('not-found', 'not-found', `no Patient with this id is registered at ${ports.member}`);
  }
  ports.shown(patient);
  const receipt = stringOf(read, 'receipt');
  if (receipt !== undefined) return replayed(ports, known.pid, receipt);
  return parametersAnswer(200, spoken(decisionOf(ports, { ...known, patient }, questionOf(ports, read))));
}

type DecidingPorts = Pick<EvaluatePorts, 'trusted' | 'current' | 'index' | 'now'>;

/** The decision on somebody's request about a patient who is kept here, as it would be now. */
export function decisionOf(
  ports: DecidingPorts,
  { pid, patient }: { readonly pid: string; readonly patient: string },
  { request, resource }: Question,
): Decision {
  const stored = resource === undefined ? undefined : ports.current(resource.type, resource.id);
  if (resource !== undefined && stored?.patient !== patient) {
    throw new Refusal('not-found', 'not-found', "the patient's record has no such resource here");
  }
  const own = request.member === request.custodian;
  const readings = own ? ports.trusted.within(pid) : ports.trusted.toOthers(pid);
  if (readings === undefined) return { outcome: 'deny', obligations: [], rule: 'closed' };
  const decisions = readings.map((consents) => decided(ports, { request, patient, stored }, consents));
  return decisions.find(({ outcome }) => outcome === 'deny') ?? decisions[0] ?? CLOSED;
}

const CLOSED: Decision = { outcome: 'deny', obligations: [], rule: 'closed' };

/** Somebody's request, of a resource where one is named. */
export interface Question {
  readonly request: AccessRequest;
  readonly resource?: { readonly type: string; readonly id: string };
}

function decided(
  ports: DecidingPorts,
  asked: { readonly request: AccessRequest; readonly patient: string; readonly stored: StoredVersion | undefined },
  consents: readonly ConsentInForce[],
): Decision {
  const { patient, stored } = asked;
  const request = new Relationships(ports).standing(asked.request, patient, consents);
  if (stored === undefined) return mayAskAtAll(request, consents, ports.now());
  const text = outlineOf(stored);
  const resource = text === '' ? {} : (JSON.parse(text) as JsonObject);
  const referrers = referrersOf(`${stored.type}/${stored.id}`, consents, ports.index);
  return decide(request, factsOf({ ...resource, resourceType: stored.type }, referrers), consents, ports.now());
}

function requireEntitled(actor: Actor, patient: string): void {
  requireScope(actor, 'Consent', ['r'], patient);
  const isOwn = actor.patient === patient && actsAsPatient(actor);
  if (isOwn || OFFICERS.includes(actor.role)) return;
  throw new Refusal('forbidden', 'not-your-record', `this is for the patient, ${OFFICERS.join(' and ')}`);
}

/** The access decided again, and whether it comes out as its record says. */
function replayed(ports: EvaluatePorts, pid: string, receipt: string): FhirResponse {
  const record = recordOf(ports, pid, receipt);
  const decision = record?.custodians[ports.member];
  if (record === undefined || decision === undefined) {
    throw new Refusal('not-found', 'not-found', "receipt names no access on the patient's list here");
  }
  const again = decidedAgain(record, consideredIn(ports, pid, record));
  const isWhole = again.inputHash === record.inputHash;
  const answer = again.custodians[ports.member];
  const isSame = isWhole && answer !== undefined && canonicalForm(answer) === canonicalForm(decision);
  return parametersAnswer(200, {
    ...(answer && spoken(wordsOf(answer))),
    recorded: decision.decision,
    at: record.at,
    'input-hash': record.inputHash,
    inputs: isWhole ? 'the same' : 'not what it was decided on',
    result: isSame ? 'the same' : 'another',
  });
}

function wordsOf({ decision: outcome, path: rule, obligations, consent }: CustodianDecision): Decision {
  const decidedBy = consent && { consent: { id: consent.consentId, version: consent.version } };
  return { outcome, rule, obligations, ...decidedBy };
}

function recordOf({ facts }: EvaluatePorts, pid: string, receipt: string): AccessRecord | undefined {
  const records = facts
    .facts(ACCESS_SPACE, `${pid}/`)
    .map(({ value }) => (JSON.parse(value) as ProjectedAccess).record);
  return records.find(({ aid }) => createHash('sha256').update(aid).digest('hex') === receipt);
}

/** The versions it names, as the ledger first had each; its hash says whether they are what it was decided on. */
function consideredIn({ shelf }: EvaluatePorts, pid: string, record: AccessRecord): readonly Considered[] {
  const versions = shelf.versions(pid).map((projected) => projected.record);
  return record.consents.flatMap(
    ({ consentId, version }) => versions.find((each) => each.consentId === consentId && each.version === version) ?? [],
  );
}

function questionOf({ member: custodian }: EvaluatePorts, read: ReadParameter): Question {
  const [member, role, purpose] = [stringOf(read, 'member'), codeOf(read, 'role'), codeOf(read, 'purpose')];
  if (member === undefined || role === undefined || purpose === undefined) {
    throw wrong('send receipt, or member, role and purpose of whoever would ask');
  }
  if (!mayClaim(role, purpose)) throw wrong(`role ${role} may not claim the purpose ${purpose}`);
  const user = stringOf(read, 'user') ?? '';
  const request: AccessRequest = { custodian, member, user, role, purpose, action: 'access' };
  const resource = stringOf(read, 'resource');
  if (resource === undefined) return { request };
  const [, type, id] = /^([A-Z][A-Za-z]{0,63})\/([A-Za-z0-9.-]{1,64})$/.exec(resource) ?? [];
  if (type === undefined || id === undefined) throw wrong('resource is written Type/id');
  return { request, resource: { type, id } };
}

/** A decision in words of the answer. */
function spoken({ outcome, rule, consent, obligations }: Decision): Readonly<Record<string, string | undefined>> {
  return {
    outcome,
    rule,
    consent: consent && `Consent/${consent.id}/_history/${consent.version}`,
    obligations: obligations.length === 0 ? undefined : JSON.stringify(obligations),
  };
}

function stringOf(read: ReadParameter, name: string): string | undefined {
  const value = read(name, 'valueString');
  return typeof value === 'string' ? value : undefined;
}

function codeOf(read: ReadParameter, name: string): string | undefined {
  const value = read(name, 'valueCode');
  return typeof value === 'string' ? value : undefined;
}

function wrong(detail: string): Refusal {
  return new Refusal('invalid', 'unprocessable', `Parameters: ${detail}`);
}
