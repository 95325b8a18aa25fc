/**
 * The shapes of IHE Basic Audit Log Patterns 1.1 (https://profiles.ihe.net/ITI/BALP): what Read, Query and Update and
 * their forms with a patient have in common, and where they differ. Pure.
 */
import type { JsonObject } from '../fhir/json.js';

const PROFILES = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';
const EVENT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-event-type';
const INTERACTION = 'http://hl7.org/fhir/restful-interaction';
const REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const DICOM = 'http://dicom.nema.org/resources/ontology/DCM';
const ROLE = 'urn:salus:role';
const OBJECT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role';
const RESOURCE_TYPE = 'http://hl7.org/fhir/resource-types';
const SUCCESS = '0';
/** Minor failure: what BALP says of a denial. */
const DENIED = '4';
/** Of AuditEvent.agent.network.type. */
const URI = '5';

const SOURCE = { system: DICOM, code: '110153', display: 'Source Role ID' };
const DESTINATION = { system: DICOM, code: '110152', display: 'Destination Role ID' };
const RECIPIENT = { system: PARTICIPATION, code: 'IRCP', display: 'information recipient' };
const AUTHOR = { system: PARTICIPATION, code: 'AUT', display: 'author (originator)' };

type Pattern = 'Read' | 'Query' | 'Update';

/** Codes of AuditEvent.action. */
const ACTIONS: Readonly<Record<Pattern, string>> = { Read: 'R', Query: 'E', Update: 'U' };

/** The interactions that change what is there, and those that show one resource; what else there is asks a question. */
const PATTERNS: Readonly<Record<string, Pattern>> = { read: 'Read', vread: 'Read', update: 'Update', patch: 'Update' };

/** One event, before it is put in a shape. */
export interface Audited {
  readonly id: string;
  /** FHIR instant. */
  readonly recorded: string;
  /** FHIR instant at which it happened, where it was recorded long after. */
  readonly happened?: string;
  /** http://hl7.org/fhir/restful-interaction */
  readonly interaction: string;
  readonly purpose: string;
  readonly permitted: boolean;
  readonly outcome: string;
  /** Who asked, as the member that asks names them. */
  readonly by: {
    readonly member: string;
    readonly user: string;
    readonly role: string;
    /** FHIR id of the RelatedPerson as whom a guardian or delegate came. */
    readonly person?: string | undefined;
  };
  /** Who keeps the record and answers. */
  readonly custodian: string;
  /** FHIR id of the patient; absent for a search that came upon nobody's record. */
  readonly patient?: string;
  /** `Type/id` of what was read or changed, or the question that was asked. */
  readonly about: string;
  /** What else belongs to it. */
  readonly rest?: readonly JsonObject[];
}

/** Where a member's gateway is reached: what it is known by on the network. */
export type AddressOf = (member: string) => string;

/** The event as an AuditEvent. */
export function auditEvent(event: Audited, addressOf: AddressOf): JsonObject {
  const pattern = PATTERNS[event.interaction] ?? 'Query';
  const { id, recorded, interaction, purpose, permitted, patient, custodian } = event;
  return {
    resourceType: 'AuditEvent',
    id,
    // The patterns are for what succeeded.
    ...(permitted ? { meta: { profile: [`${PROFILES}${patient === undefined ? '' : 'Patient'}${pattern}`] } } : {}),
    type: { system: EVENT_TYPE, code: 'rest', display: 'Restful Operation' },
    subtype: [{ system: INTERACTION, code: interaction }],
    action: ACTIONS[pattern],
    ...(event.happened === undefined ? {} : { period: { start: event.happened, end: event.happened } }),
    recorded,
    purposeOfEvent: [{ coding: [{ system: REASON, code: purpose }] }],
    outcome: permitted ? SUCCESS : DENIED,
    outcomeDesc: event.outcome,
    agent: agents(event, pattern, addressOf),
    source: { observer: memberReference(custodian) },
    entity: [
      ...(patient === undefined ? [] : [patientEntity(patient)]),
      pattern === 'Query' ? queryEntity(event.about) : dataEntity(event.about),
      ...(event.rest ?? []),
    ],
  };
}

/** A version of a consent that was decided on or is spoken of. */
export function consentEntity({ consentId, version }: { consentId: string; version: number }): JsonObject {
  return { what: { reference: `Consent/${consentId}/_history/${version}` }, type: resourceType('Consent') };
}

/** A type of resource, as a coding. */
export function resourceType(code: string): JsonObject {
  return { system: RESOURCE_TYPE, code };
}

/** The person, as the asking member names them, that member's gateway, and the custodian's, which answers. */
function agents({ by, purpose, custodian }: Audited, pattern: Pattern, addressOf: AddressOf): readonly JsonObject[] {
  // Of a read the server is the source; of a question or a change the client is.
  const [client, server] = pattern === 'Read' ? [DESTINATION, SOURCE] : [SOURCE, DESTINATION];
  return [
    {
      type: { coding: [pattern === 'Update' ? AUTHOR : RECIPIENT] },
      role: [{ coding: [{ system: ROLE, code: by.role }] }],
      who: {
        ...(by.person === undefined ? {} : { reference: `RelatedPerson/${by.person}` }),
        identifier: { system: 'urn:salus:user', value: `${by.member}/${by.user}` },
      },
      requestor: true,
      purposeOfUse: [{ coding: [{ system: REASON, code: purpose }] }],
    },
    machine(client, by.member, addressOf),
    machine(server, custodian, addressOf),
  ];
}

function machine(type: JsonObject, member: string, addressOf: AddressOf): JsonObject {
  return {
    type: { coding: [type] },
    who: memberReference(member),
    requestor: false,
    network: { address: addressOf(member), type: URI },
  };
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

function dataEntity(reference: string): JsonObject {
  return {
    what: { reference },
    type: { system: OBJECT_TYPE, code: '2', display: 'System Object' },
    role: { system: OBJECT_ROLE, code: '4', display: 'Domain Resource' },
  };
}

function queryEntity(question: string): JsonObject {
  return {
    type: { system: OBJECT_TYPE, code: '2', display: 'System Object' },
    role: { system: OBJECT_ROLE, code: '24', display: 'Query' },
    description: question,
    query: Buffer.from(question).toString('base64'),
  };
}
