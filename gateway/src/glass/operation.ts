/**
 * `POST Patient/{id}/$break-glass` by a clinician, for purpose BTG: Parameters with `reason` (valueCode, of GLASS_REASONS),
 * `text` (valueString) and, for the second act, `full` (valueBoolean). Of a patient kept elsewhere the first act answers
 * the emergency summary as a document, the second, within half an hour, everything; while the ledger is away by both sides'
 * logs, which the answer says. Of one kept here it opens the record for half an hour to reads for purpose BTG; while the
 * ledger is away by a trace that is on disk alone, which the answer (202) says. 202 where a custodian's privacy officer is asked; nobody's patient, and one who excluded it, are 404 alike.
 */
import { randomBytes, randomUUID } from 'node:crypto';

import { mayAskAtAll } from '@salus/chaincode/consent/decide';

import type { RemoteReads } from '../access/remote.js';
import type { EmergencyAnswer } from '../access/sought.js';
import type { TrustedConsents } from '../consent/trusted.js';
import { parametersAnswer, parametersOf } from '../fhir/parameters.js';
import { notFound } from '../fhir/context.js';
import type { JsonObject } from '../fhir/json.js';
import { operationOutcome, outcomeOf } from '../fhir/outcome.js';
import { Pace } from '../fhir/pace.js';
import type { Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import { requireScope } from '../identity/scopes.js';
import { Refusal } from '../ledger/refusal.js';
import type { PatientLookup } from '../patient/lookup.js';
import type { Actor } from '../ports.js';
import { GLASS_REASONS, keepGlass, MAX_GLASS_TEXT, recordedAt, type GlassRecordPorts } from './record.js';
import { summaryDocument } from './summary.js';
import type { Glass, GlassState, GlassStore } from './store.js';

/** What `$break-glass` needs, at home and towards other custodians. */
export interface BreakGlassPorts extends GlassRecordPorts {
  readonly glass: GlassStore;
  readonly lookup: PatientLookup;
  readonly trusted: Pick<TrustedConsents, 'within'>;
  readonly remote: Pick<RemoteReads, 'emergency'>;
  /** Puts what was asked about a patient on that patient's list. */
  readonly shown: (patient: string) => void;
  /** Tells the privacy officer at once. */
  readonly onGlass: (glass: Glass, state: GlassState) => void;
}

interface Wish {
  readonly reason: string;
  readonly text: string;
  readonly full: boolean;
}

const PATH = /^Patient\/([A-Za-z0-9.-]{1,64})\/\$break-glass$/;

/** The FHIR interface with the operation in front of it. */
export function withBreakGlass(fhir: Fhir, ports: BreakGlassPorts): Fhir {
  return async (request) => {
    const patient = PATH.exec(request.path)?.[1];
    if (patient === undefined || request.method !== 'POST') return await fhir(request);
    const pace = new Pace();
    const response = await breakGlass(ports, { ...request, pace }, patient).catch((error: unknown) => ({
      headers: {},
      ...outcomeOf(error),
    }));
    await pace.leave(response.status);
    return response;
  };
}

async function breakGlass(ports: BreakGlassPorts, request: FhirRequest, patient: string): Promise<FhirResponse> {
  const { actor, body } = request;
  if (actor.purpose !== 'BTG') {
    throw new Refusal('forbidden', 'purpose-mismatch', 'send X-Purpose-Of-Use: BTG with a token that may claim it');
  }
  requireScope(actor, 'Patient', ['r'], patient);
  const wish = wishOf(body);
  const run = opensHere(ports, actor, patient) ? here : elsewhere;
  return await run(ports, request, patient, wish);
}

/** Whether the patient is kept here and did not exclude this. */
function opensHere({ lookup, trusted, now }: BreakGlassPorts, { member, user, role }: Actor, patient: string): boolean {
  const pid = lookup.keeps(patient) ? lookup.pidOf(patient) : undefined;
  if (pid === undefined) return false;
  const request = { custodian: member, member, user, role, purpose: 'BTG', action: 'access' } as const;
  return trusted.within(pid).every((consents) => mayAskAtAll(request, consents, now()).outcome === 'permit');
}

/** The own record: why is kept, then it opens for a while. */
async function here(
  ports: BreakGlassPorts,
  { actor }: FhirRequest,
  patient: string,
  wish: Wish,
): Promise<FhirResponse> {
  const pid = ports.lookup.pidOf(patient) ?? '';
  const at = Date.parse(ports.now());
  const glass = { aid: randomBytes(32).toString('hex'), pid, patient, member: actor.member, user: actor.user, at };
  ports.glass.settleQueued((aid) => recordedAt(ports, aid) !== undefined);
  ports.glass.takeOwn(glass);
  ports.shown(patient);
  const kept = await keepGlass(ports, glass, { ...wish, role: actor.role }, 'taken');
  if (kept !== 'committed') return openedLate(ports, glass);
  ports.glass.open(glass.aid);
  ports.onGlass(glass, 'open');
  return parametersAnswer(200, { state: 'open' });
}

const QUEUED =
  'the ledger does not answer: the record is open, why is kept on disk here, and goes on the ledger, marked late, when it answers';

/**
 * The writer answers `unknown` once its intent, with why and the patient's notice in it, is on disk: a trace that nobody
 * takes back. So the own record opens, as often as the budget lets it. Throws Refusal beyond that.
 */
function openedLate(ports: BreakGlassPorts, glass: Glass): FhirResponse {
  if (!ports.glass.queue(glass)) {
    const detail = 'the ledger does not answer, and too much was opened without it in this hour: try again later';
    throw new Refusal('unavailable', 'ledger-unreachable', detail);
  }
  ports.onGlass(glass, 'queued');
  return parametersAnswer(202, { state: 'queued', warning: QUEUED });
}

async function elsewhere(
  ports: BreakGlassPorts,
  request: FhirRequest,
  patient: string,
  wish: Wish,
): Promise<FhirResponse> {
  const { actor } = request;
  const now = Date.parse(ports.now());
  const follows = wish.full ? firstAct(ports, patient, actor, now) : undefined;
  const act = { reasonCode: wish.reason, text: wish.text, ...(follows !== undefined && { follows }) };
  const answer = await ports.remote.emergency(request, patient, act);
  if (answer === undefined) throw notFound('Patient', patient);
  const [custodian] = answer.custodians;
  if (custodian === undefined) return unopened(answer, patient);
  if (wish.full) return { status: 200, headers: {}, resource: answer.bundle };
  ports.glass.asked(patient, actor.user, answer.aid, now);
  const entries = (answer.bundle.entry ?? []) as readonly JsonObject[];
  const resource = summaryDocument(entries, { patient, custodian, id: randomUUID(), at: ports.now() });
  return { status: 200, headers: {}, resource };
}

/** No custodian opened: either one asks its privacy officer, or none is to be had. */
function unopened(
  { waiting: asked, missing }: Pick<EmergencyAnswer, 'waiting' | 'missing'>,
  patient: string,
): FhirResponse {
  if (asked.length === 0) throw notFound('Patient', patient);
  return waiting(asked, missing);
}

/** The first act that this person may follow by a second. Throws Refusal where there is none. */
function firstAct({ glass }: BreakGlassPorts, patient: string, { user }: Actor, now: number): string {
  const first = glass.firstOf(patient, user, now);
  if (first !== undefined) return first;
  throw new Refusal('conflict', 'summary-first', 'open the emergency summary first, and the rest within half an hour');
}

function waiting(members: readonly string[], missing: readonly string[]): FhirResponse {
  const diagnostics = `the privacy officer of ${members.join(', ')} is asked: send it again once approved`;
  const asked = { severity: 'information', code: 'informational', diagnostics } as const;
  const unanswered = missing.map(
    (member) => ({ severity: 'warning', code: 'incomplete', diagnostics: `${member} did not answer` }) as const,
  );
  return { status: 202, headers: {}, resource: operationOutcome([asked, ...unanswered], 'waiting') };
}

function wishOf(body: string | undefined): Wish {
  const read = parametersOf(body);
  const [reason, text] = [read('reason', 'valueCode'), read('text', 'valueString')];
  const isKnown = (GLASS_REASONS as readonly unknown[]).includes(reason);
  const isTold = typeof text === 'string' && text !== '' && text.length <= MAX_GLASS_TEXT;
  if (isKnown && isTold) return { reason: String(reason), text, full: read('full', 'valueBoolean') === true };
  const detail = `reason (valueCode: ${GLASS_REASONS.join(', ')}), text (1 to ${MAX_GLASS_TEXT} characters)`;
  throw new Refusal('invalid', 'unprocessable', `Parameters: ${detail}`);
}
