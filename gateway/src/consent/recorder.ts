/** Records a consent: checks it, splits it, keeps the rest here, and writes the care form to `care`. */
import { randomBytes, randomUUID } from 'node:crypto';

import { recordedSalt, type RecordConsent, type StoredConsent } from '@salus/chaincode/consent/api';
import {
  careForm,
  namedIn,
  replaces,
  validateConsent,
  type CareForm,
  patientIn,
} from '@salus/chaincode/consent/decide';

import { IssuesRefusal } from '../fhir/outcome.js';
import type { JsonObject } from '../fhir/json.js';
import { canonicalForm, readStatement } from '../identity/statements.js';
import { isDeclined, Refusal } from '../ledger/refusal.js';
import type { KnownPatient, PatientLookup } from '../patient/lookup.js';
import type { Actor, Commit, Ledger, LedgerCall, StoredVersion } from '../ports.js';
import { denies } from './announced.js';
import { actsAsPatient } from './mandates.js';
import { endedElsewhere, withdrawElsewhere, type ElsewherePorts } from './elsewhere.js';
import { areSame, keepRest, restOf, type JoinPorts } from './rest.js';
import { callOf, saidBy, type SayingPorts } from './saying.js';
import type { ConsentShelf } from './shelf.js';

/** A consent in force, and the version that ends or replaces it. */
interface Withdrawal {
  readonly consentId: string;
  readonly version: number;
}

/**
 * Tells every custodian's door that a consent is withdrawn or replaced, or of a version that denies something; resolves
 * when all have heard or the time is up.
 */
export type TellDoors = (custodians: readonly string[], told: Withdrawal | RecordConsent) => Promise<void>;

/** What recording a consent needs: the ledger, the rest's store, and the doors to tell of what closes. */
export interface RecorderPorts extends JoinPorts, SayingPorts, ElsewherePorts {
  readonly member: string;
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly lookup: PatientLookup;
  readonly shelf: ConsentShelf;
  readonly projection: {
    /** Number of the last block that is applied. */
    readonly block: number;
    version(type: string, id: string, version: number): StoredVersion | undefined;
  };
  readonly tellDoors: TellDoors;
}

/** What a client sends. */
export interface ConsentSent {
  readonly actor: Actor;
  readonly resource: JsonObject;
  /** Of an update; absent = a new one. */
  readonly id?: string;
  /** Which id a new one gets, where no statement names it. */
  readonly newId?: string;
  /** Of If-Match. */
  readonly expect?: number;
  /** Of X-Statement. */
  readonly statement?: string;
}

/** A version of a consent that is committed, and the resource as it is answered. */
export interface RecordedConsent {
  readonly id: string;
  readonly version: number;
  readonly commit: Commit;
  readonly resource: JsonObject;
}

/** Records one version; the same content again changes nothing. Throws Refusal. */
export async function recordConsent(ports: RecorderPorts, sent: ConsentSent): Promise<RecordedConsent> {
  const elsewhere = endedElsewhere(ports, sent);
  return elsewhere === undefined ? await recordHere(ports, sent) : await withdrawElsewhere(ports, sent, elsewhere);
}

async function recordHere(ports: RecorderPorts, sent: ConsentSent): Promise<RecordedConsent> {
  const { patientId, patient } = patientFor(ports, sent);
  const split = checkedForm(sent);
  const consentId = sent.id ?? signedId(sent) ?? sent.newId ?? randomUUID();
  const current = ports.shelf.one(patient.pid, consentId)?.record;
  const request = requestOf(sent, split, { pid: patient.pid, consentId, version: nextVersion(sent, current?.version) });
  const { version } = request;
  const resource = { ...sent.resource, id: consentId };
  const known = standing(ports, sent, { request, split, current });
  if (known !== undefined) return { ...known, id: consentId, resource };
  const said = await saidBy(ports, sent, request, patientId);
  const call = callOf(said, sent.actor);
  const told = [...(denies(said.consent) ? [said] : []), ...endedBy(ports, request, current)];
  await ready(ports, call, { split, told, custodians: Object.keys(patient.custodians) });
  const recorded = { consent: request.consent, salt: recordedSalt(request) };
  await keepRest(ports, sent.actor, { recorded, patient: patientId }, split.rest);
  const commit = await unprocessableIfInvalid(ports.ledger.submit(call));
  return { id: consentId, version, commit, resource };
}

