/**
 * The CDS Hooks service `patient-consent-consult` (as LEAP-CDS defines it): a client asks what the patient's consent says
 * of somebody's request, before it shows or sends anything. It tells of patients who are kept here, and whose record the
 * asker may open; of all others what it tells of one without consent.
 */
import type { AccessRequest, Decision, Obligation } from '@salus/chaincode/consent/decide';

import { parseBody, type JsonObject } from '../fhir/json.js';
import { Pace } from '../fhir/pace.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { requireScope } from '../identity/scopes.js';
import { outcomeOf } from '../fhir/outcome.js';
import { Refusal } from '../ledger/refusal.js';
import type { Actor } from '../ports.js';
import { decisionOf, OFFICERS, type EvaluatePorts } from './evaluate.js';

const HOOK = 'patient-consent-consult';

/** What the CDS service needs beside the evaluation of consents. */
export interface HooksPorts extends EvaluatePorts {
  /** FHIR base of this member. */
  readonly baseUrl: string;
  /** Whether the actor may see anything of the patient's record. */
  readonly opens: (actor: Actor, patient: string) => boolean;
}

const SERVICES = {
  services: [
    {
      hook: HOOK,
      id: HOOK,
      title: 'Patient consent consult',
      description: "What a patient's consent says of a request by somebody, for a purpose of use",
    },
  ],
};

/** Answers below `/cds-services`: what is served, and the service. Never rejects. */
export async function consentHooks(ports: HooksPorts, request: FhirRequest): Promise<FhirResponse> {
  try {
    if (request.path === '' && request.method === 'GET') return await Promise.resolve(json(SERVICES));
    if (request.path === HOOK && request.method === 'POST') return json({ cards: [consulted(ports, request)] });
    throw new Refusal('not-found', 'not-found', `the service here is POST ${HOOK}`);
  } catch (error) {
    return { headers: {}, ...outcomeOf(error) };
  }
}

/**
 * The service with answers on the beat where no consent is found to speak: the patient may be hidden, or nobody, and
 * neither how long looking took nor what is noted of it may tell.
 */
export function onBeat(hooks: (request: FhirRequest) => Promise<FhirResponse>): typeof hooks {
  return async (request) => {
    const pace = new Pace();
    const response = await hooks(request);
    const { cards = [] } = (response.resource ?? {}) as { readonly cards?: readonly { readonly summary: string }[] };
    if (cards.some(({ summary }) => summary === NO_CONSENT)) pace.askedInVain();
    await pace.leave(response.status);
    return response;
  };
}

function json(resource: JsonObject): FhirResponse {
  return { status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8' }, resource };
}

function consulted(ports: HooksPorts, { actor, body }: FhirRequest): JsonObject {
  const { hook, context } = parseBody(body ?? '').plain as { hook?: unknown; context?: Context };
  if (hook !== HOOK || typeof context !== 'object') throw wrong(`send hook ${HOOK} and its context`);
  const patient = patientIn(ports, context);
  const request = requestIn(ports, context);
  requireScope(actor, 'Consent', ['r'], patient);
  const known = isOpenTo(ports, actor, patient) ? ports.lookup.byId(patient) : undefined;
  if (known === undefined || !Object.hasOwn(known.custodians, ports.member)) return card(NOBODY, ports);
  ports.shown(patient);
  return card(decisionOf(ports, { pid: known.pid, patient }, { request }), ports);
}

/** What is said of a patient who is not known here, or whom the asker may not see. */
const NOBODY: Decision = { outcome: 'deny', obligations: [], rule: 'implicit/between' };

function isOpenTo({ opens }: HooksPorts, actor: Actor, patient: string): boolean {
  return OFFICERS.includes(actor.role) || opens(actor, patient);
}

interface Named {
  readonly system?: unknown;
  readonly value?: unknown;
}

interface Context {
  readonly patientId?: string | readonly Named[];
  readonly actor?: readonly Named[];
  readonly purposeOfUse?: unknown;
}

/** The FHIR id of the patient: as text, or as an identifier of this FHIR base. */
function patientIn({ baseUrl }: HooksPorts, { patientId }: Context): string {
  const list = Array.isArray(patientId) ? (patientId as readonly Named[]) : [{ value: patientId }];
  const own = list.find(({ system }) => system === undefined || system === `${baseUrl}/Patient`)?.value;
  if (typeof own === 'string' && /^[A-Za-z0-9.-]{1,64}$/.test(own)) return own;
  throw wrong(`context.patientId must be the id of a Patient, or an identifier of system ${baseUrl}/Patient`);
}

/** Who is asked about: a member, and where named the person's role and id there. */
function requestIn({ member: custodian }: HooksPorts, { actor, purposeOfUse }: Context): AccessRequest {
  const named = (word: string): string | undefined => {
    const list = Array.isArray(actor) ? (actor as readonly Named[]) : [];
    const value = list.find(({ system }) => system === `urn:salus:${word}`)?.value;
    return typeof value === 'string' ? value : undefined;
  };
  const member = named('member');
  if (member === undefined || typeof purposeOfUse !== 'string') {
    throw wrong('context.actor must have an identifier of system urn:salus:member, context.purposeOfUse a code');
  }
  const role = named('role') ?? 'physician';
  return { custodian, member, user: named('user') ?? '', role, purpose: purposeOfUse, action: 'access' };
}

function card(decision: Decision, { member, baseUrl }: HooksPorts): JsonObject {
  const word = wordOf(decision);
  const { consent, rule, outcome, obligations } = decision;
  return {
    summary: word,
    detail: DETAILS[word],
    indicator: outcome === 'permit' ? 'info' : 'warning',
    source: { label: `Salus at ${member}`, url: baseUrl },
    extension: {
      decision: word,
      outcome,
      rule,
      obligations: obligations.map(obligationOf),
      ...(consent && { basedOn: [{ reference: `Consent/${consent.id}/_history/${consent.version}` }] }),
    },
  };
}

const NO_CONSENT = 'NO_CONSENT';
const DETAILS = {
  CONSENT_PERMIT: "The patient's consent permits it.",
  CONSENT_DENY: "The patient's consent denies it, or the patient is closed to other members.",
  [NO_CONSENT]: 'No consent speaks of it: the policy of the hospital decides.',
} as const;

function wordOf({ consent, rule, outcome }: Decision): keyof typeof DETAILS {
  if (consent === undefined && rule !== 'closed') return NO_CONSENT;
  return outcome === 'permit' ? 'CONSENT_PERMIT' : 'CONSENT_DENY';
}

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

function obligationOf(obligation: Obligation): JsonObject {
  switch (obligation.kind) {
    case 'remove':
      return { id: { system: ACT_CODE, code: 'REDACT' }, parameters: { codes: obligation.labels } };
    case 'redact':
      return { id: { system: ACT_CODE, code: 'MASK' }, parameters: { elements: obligation.elements } };
    case 'no-redisclosure':
      return { id: { system: ACT_CODE, code: obligation.label }, parameters: { notice: obligation.notice } };
  }
}

function wrong(detail: string): Refusal {
  return new Refusal('invalid', 'unprocessable', detail);
}
