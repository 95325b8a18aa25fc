/** `AuditEvent?patient=`: the patient's list of who asked for and read the record. */
import type { AccessRecord } from '@salus/chaincode/access/api';

import type { JsonObject } from '../fhir/json.js';
import type { FhirRequest, FhirResponse, TypeHandler } from '../fhir/request.js';
import { Refusal } from '../ledger/refusal.js';
import type { Facts, PatientLookup } from '../patient/lookup.js';
import { localEvent, remoteEvent } from './audit-event.js';
import { ACCESS_SPACE, type ProjectedAccess } from './project.js';
import type { ReadLog } from './read-log.js';

/** Events in one answer at most; also what is given without `_count`. */
export const MAX_EVENTS = 1_000;

const OFFICERS = ['privacy-officer', 'auditor'];

export interface AuditPorts {
  readonly member: string;
  readonly gateway: string;
  readonly baseUrl: string;
  readonly facts: Facts;
  readonly lookup: PatientLookup;
  readonly log: ReadLog;
}

/** The handler of the type AuditEvent: what Salus itself recorded, newest first. */
export function auditHandler(ports: AuditPorts): TypeHandler {
  return async (request, interaction, proceed) => {
    const patient = patientOf(request);
    return interaction === 'search' && patient !== undefined ? list(ports, request, patient) : await proceed(request);
  };
}

function list(ports: AuditPorts, { actor, query }: FhirRequest, patient: string): FhirResponse {
  const isOwn = actor.patient === patient;
  if (!isOwn && actor.patient === undefined && !OFFICERS.includes(actor.role)) {
    throw new Refusal('forbidden', 'not-your-list', `the list is for the patient, ${OFFICERS.join(' and ')}`);
  }
  const known = ports.lookup.byId(patient);
  const isHere = known !== undefined && Object.hasOwn(known.custodians, ports.member);
  const events = isHere && (isOwn || actor.patient === undefined) ? eventsOf(ports, known.pid, patient) : [];
  const count = Math.min(Number(query.get('_count') ?? MAX_EVENTS) || 0, MAX_EVENTS);
  const entry = events.slice(0, count).map((resource) => ({
    fullUrl: `${ports.baseUrl}/AuditEvent/${resource.id as string}`,
    resource,
    search: { mode: 'match' },
  }));
  return {
    status: 200,
    headers: {},
    resource: { resourceType: 'Bundle', type: 'searchset', total: events.length, entry },
  };
}

function eventsOf({ facts, log, member, gateway }: AuditPorts, pid: string, patient: string): readonly JsonObject[] {
  const remote = facts
    .facts(ACCESS_SPACE, `${pid}/`)
    .map(({ value }) => JSON.parse(value) as ProjectedAccess)
    // What the own staff were denied is asked of no custodian.
    .filter(({ record }) => isDeniedHere(record, member) || Object.hasOwn(record.custodians, member))
    .map((access) => remoteEvent(access, member, patient));
  const local = log.of(patient, MAX_EVENTS).map((entry) => localEvent(entry, member, gateway));
  return [...remote, ...local].sort((a, b) => (String(a.recorded) < String(b.recorded) ? 1 : -1));
}

function isDeniedHere({ requester, decision }: AccessRecord, member: string): boolean {
  return requester === member && decision === 'deny';
}

function patientOf({ query }: FhirRequest): string | undefined {
  const [, id] = /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(query.get('patient') ?? '') ?? [];
  return id;
}
