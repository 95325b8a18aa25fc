/** Accesses as FHIR R4 AuditEvent, in the shapes of IHE BALP (https://profiles.ihe.net/ITI/BALP). Pure. */
import { createHash } from 'node:crypto';

import type { Asker, ConsentRecord } from '@salus/chaincode/consent/api';

import type { Reopening } from '../consent/closure.js';
import type { JsonObject } from '../fhir/json.js';
import type { PlacedRead } from './member-reads.js';
import type { ProjectedAccess } from './project.js';
import { NOBODY } from './read-log.js';

const EVENT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-event-type';
const INTERACTION = 'http://hl7.org/fhir/restful-interaction';
const REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const ROLE = 'urn:salus:role';
const OBJECT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role';
const SUCCESS = '0';
/** Minor failure: what BALP says of a denial. */
const DENIED = '4';

const INTERACTIONS: Readonly<Record<string, string>> = {
  read: 'read',
  search: 'search-type',
  history: 'history-instance',
  everything: 'operation',
};

/** Characters of a consent's id that leave room for a version in an id of 64. */
const MOST_OF_ID = 56;
/** Codes of AuditEvent.action. */
const ACTIONS: Readonly<Record<string, string>> = { read: 'R', update: 'U' };

/** An access that another member asked for, permitted or denied, as the patient sees it. */
export function remoteEvent({ record, requested }: ProjectedAccess, custodian: string, patient: string): JsonObject {
  const decided = record.custodians[custodian];
  const permitted = decided?.decision === 'permit';
  const { types, interaction } = record.scope;
  return {
    resourceType: 'AuditEvent',
    // The access id itself stays between the gateways.
    id: createHash('sha256').update(record.aid).digest('hex'),
    ...eventOf(INTERACTIONS[interaction] ?? interaction, requested, record.purpose),
    outcome: permitted ? SUCCESS : DENIED,
    outcomeDesc: permitted ? 'permit' : 'deny',
    agent: agents(record.requester, record.actor, record.purpose, custodian),
    source: { observer: memberReference(custodian) },
    entity: [
      patientEntity(patient),
      ...types.map((type) => ({ type: { system: 'http://hl7.org/fhir/resource-types', code: type } })),
      ...record.consents.map(({ consentId, version }) => ({
        what: { reference: `Consent/${consentId}/_history/${version}` },
        role: { system: OBJECT_ROLE, code: '4', display: 'Domain Resource' },
      })),
      ...(decided === undefined ? [] : [{ description: `decided by ${decided.path}` }]),
      ...(record.breakGlass ? [{ description: `break-glass: ${record.breakGlass.reasonCode}` }] : []),
    ],
  };
}

/** A consent that was ended because somebody at another hospital asked for it. */
export function endEvent(record: ConsentRecord, asker: Asker, custodian: string, patient: string): JsonObject {
  const { consentId, version, recorded, status } = record;
  return {
    resourceType: 'AuditEvent',
    id: `${consentId.slice(0, MOST_OF_ID)}-${version}`,
    ...eventOf('update', recorded, 'PATRQT'),
    outcome: SUCCESS,
    outcomeDesc: status,
    agent: agents(asker.member, asker, 'PATRQT', custodian),
    source: { observer: memberReference(custodian) },
    entity: [
      patientEntity(patient),
      {
        what: { reference: `Consent/${consentId}/_history/${version}` },
        role: { system: OBJECT_ROLE, code: '4', display: 'Domain Resource' },
      },
    ],
  };
}

/** A patient closed by an alarm whom an officer opened to other members again. */
export function reopenEvent(reopening: Reopening, member: string, patient: string): JsonObject {
  const { at, by, problem, since, setAside } = reopening;
  return {
    resourceType: 'AuditEvent',
    id: createHash('sha256').update(`reopening/${patient}/${at}`).digest('hex'),
    ...eventOf('update', at, 'HCOMPL'),
    outcome: SUCCESS,
    outcomeDesc: `open to other members again; closed since ${since} for ${problem}`,
    agent: agents(member, by, 'HCOMPL', member),
    source: { observer: memberReference(member) },
    entity: [
      patientEntity(patient),
      ...setAside.map(({ consentId, version }) => ({
        what: { reference: `Consent/${consentId}/_history/${version}` },
        role: { system: OBJECT_ROLE, code: '4', display: 'Domain Resource' },
      })),
    ],
  };
}

/** A read at the custodian itself. */
export function localEvent(entry: PlacedRead, member: string): JsonObject {
  return {
    resourceType: 'AuditEvent',
    id: `${entry.source}-${entry.seq}`,
    ...eventOf('read', entry.at, entry.purpose),
    outcome: SUCCESS,
    outcomeDesc: 'permit',
    agent: agents(member, entry, entry.purpose, member),
    source: { observer: memberReference(member) },
    entity: [...(entry.patient === NOBODY ? [] : [patientEntity(entry.patient)]), { description: entry.what }],
  };
}

function eventOf(interaction: string, recorded: string, purpose: string): JsonObject {
  return {
    type: { system: EVENT_TYPE, code: 'rest', display: 'Restful Operation' },
    subtype: [{ system: INTERACTION, code: interaction }],
    action: ACTIONS[interaction] ?? 'E',
    recorded,
    purposeOfEvent: [{ coding: [{ system: REASON, code: purpose }] }],
  };
}

/** The person, as the asking member names them, and the custodian that was asked. */
function agents(
  member: string,
  { user, role }: { user: string; role: string },
  purpose: string,
  custodian: string,
): readonly JsonObject[] {
  return [
    {
      type: { coding: [{ system: PARTICIPATION, code: 'IRCP', display: 'information recipient' }] },
      role: [{ coding: [{ system: ROLE, code: role }] }],
      who: { identifier: { system: 'urn:salus:user', value: `${member}/${user}` } },
      requestor: true,
      purposeOfUse: [{ coding: [{ system: REASON, code: purpose }] }],
    },
    {
      type: { coding: [{ system: PARTICIPATION, code: 'CST', display: 'custodian' }] },
      who: memberReference(custodian),
      requestor: false,
    },
  ];
}

function memberReference(member: string): JsonObject {
  return { identifier: { system: 'urn:salus:member', value: member }, display: member };
}

function patientEntity(patient: string): JsonObject {
  return {
    what: { reference: `Patient/${patient}` },
    type: { system: OBJECT_TYPE, code: '1', display: 'Person' },
    role: { system: OBJECT_ROLE, code: '1', display: 'Patient' },
  };
}
