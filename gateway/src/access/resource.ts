/** `AuditEvent?patient=`: the patient's list of who asked for and read the record. */
import type { AccessRecord } from '@salus/chaincode/access/api';

import { actsAsPatient } from '../consent/mandates.js';
import { reopeningsOf, type ReopeningsPorts } from '../consent/closure.js';
import type { ConsentShelf } from '../consent/shelf.js';
import type { JsonObject } from '../fhir/json.js';
import { pageSize } from '../fhir/paging.js';
import type { FhirRequest, FhirResponse, Served, TypeHandler } from '../fhir/request.js';
import { confinedTo } from '../identity/scopes.js';
import { Refusal } from '../ledger/refusal.js';
import type { Facts, PatientLookup } from '../patient/lookup.js';
import { endEvent, localEvent, remoteEvent, reopenEvent, type Kept } from './audit-event.js';
import type { AddressOf } from './balp.js';
import { newestFirst, type MemberReads, type Place } from './member-reads.js';
import { ACCESS_SPACE, type ProjectedAccess } from './project.js';
import { NOBODY } from './read-log.js';

const OFFICERS = ['privacy-officer', 'auditor'];
/** Sources of what the ledger records: accesses, consents ended from elsewhere, reopenings. Gateways' names come after them. */
const LEDGER = '';
const LEDGER_ENDS = '-';
const LEDGER_REOPENINGS = '--';

/** Where the lines of a patient's list come from: access records, local reads, consents and reopenings. */
export interface AuditPorts extends ReopeningsPorts {
  readonly member: string;
  readonly baseUrl: string;
  readonly facts: Facts;
  readonly lookup: PatientLookup;
  readonly reads: MemberReads;
  readonly shelf: Pick<ConsentShelf, 'versions'>;
  /** The list is itself part of the patient's record: who reads it is logged. */
  readonly shown: (patient: string) => void;
  readonly addressOf: AddressOf;
}

interface PlacedEvent extends Place {
  readonly resource: JsonObject;
}

/** Nobody makes an AuditEvent and nobody changes one: a list that its readers could write would prove nothing. */
export const AUDIT_SERVED: Served = {
  interactions: ['search-type'],
  parameters: ['patient'],
  instead: 'AuditEvents are made by the gateway alone and searched by patient',
};

/** The handler of the type AuditEvent: what Salus itself recorded, newest first. */
export function auditHandler(ports: AuditPorts): TypeHandler {
  return async (request, interaction, proceed) => {
    if (interaction !== 'search') return await proceed(request);
    const asked = askedOf(request);
    return asked === undefined ? await proceed(request) : list(ports, request, asked);
  };
}

/** The patient, NOBODY for searches that came upon nobody's record, or undefined where neither is asked for. */
function askedOf({ query }: FhirRequest): string | undefined {
  if (query.get('patient:missing') === 'true') return NOBODY;
  return /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(query.get('patient') ?? '')?.[1];
}

function list(ports: AuditPorts, request: FhirRequest, patient: string): FhirResponse {
  requireKnown(request.query);
  const isEntitled = mayList(request, patient);
  const count = request.query.get('_summary') === 'count' ? 0 : pageSize(request.query);
  const known = ports.lookup.byId(patient);
  const isHere = patient === NOBODY || (known !== undefined && Object.hasOwn(known.custodians, ports.member));
  if (!isHere || !isEntitled) return answer(ports, request, { events: [], total: 0, count });
  if (patient !== NOBODY) ports.shown(patient);
  const after = placeOf(request.query);
  const recorded = known === undefined ? [] : recordedEvents(ports, known.pid, patient);
  const local = ports.reads.page(patient, after, count + 1).map((entry) => ({
    ...{ at: entry.at, source: entry.source, seq: entry.seq },
    resource: localEvent(entry, ports),
  }));
  const rest = recorded.filter((event) => after === undefined || newestFirst(event, after) > 0);
  const events = [...rest, ...local].sort(newestFirst).slice(0, count + 1);
  return answer(ports, request, { events, total: recorded.length + ports.reads.count(patient), count });
}

/** Throws Refusal 403 for staff that may not see such lists; false for whoever asks for another patient's. */
function mayList({ actor }: FhirRequest, patient: string): boolean {
  if (actor.patient !== undefined) return actor.patient === patient && actsAsPatient(actor);
  if (!OFFICERS.includes(actor.role)) {
    throw new Refusal('forbidden', 'not-your-list', `the list is for the patient, ${OFFICERS.join(' and ')}`);
  }
  const only = confinedTo(actor);
  return only === undefined || only === patient;
}

