/**
 * A patient closed to other members by an alarm. `GET Patient/{id}/$closure` tells officers and auditors of the custodian
 * why. `POST Patient/{id}/$reopen` by a privacy officer sets aside what was found and opens the patient again: Parameters
 * with `findings` (valueString, as $closure gave it: what came to light since is not waved through) and `reason`
 * (valueString). Each reopening is a version in the member's own record, and on the patient's list.
 */
import { createHash } from 'node:crypto';

import { parametersAnswer, parametersOf } from '../fhir/parameters.js';
import { outcomeOf } from '../fhir/outcome.js';
import type { Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import { requireOfficer } from '../identity/officers.js';
import { requireScope } from '../identity/scopes.js';
import { Refusal } from '../ledger/refusal.js';
import type { PatientLookup } from '../patient/lookup.js';
import type { Actor, RecordWriter, StoredVersion } from '../ports.js';
import type { Closure, TrustedConsents } from './trusted.js';

/** Not a FHIR type, so no interaction reaches it. */
export const REOPENING_TYPE = 'Reopening';
/** Longest reason, characters. */
export const MAX_REOPENING_REASON = 1_000;

/** A reopening as it is kept. */
export interface Reopening {
  readonly at: string;
  readonly by: { readonly user: string; readonly role: string };
  readonly reason: string;
  readonly problem: string;
  readonly since: string;
  readonly setAside: readonly { readonly consentId: string; readonly version: number; readonly hash: string }[];
}

/** Reads the versions of the resource that reopenings are kept in. */
export interface ReopeningsPorts {
  readonly current: (type: string, id: string) => StoredVersion | undefined;
  readonly version: (type: string, id: string, version: number) => StoredVersion | undefined;
}

/** What closing, showing and reopening a patient's record to other members needs. */
export interface ClosurePorts extends ReopeningsPorts {
  readonly member: string;
  readonly lookup: PatientLookup;
  readonly trusted: Pick<TrustedConsents, 'closure' | 'reopen'>;
  readonly writer: RecordWriter;
  /** Puts what was asked about a patient on that patient's list. */
  readonly shown: (patient: string) => void;
  /** FHIR instant. */
  readonly now: () => string;
}

const OFFICER = 'privacy-officer';
const LOOKERS = [OFFICER, 'auditor'];
const PATH = /^Patient\/([A-Za-z0-9.-]{1,64})\/\$(closure|reopen)$/;

/** The FHIR interface with the operations in front of it. */
export function withClosure(fhir: Fhir, ports: ClosurePorts): Fhir {
  return async (request) => {
    const [, patient = '', name = ''] = PATH.exec(request.path) ?? [];
    const run = OPERATIONS.get(`${request.method} ${name}`);
    if (run === undefined) return await fhir(request);
    try {
      return await run(ports, request, patient);
    } catch (error) {
      return { headers: {}, ...outcomeOf(error) };
    }
  };
}

const OPERATIONS = new Map<string, typeof reopen>([
  ['GET closure', async (...asked) => await Promise.resolve(look(...asked))],
  ['POST reopen', reopen],
]);

/** Every reopening of a patient, the oldest first. */
export function reopeningsOf({ current, version }: ReopeningsPorts, patient: string): readonly Reopening[] {
  const newest = current(REOPENING_TYPE, patient)?.version ?? 0;
  const versions = Array.from({ length: newest }, (_, index) => version(REOPENING_TYPE, patient, index + 1));
  return versions.flatMap((stored) => (stored === undefined || stored.text === '' ? [] : [parsed(stored)]));
}

function look(ports: ClosurePorts, { actor }: FhirRequest, patient: string): FhirResponse {
  requireOfficer(actor, LOOKERS);
  requireScope(actor, 'Patient', ['r'], patient);
  const closure = ports.trusted.closure(pidHere(ports, patient));
  ports.shown(patient);
  if (closure === undefined) return parametersAnswer(200, { state: 'open' });
  const { problem, since } = closure;
  return parametersAnswer(200, {
    ...{ state: 'closed', problem, since, findings: digestOf(closure) },
    ...Object.fromEntries(closure.findings.map((found, index) => [`finding-${index + 1}`, described(found)])),
  });
}

async function reopen(ports: ClosurePorts, request: FhirRequest, patient: string): Promise<FhirResponse> {
  const { actor } = request;
  requireOfficer(actor, [OFFICER]);
  requireScope(actor, 'Patient', ['u'], patient);
  const pid = pidHere(ports, patient);
  ports.shown(patient);
  const { findings, reason } = wishOf(request);
  const closure = ports.trusted.closure(pid);
  if (closure === undefined) throw new Refusal('conflict', 'not-closed', 'the patient is open to other members');
  if (findings !== digestOf(closure)) {
    throw new Refusal('conflict', 'findings-changed', 'findings is not what $closure says now: look again');
  }
  if (closure.findings.some(({ isLost }) => isLost)) {
    const detail = 'a version that was seen before is not here any more: rebuild the projection, then look again';
    throw new Refusal('conflict', 'version-lost', detail);
  }
  const outcome = await keep(ports, actor, { patient, reason, closure });
  if (outcome !== 'committed') return parametersAnswer(202, { state: 'closed' });
  ports.trusted.reopen(pid, closure);
  return parametersAnswer(200, { state: 'open' });
}

async function keep(
  ports: ClosurePorts,
  actor: Actor,
  { patient, reason, closure }: { readonly patient: string; readonly reason: string; readonly closure: Closure },
): Promise<'committed' | 'unknown'> {
  const { problem, since } = closure;
  const kept: Reopening = {
    at: ports.now(),
    by: { user: actor.user, role: actor.role },
    ...{ reason, problem, since },
    setAside: closure.findings.map(({ consentId, version, hash }) => ({ consentId, version, hash })),
  };
  const expect = ports.current(REOPENING_TYPE, patient)?.version ?? 0;
  const text = JSON.stringify({ resourceType: REOPENING_TYPE, id: patient, ...kept });
  return (await ports.writer.write(actor, [{ type: REOPENING_TYPE, id: patient, expect, text, patient }])).state;
}

/** What an officer saw, as one word: hex SHA-256 over what was found. */
function digestOf({ problem, since, findings }: Closure): string {
  const hashes = findings.map(({ hash }) => hash).sort();
  return createHash('sha256')
    .update(JSON.stringify([problem, since, hashes]))
    .digest('hex');
}

function described({ problem, consentId, version, sender, isLost }: Closure['findings'][number]): string {
  return `${problem}: Consent/${consentId}/_history/${version}, sent by ${sender}${isLost ? ', a version is lost' : ''}`;
}

function pidHere({ lookup, member }: ClosurePorts, patient: string): string {
  const known = lookup.byId(patient);
  if (known === undefined || !Object.hasOwn(known.custodians, member)) {
    throw new Refusal('not-found', 'not-found', `no Patient with this id is registered at ${member}`);
  }
  return known.pid;
}

function wishOf({ body }: FhirRequest): { readonly findings: string; readonly reason: string } {
  const read = parametersOf(body);
  const findings = read('findings', 'valueString');
  const reason = read('reason', 'valueString');
  const isWhole = typeof findings === 'string' && typeof reason === 'string' && reason !== '';
  if (isWhole && reason.length <= MAX_REOPENING_REASON) return { findings, reason };
  const detail = `Parameters: findings as $closure gives it, reason of 1 to ${MAX_REOPENING_REASON} characters`;
  throw new Refusal('invalid', 'unprocessable', detail);
}

function parsed({ text }: StoredVersion): Reopening {
  return JSON.parse(text) as Reopening;
}
