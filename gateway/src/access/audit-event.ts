/** What Salus recorded of a patient's record, as FHIR R4 AuditEvent in the shapes of IHE BALP. Pure. */
import { createHash } from 'node:crypto';

import type { AccessScope } from '@salus/chaincode/access/api';
import type { Asker, ConsentRecord } from '@salus/chaincode/consent/api';

import type { Reopening } from '../consent/closure.js';
import type { JsonObject } from '../fhir/json.js';
import { auditEvent, consentEntity, resourceType, type AddressOf } from './balp.js';
import type { PlacedRead } from './member-reads.js';
import type { ProjectedAccess } from './project.js';
import { NOBODY } from './read-log.js';

const INTERACTIONS: Readonly<Record<string, string>> = {
  read: 'read',
  search: 'search-type',
  history: 'history-instance',
  everything: 'operation',
};

/** Characters of a consent's id that leave room for a version in an id of 64. */
const MOST_OF_ID = 56;

/** Whose record it is, who keeps it, and how members are reached. */
export interface Kept {
  readonly member: string;
  /** FHIR id. */
  readonly patient: string;
  readonly addressOf: AddressOf;
}

/** An access that another member asked for, permitted or denied, as the patient sees it. */
export function remoteEvent({ record, requested }: ProjectedAccess, kept: Kept): JsonObject {
  const { member, patient } = kept;
  const decided = record.custodians[member];
  const { late } = record;
  // What was opened by the logs was opened, whatever the ledger says since: that the custodian's log holds it is what counts.
  const permitted = late === undefined ? decided?.decision === 'permit' : late.heldBy.includes(member);
  const event = {
    // The access id itself stays between the gateways.
    ...{ id: createHash('sha256').update(record.aid).digest('hex'), recorded: requested },
    ...{ interaction: interactionOf(record.scope), purpose: record.purpose, permitted, patient, custodian: member },
    outcome: permitted ? 'permit' : 'deny',
    by: { member: record.requester, ...record.actor },
    ...(late && { happened: late.opened }),
    about: questionOf(record.scope, patient),
    rest: [
      ...record.scope.types.map((type) => ({ type: resourceType(type) })),
      ...record.consents.map(consentEntity),
      ...(decided === undefined ? [] : [{ description: `decided by ${decided.path}` }]),
      ...(record.breakGlass ? [{ description: `break-glass: ${record.breakGlass.reasonCode}` }] : []),
      ...(late ? [{ description: 'late: recorded afterwards, for the ledger was away' }] : []),
      ...(late?.keyReplaced ? [{ description: 'late: asked with a key that the member has replaced since' }] : []),
    ],
  };
  return auditEvent(event, kept.addressOf);
}

/** A consent that was ended because somebody at another hospital asked for it. */
export function endEvent(record: ConsentRecord, asker: Asker, { member, patient, addressOf }: Kept): JsonObject {
  const { consentId, version, recorded, status: outcome } = record;
  const event = {
    ...{ id: `${consentId.slice(0, MOST_OF_ID)}-${version}`, recorded, outcome, patient, custodian: member },
    ...{ interaction: 'update', purpose: 'PATRQT', permitted: true, by: asker },
    about: `Consent/${consentId}/_history/${version}`,
  };
  return auditEvent(event, addressOf);
}

/** A patient closed by an alarm whom an officer opened to other members again. */
export function reopenEvent(reopening: Reopening, { member, patient, addressOf }: Kept): JsonObject {
  const { at, by, problem, since, setAside } = reopening;
  const event = {
    ...{ id: createHash('sha256').update(`reopening/${patient}/${at}`).digest('hex'), recorded: at, patient },
    ...{ interaction: 'update', purpose: 'HCOMPL', permitted: true, by: { member, ...by }, custodian: member },
    outcome: `open to other members again; closed since ${since} for ${problem}`,
    about: `Patient/${patient}`,
    rest: setAside.map(consentEntity),
  };
  return auditEvent(event, addressOf);
}

/** A read at the custodian itself. */
export function localEvent(entry: PlacedRead, { member, addressOf }: Omit<Kept, 'patient'>): JsonObject {
  const { source, seq, at: recorded, purpose, user, role, person, patient, what } = entry;
  const event = {
    ...{ id: `${source}-${seq}`, recorded, purpose, permitted: true, outcome: 'permit', custodian: member },
    ...{ by: { member, user, role, person }, ...(patient === NOBODY ? {} : { patient }), ...askedBy(what) },
  };
  return auditEvent(event, addressOf);
}

function interactionOf({ interaction }: AccessScope): string {
  return INTERACTIONS[interaction] ?? interaction;
}

/** What was asked for, as a client would have asked the custodian. */
function questionOf({ interaction, types, id }: AccessScope, patient: string): string {
  if (interaction === 'everything') return `GET Patient/${patient}/$everything`;
  const [type = 'Patient'] = types;
  const instance = type === 'Patient' ? `Patient/${id ?? patient}` : id && `${type}/${id}`;
  // Which one it was of a type is asked at the custodian's door: hospitals share no id but those of patients.
  if (interaction === 'search' || instance === undefined) return `GET ${types.join(',')}`;
  return interaction === 'read' ? instance : `GET ${instance}/_history`;
}

/** Methods that change one resource and show what became of it. */
const CHANGES: Readonly<Record<string, string>> = { PUT: 'update', PATCH: 'patch' };

/** What a line of the read log says: method and path, the query left out. */
function askedBy(what: string): { readonly interaction: string; readonly about: string } {
  const [, method = '', path = ''] = /^([A-Z]+) (.*)$/.exec(what) ?? [];
  const [, instance, rest] = /^([A-Z][A-Za-z]*\/[A-Za-z0-9.-]{1,64})(\/_history\/[A-Za-z0-9.-]+)?$/.exec(path) ?? [];
  const change = CHANGES[method];
  if (instance !== undefined && change !== undefined) return { interaction: change, about: path };
  if (instance === undefined || !['GET', 'HEAD'].includes(method)) return { interaction: asking(path), about: what };
  return { interaction: rest === undefined ? 'read' : 'vread', about: path };
}

/** The interaction of a question that is not for one resource. */
function asking(path: string): string {
  const [first = ''] = path.split('/');
  if (path.endsWith('/_history')) return path.split('/').length > 2 ? 'history-instance' : 'history-type';
  if (path.includes('$') || !/^[A-Z][A-Za-z]*$/.test(first)) return path === '' ? 'search-system' : 'operation';
  return 'search-type';
}