/** What is signed is recorded as it was signed; else the id the consent is given belongs to it. */
function requestOf(
  { actor, statement }: ConsentSent,
  { care }: CareForm,
  of: Pick<RecordConsent, 'pid' | 'consentId' | 'version'>,
): RecordConsent {
  const consent = statement === undefined ? { ...care, id: of.consentId } : care;
  return {
    ...of,
    ...(of.version === 1 ? {} : { replaces: of.version - 1 }),
    consent: consent as unknown as RecordConsent['consent'],
    ...(statement === undefined ? representativeOf(actor) : { statement }),
    salt: randomBytes(32).toString('hex'),
  };
}

/** As whom a guardian comes to this hospital. */
function representativeOf({ role, mandate }: Actor): Pick<RecordConsent, 'representative'> {
  return role === 'guardian' && mandate?.person !== undefined ? { representative: mandate.person } : {};
}

/** What a request comes to, and what it would replace. */
interface Change {
  readonly request: RecordConsent;
  readonly split: CareForm;
  readonly current: StoredConsent | undefined;
}

/** Where the version in force says the same, to the free text: that version and its transaction. */
function unchanged(
  ports: RecorderPorts,
  { request: { consent, consentId }, split, current }: Change,
): Pick<RecordedConsent, 'version' | 'commit'> | undefined {
  if (current === undefined || canonicalForm(consent) !== canonicalForm(current.consent)) return undefined;
  if (!areSame(split.rest, restOf(ports, current))) return undefined;
  const stored = ports.current('Consent', consentId);
  // What was replaced is not in force however often it is said: the ledger says so.
  if (stored?.version !== current.version || ports.trusted.replacedBy(current.pid, consentId) !== undefined) {
    return undefined;
  }
  return { version: current.version, commit: { txId: stored.txId, block: stored.block } };
}

/** What stands already and is what the request asks for. */
function standing(
  ports: RecorderPorts,
  sent: ConsentSent,
  change: Change,
): Pick<RecordedConsent, 'version' | 'commit'> | undefined {
  const { consentId } = change.request;
  if (sent.id === undefined && consentId === sent.newId) return madeBefore(ports, consentId);
  return unchanged(ports, change);
}

/** What an earlier try of the request made, whatever was said of it since: a retry says nothing anew. */
function madeBefore(ports: RecorderPorts, consentId: string): Pick<RecordedConsent, 'version' | 'commit'> | undefined {
  const stored = ports.projection.version('Consent', consentId, 1);
  return stored && { version: 1, commit: { txId: stored.txId, block: stored.block } };
}

/** A statement names the consent it makes. */
function signedId({ statement }: ConsentSent): string | undefined {
  return statement === undefined ? undefined : readStatement(statement)?.subject.consent;
}

/** What is in force and ends with it, with the version before which it ends: the one before, and what else it replaces. */
function endedBy(
  { shelf }: RecorderPorts,
  { pid, consentId, version, consent }: RecordConsent,
  current: StoredConsent | undefined,
): readonly Withdrawal[] {
  const others = consent.status === 'active' ? shelf.active(pid).filter((each) => each.consentId !== consentId) : [];
  return [
    ...(current?.status === 'active' ? [{ consentId, version }] : []),
    ...others
      .filter((other) => replaces(consent, other))
      .map((other) => ({ consentId: other.consentId, version: other.version + 1 })),
  ];
}

/**
 * Every door hears of a denial, of a withdrawal, and of whatever else is replaced, before the ledger does, and what was
 * split off is kept before; but only of what the ledger would take, so that nobody closes a door who may not, and nothing
 * stays of what was refused.
 */
