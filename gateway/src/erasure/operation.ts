/**
 * `POST Patient/{id}/$erase`: one officer asks, another approves by the same request; then the record is erased for
 * good. Body: Parameters with `basis` (valueCode) and `reason` (valueString). `GET $erasure/{id}` tells how it stands
 * and, once done, gives the certificate.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { outcomeOf } from '../fhir/outcome.js';
import type { Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import { requireOfficer } from '../identity/officers.js';
import { scopeMissing, scopesReachAll } from '../identity/scopes.js';
import { Refusal } from '../ledger/refusal.js';
import type { Actor } from '../ports.js';
import { isHeld, setHold, type HoldPorts } from './hold.js';
import { parametersAnswer, parametersOf } from '../fhir/parameters.js';
import { approvable, erasable, isVoid, officers, type Act, type Basis, type EraseWish } from './rules.js';
import type { ErasureSeries } from './series.js';
import type { Erasure, ErasureStore } from './store.js';

/** How long the approval waits for the certificate, ms; later `$erasure/{id}` has it. */
const ANSWER_WAIT_MS = 20_000;
/** Longest reason, characters. */
export const MAX_REASON = 1_000;

/**
 * What `$erase` needs beside the holds: the series that carries an erasure out, and when the record was last written.
 */
export interface EraseOperationPorts extends HoldPorts {
  readonly baseUrl: string;
  readonly store: ErasureStore;
  readonly series: Pick<ErasureSeries, 'carry'>;
  /** Milliseconds since 1970 of the newest entry of a patient's record; undefined where there is none. */
  readonly lastEntry: (patient: string) => number | undefined;
  /** Until when data of the patient's clinical trials is kept, as in `Standing`. Throws Refusal. */
  readonly trialsUntil: (patient: string) => Promise<number | undefined>;
  /** Puts what was asked about a patient on that patient's list. */
  readonly shown: (patient: string) => void;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly answerWaitMs?: number;
}

const PATIENT = /^Patient\/([A-Za-z0-9.-]{1,64})\/\$(erase|legal-hold)$/;
const STATUS = /^\$erasure\/([0-9a-f]{64})$/;

/** The FHIR interface with the operations in front of it. */
export function withErasure(fhir: Fhir, ports: EraseOperationPorts): Fhir {
  return async (request) => {
    const run = operationOf(ports, request);
    if (run === undefined) return await fhir(request);
    try {
      requireScope(request.actor);
      return await run();
    } catch (error) {
      return { headers: {}, ...outcomeOf(error) };
    }
  };
}

function operationOf(ports: EraseOperationPorts, request: FhirRequest): (() => Promise<FhirResponse>) | undefined {
  const { method, path } = request;
  const [, patient, name] = PATIENT.exec(path) ?? [];
  if (method === 'POST' && patient !== undefined) {
    return name === 'erase' ? () => erase(ports, request, patient) : () => setHold(ports, request, patient);
  }
  const id = STATUS.exec(path)?.[1];
  return method === 'GET' && id !== undefined ? () => Promise.resolve(standing(ports, request, id)) : undefined;
}

function requireScope(actor: Actor): void {
  if (!scopesReachAll(actor, 'Patient', 'd')) throw scopeMissing('Patient', 'd');
}

async function erase(ports: EraseOperationPorts, request: FhirRequest, patient: string): Promise<FhirResponse> {
  const { actor } = request;
  requireOfficer(actor, officers);
  const lastEntry = ports.lastEntry(patient);
  if (lastEntry === undefined || ports.current('Patient', patient) === undefined) {
    throw new Refusal('not-found', 'not-found', `Patient/${patient} is not known here`);
  }
  ports.shown(patient);
  const { basis: named, reason } = wishOf(request);
  const wish: EraseWish = { actor, basis: named, now: ports.clock() };
  const trialsUntil = await ports.trialsUntil(patient);
  const basis = erasable(wish, { lastEntry, isHeld: isHeld(ports, patient), trialsUntil });
  const pending = ports.store.pendingOf(patient);
  if (pending !== undefined && !isVoid(pending.asked, wish.now)) return await approve(ports, pending, wish);
  if (pending !== undefined) ports.store.expire(pending.id);
  return ask(ports, patient, wish, { basis, reason });
}

function ask(
  { store, baseUrl }: EraseOperationPorts,
  patient: string,
  wish: EraseWish,
  { basis, reason }: { readonly basis: Basis; readonly reason: string },
): FhirResponse {
  const id = randomBytes(32).toString('hex');
  store.ask({ id, patient, basis, asked: actOf(wish) }, reason);
  return parametersAnswer(202, { erasure: id, state: 'pending', basis }, location(baseUrl, id));
}

async function approve(ports: EraseOperationPorts, pending: Erasure, wish: EraseWish): Promise<FhirResponse> {
  approvable({ by: pending.asked, basis: pending.basis }, wish);
  if (!ports.store.approve(pending.id, actOf(wish))) {
    throw new Refusal('conflict', 'busy', 'another officer approved it meanwhile: look at $erasure/{id}');
  }
  const waiting = new AbortController();
  const late = sleep(ports.answerWaitMs ?? ANSWER_WAIT_MS, undefined, { signal: waiting.signal });
  await Promise.race([ports.series.carry(pending.id), late.catch(() => undefined)]);
  waiting.abort();
  return answerOf(ports, ports.store.byId(pending.id) ?? pending);
}

function standing(ports: EraseOperationPorts, { actor }: FhirRequest, id: string): FhirResponse {
  if (actor.role !== 'auditor') requireOfficer(actor, officers);
  const erasure = ports.store.byId(id);
  if (erasure === undefined) throw new Refusal('not-found', 'not-found', 'no erasure of this id is known here');
  return answerOf(ports, erasure, 200);
}

function answerOf({ baseUrl }: EraseOperationPorts, erasure: Erasure, status?: number): FhirResponse {
  const { id, state, basis, certificate } = erasure;
  const known = status ?? (state === 'done' ? 200 : 202);
  return parametersAnswer(known, { erasure: id, state, basis, certificate }, location(baseUrl, id));
}

function location(baseUrl: string, id: string): Record<string, string> {
  return { 'Content-Location': `${baseUrl}/$erasure/${id}` };
}

function wishOf({ body }: FhirRequest): { readonly basis: string; readonly reason: string } {
  const read = parametersOf(body);
  const basis = read('basis', 'valueCode');
  const reason = read('reason', 'valueString');
  if (typeof basis !== 'string' || typeof reason !== 'string' || reason === '' || reason.length > MAX_REASON) {
    throw new Refusal(
      'invalid',
      'unprocessable',
      `Parameters: basis (valueCode), reason (1 to ${MAX_REASON} characters)`,
    );
  }
  return { basis, reason };
}

function actOf({ actor, now }: EraseWish): Act {
  return { user: actor.user, role: actor.role, at: new Date(now).toISOString() };
}
