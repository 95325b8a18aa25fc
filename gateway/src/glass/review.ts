/**
 * The privacy officer's side of broken glass. `GET $break-glass` lists it for privacy officers and auditors, what waits and
 * what is due or overdue for review included. `POST $break-glass/{id}` by a privacy officer, with Parameters `outcome`
 * (valueCode) and `note` (valueString): `justified` or `not-justified` of what was opened, `approved` or `refused` of what
 * waits beyond the budget.
 */
import type { JsonObject } from '../fhir/json.js';
import { parametersAnswer, parametersOf } from '../fhir/parameters.js';
import { outcomeOf } from '../fhir/outcome.js';
import type { Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import { requireOfficer } from '../identity/officers.js';
import { scopeMissing, scopesReachAll } from '../identity/scopes.js';
import { Refusal } from '../ledger/refusal.js';
import type { Actor } from '../ports.js';
import { glassId, keepReview, MAX_GLASS_TEXT, recordedAt, type GlassRecordPorts } from './record.js';
import { saidIn, type LateAct, type LateLog } from './late-log.js';
import type { GlassStore, KeptGlass } from './store.js';

/** Days within which broken glass is to be reviewed. */
export const REVIEW_DAYS = 7;
const DAY_MS = 86_400_000;
/** Acts in the list at most: those to be reviewed before all others. */
export const MAX_GLASS_LISTED = 500;

/** What a privacy officer's review reads and writes. */
export interface ReviewPorts extends GlassRecordPorts {
  readonly glass: GlassStore;
  readonly late: Pick<LateLog, 'open'>;
  /** Puts what was asked about a patient on that patient's list. */
  readonly shown: (patient: string) => void;
}

const OFFICER = 'privacy-officer';
const OPENED = ['justified', 'not-justified'];
const WAITING = ['approved', 'refused'];
const ONE = /^\$break-glass\/([0-9a-f]{64})$/;

/** The FHIR interface with the operations in front of it. */
export function withGlassReview(fhir: Fhir, ports: ReviewPorts): Fhir {
  return async (request) => {
    const { method, path } = request;
    const id = ONE.exec(path)?.[1];
    const isList = method === 'GET' && path === '$break-glass';
    if (!isList && (id === undefined || method !== 'POST')) return await fhir(request);
    try {
      return id === undefined ? list(ports, request) : await review(ports, request, id);
    } catch (error) {
      return { headers: {}, ...outcomeOf(error) };
    }
  };
}

function list(ports: ReviewPorts, { actor }: FhirRequest): FhirResponse {
  requireOfficer(actor, [OFFICER, 'auditor']);
  if (!scopesReachAll(actor, 'AuditEvent', 's')) throw scopeMissing('AuditEvent', 's');
  settle(ports);
  const acts = ports.glass.listed(MAX_GLASS_LISTED);
  for (const { patient } of acts) ports.shown(patient);
  const late = ports.late.open('opened');
  const own = acts.map((act) => ({ name: 'break-glass', part: stringsOf(valuesOf(ports, act, late.get(act.aid))) }));
  const elsewhere = [...ports.late.open('asked')].map(([aid, act]) => ({
    name: 'break-glass-elsewhere',
    part: stringsOf(askedValues(aid, act)),
  }));
  const parameter = [...own, ...elsewhere];
  return { status: 200, headers: {}, resource: { resourceType: 'Parameters', parameter } };
}

/** What was opened while the ledger was away, and is on it by now. */
function settle(ports: ReviewPorts): void {
  ports.glass.settleQueued((aid) => recordedAt(ports, aid) !== undefined);
}

type Values = Readonly<Record<string, string | undefined>>;

function valuesOf(ports: ReviewPorts, act: KeptGlass, awaited: LateAct | undefined): Values {
  const { aid, patient, member, user, at, follows, state, isLate, review: outcome } = act;
  const due = at + REVIEW_DAYS * DAY_MS;
  const isDue = ['open', 'queued'].includes(state) && outcome === undefined;
  const recorded = recordedAt(ports, aid);
  return {
    id: glassId(aid),
    patient: `Patient/${patient}`,
    by: `${member}/${user}`,
    at: new Date(at).toISOString(),
    act: follows === undefined ? 'summary' : 'everything',
    state,
    outcome,
    recorded,
    ...(isLate && { late: 'opened while the ledger was away' }),
    ...otherSideOf(awaited),
    ...(isDue && { review: Date.parse(ports.now()) > due ? 'overdue' : 'due', until: new Date(due).toISOString() }),
  };
}

/** What own staff asked elsewhere while the ledger was away, until the ledger has it from all sides; of whom is not kept here. */
function askedValues(aid: string, act: LateAct): Values {
  const { member, actor, at } = saidIn(act);
  return { id: glassId(aid), by: `${member}/${actor.user}`, at, ...otherSideOf(act) };
}

/** Whether the ledger has the access from the other side, too. */
function otherSideOf(act: LateAct | undefined): Values {
  if (act === undefined) return {};
  return { 'other-side': act.isMissing ? `missing: ${act.awaited.join(', ')}` : 'awaited' };
}

function stringsOf(values: Values): readonly JsonObject[] {
  return Object.entries(values).flatMap(([name, valueString]) =>
    valueString === undefined ? [] : [{ name, valueString }],
  );
}

async function review(ports: ReviewPorts, { actor, body }: FhirRequest, id: string): Promise<FhirResponse> {
  requireOfficer(actor, [OFFICER]);
  if (!scopesReachAll(actor, 'AuditEvent', 's')) throw scopeMissing('AuditEvent', 's');
  settle(ports);
  const act = ports.glass.find((aid) => glassId(aid) === id);
  if (act === undefined) throw new Refusal('not-found', 'not-found', 'no broken glass of this id is known here');
  ports.shown(act.patient);
  const found = wishOf(body);
  requireFitting(ports, act, found.outcome, actor);
  const state = await keepReview(ports, actor, act, found);
  if (state !== 'committed') return parametersAnswer(202, { id });
  const isWaiting = WAITING.includes(found.outcome);
  const { glass } = ports;
  const isDone = isWaiting ? glass.settle(act.aid, found.outcome === 'approved') : glass.review(act.aid, found.outcome);
  if (!isDone) throw new Refusal('conflict', 'reviewed', 'another officer was there before: look again');
  return parametersAnswer(200, { id, outcome: found.outcome });
}

function requireFitting(ports: ReviewPorts, act: KeptGlass, outcome: string, actor: Actor): void {
  const fitting = act.state === 'waiting' ? WAITING : OPENED;
  if (!fitting.includes(outcome)) {
    throw new Refusal('invalid', 'unprocessable', `Parameters: outcome must be ${fitting.join(' or ')}`);
  }
  if (act.state !== 'waiting' && (act.state !== 'open' || act.review !== undefined)) {
    throw new Refusal('conflict', 'reviewed', `nothing is left to say of it: ${act.review ?? act.state}`);
  }
  if (act.member === ports.member && act.user === actor.user) {
    throw new Refusal('forbidden', 'same-person', 'somebody else than who broke the glass must review it');
  }
}

function wishOf(body: string | undefined): { readonly outcome: string; readonly note: string } {
  const read = parametersOf(body);
  const outcome = read('outcome', 'valueCode');
  const note = read('note', 'valueString');
  if (typeof outcome === 'string' && typeof note === 'string' && note !== '' && note.length <= MAX_GLASS_TEXT) {
    return { outcome, note };
  }
  const detail = `Parameters: outcome (valueCode), note (valueString, 1 to ${MAX_GLASS_TEXT} characters)`;
  throw new Refusal('invalid', 'unprocessable', detail);
}