async function ready(
  ports: RecorderPorts,
  call: LedgerCall,
  of: {
    readonly split: CareForm;
    readonly told: readonly (Withdrawal | RecordConsent)[];
    readonly custodians: readonly string[];
  },
): Promise<void> {
  // Whatever replaces it may permit less: until a door has the new version, the one before permits nothing there.
  if (of.told.length > 0 || of.split.rest.length > 0) await requireTaken(ports, call);
  await Promise.all(of.told.map((each) => ports.tellDoors(of.custodians, each)));
}

/** A ledger that cannot be asked does not keep the doors open. */
async function requireTaken(ports: RecorderPorts, call: LedgerCall): Promise<void> {
  try {
    await unprocessableIfInvalid(ports.ledger.evaluate(call));
  } catch (error) {
    if (isDeclined(error)) throw error;
  }
}

async function unprocessableIfInvalid<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Refusal) || error.category !== 'invalid') throw error;
    throw new Refusal('invalid', 'unprocessable', error.detail, { cause: error });
  }
}

/** The patient it is about, if this gateway may take it: as custodian, or with a statement the patient signed. */
function patientFor(ports: RecorderPorts, sent: ConsentSent): { patientId: string; patient: KnownPatient } {
  const patientId = patientIn(sent.resource);
  if (patientId === undefined) throw unprocessable('Consent.patient must refer to a Patient by Patient/{id}');
  const patient = ports.lookup.byId(patientId);
  const isCustodian = patient !== undefined && Object.hasOwn(patient.custodians, ports.member);
  if (patient === undefined || (!isCustodian && sent.statement === undefined)) {
    throw unprocessable(
      `${ports.member} does not keep this patient's record: give the consent at a hospital that does, or send the ` +
        "header X-Statement with the care form signed by the patient's registered key",
    );
  }
  if (sent.statement === undefined && !mayGiveFor(sent.actor, patientId)) {
    const detail = 'a patient gives consent about the own record alone, a guardian while the mandate is in force';
    throw new Refusal('forbidden', 'not-your-record', detail);
  }
  return { patientId, patient };
}

/** Staff may for every patient kept here. */
function mayGiveFor(actor: Actor, patientId: string): boolean {
  if (actor.role !== 'patient' && actor.role !== 'guardian') return true;
  return actor.patient === patientId && actsAsPatient(actor);
}

function checkedForm({ resource, statement }: ConsentSent): CareForm {
  if (resource.resourceType !== 'Consent') throw unprocessable('the body must be a Consent');
  const split = careForm(statement === undefined ? withoutVersion(resource) : resource);
  if (split.rest.some(namesInProse)) throw unprocessable('urn:salus:replaces needs a valueReference: Consent/{id}');
  const problems = validateConsent({ ...(statement === undefined ? split.care : resource) });
  if (problems.length > 0) {
    throw new IssuesRefusal(
      'unprocessable',
      problems.map(({ path, reason }) => ({
        severity: 'error',
        code: 'business-rule',
        diagnostics: `Consent.${path}: ${reason}`,
        expression: [`Consent.${path}`],
      })),
    );
  }
  return split;
}

/** Whether what is split off as free text was meant to name what is replaced, which would then stay in force. */
function namesInProse({ path, value }: CareForm['rest'][number]): boolean {
  return path.startsWith('/extension') && namedIn({ extension: [value].flat() }).length > 0;
}

function withoutVersion(resource: JsonObject): JsonObject {
  const meta = without((resource.meta ?? {}) as JsonObject, 'versionId', 'lastUpdated');
  const rest = without(resource, 'meta');
  return Object.keys(meta).length === 0 ? rest : { ...rest, meta };
}

function without(object: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

function nextVersion({ id, expect, statement }: ConsentSent, current: number | undefined): number {
  if (id !== undefined && current === undefined && statement === undefined) {
    throw new Refusal('not-found', 'unknown-consent', 'no consent of this patient has this id: POST a new one');
  }
  if (expect !== undefined && expect !== (current ?? 0)) {
    throw new Refusal('conflict', 'precondition-failed', 'If-Match does not name the version in force: read it first');
  }
  return (current ?? 0) + 1;
}

function unprocessable(detail: string): Refusal {
  return new Refusal('invalid', 'unprocessable', detail);
}