const PARAMETERS = ['patient', 'patient:missing', '_count', '_cursor', '_summary', '_format', '_pretty'];

function requireKnown(query: URLSearchParams): void {
  const unknown = [...query.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) {
    const detail = `a patient's list has no parameter '${unknown.slice(0, 80)}', but ${PARAMETERS.join(', ')}`;
    throw new Refusal('invalid', 'unknown-parameter', detail);
  }
}

function recordedEvents(ports: AuditPorts, pid: string, patient: string): readonly PlacedEvent[] {
  return [...accessEvents(ports, pid, patient), ...endEvents(ports, pid, patient), ...reopenEvents(ports, patient)];
}

function reopenEvents(ports: AuditPorts, patient: string): readonly PlacedEvent[] {
  return reopeningsOf(ports, patient).map((reopening, seq) => ({
    ...{ at: reopening.at, source: LEDGER_REOPENINGS, seq },
    resource: reopenEvent(reopening, { ...ports, patient }),
  }));
}

/** Consents that were ended because somebody at another hospital asked. */
function endEvents(ports: AuditPorts, pid: string, patient: string): readonly PlacedEvent[] {
  const kept: Kept = { ...ports, patient };
  return ports.shelf.versions(pid).flatMap(({ record }, seq) => {
    const { askedBy, recorded: at } = record;
    if (askedBy === undefined) return [];
    return [{ at, source: LEDGER_ENDS, seq, resource: endEvent(record, askedBy, kept) }];
  });
}

/** Accesses that the ledger records, at other members and, where the own staff were denied, here. */
function accessEvents(ports: AuditPorts, pid: string, patient: string): readonly PlacedEvent[] {
  const { facts, member } = ports;
  const kept: Kept = { ...ports, patient };
  return facts
    .facts(ACCESS_SPACE, `${pid}/`)
    .map(({ value }) => JSON.parse(value) as ProjectedAccess)
    .filter(({ record }) => isDeniedHere(record, member) || Object.hasOwn(record.custodians, member))
    .map((access, index) => ({
      ...{ at: access.requested, source: LEDGER, seq: index },
      resource: remoteEvent(access, kept),
    }));
}

/** What the own staff were denied is asked of no custodian. */
function isDeniedHere({ requester, decision }: AccessRecord, member: string): boolean {
  return requester === member && decision === 'deny';
}

interface Page {
  /** One more than `count` where there is a next page. */
  readonly events: readonly PlacedEvent[];
  readonly total: number;
  readonly count: number;
}

function answer({ baseUrl }: AuditPorts, { query }: FhirRequest, { events, total, count }: Page): FhirResponse {
  const page = events.slice(0, count);
  const last = events.length > count ? page.at(-1) : undefined;
  const entry = page.map(({ resource }) => ({
    fullUrl: `${baseUrl}/AuditEvent/${resource.id as string}`,
    resource,
    search: { mode: 'match' },
  }));
  const links = [{ relation: 'self', url: `${baseUrl}/AuditEvent?${query.toString()}` }];
  if (last !== undefined) {
    const next = new URLSearchParams(query);
    next.set('_cursor', cursorOf(last));
    links.push({ relation: 'next', url: `${baseUrl}/AuditEvent?${next.toString()}` });
  }
  const resource: JsonObject = { resourceType: 'Bundle', type: 'searchset', total, link: links, entry };
  return { status: 200, headers: {}, resource };
}

function cursorOf({ at, source, seq }: Place): string {
  return Buffer.from(`${at}/${source}/${seq}`).toString('base64url');
}

/** Where the page before ended. Throws Refusal for what is no cursor of ours. */
function placeOf(query: URLSearchParams): Place | undefined {
  const cursor = query.get('_cursor');
  if (cursor === null) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, at, source, seq] = /^([\d:.TZ-]{20,30})\/([\w-]{0,64})\/(\d{1,15})$/.exec(text) ?? [];
  if (at === undefined || source === undefined) {
    throw new Refusal('invalid', 'bad-cursor', 'this page is not known here: start again');
  }
  return { at, source, seq: Number(seq) };
}
