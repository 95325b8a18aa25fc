/**
 * The Provenance of a write (R4 provenance.html), made of the version that the ledger holds: who wrote it, in whose name,
 * when it was committed, why, what it revises, and the transaction that proves it. Pure.
 */
import { provenanceId } from '../ehr/provenance-id.js';
import type { Authorship, StoredVersion } from '../ports.js';
import type { JsonObject } from './json.js';

const OPERATION = 'http://terminology.hl7.org/CodeSystem/v3-DataOperation';
const REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const AGENT_TYPE = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type';

/** Of a version that `member` keeps, clinical or a consent's; undefined for what is none, such as a Provenance that is derived itself. */
export function derivedProvenance(stored: StoredVersion, member: string): StoredVersion | undefined {
  const id = provenanceId(stored);
  if (id === undefined) return undefined;
  const { ledgerKey, txId, block, lastUpdated, patient } = stored;
  const text = JSON.stringify(resourceOf(stored, id, member));
  const made = { type: 'Provenance', id, version: 1, lastUpdated, deleted: false, text, txId, block, ledgerKey };
  return patient === undefined ? made : { ...made, patient };
}

function resourceOf(stored: StoredVersion, id: string, member: string): JsonObject {
  const { version, lastUpdated, txId, block } = stored;
  const by = authorOf(stored);
  return {
    resourceType: 'Provenance',
    id,
    meta: { versionId: '1', lastUpdated },
    extension: [
      { url: 'urn:salus:transaction', valueString: txId },
      { url: 'urn:salus:block', valueUnsignedInt: block },
    ],
    target: [versionReference(stored, version)],
    recorded: lastUpdated,
    ...reasonsOf(by),
    activity: coded(OPERATION, operationOf(stored)),
    agent: by === undefined ? [{ who: memberReference(member) }] : agentsOf(by),
    ...(version > 1 ? { entity: [{ role: 'revision', what: versionReference(stored, version - 1) }] } : {}),
  };
}

/** Who wrote a version, as far as it was kept. */
export function authorOf({ by }: StoredVersion): Authorship | undefined {
  return by === undefined ? undefined : (JSON.parse(by) as Authorship);
}

/** The purpose of use and what was given; of consents neither is kept. */
function reasonsOf({ purpose, reason = [] }: Partial<Authorship> = {}): { readonly reason?: readonly object[] } {
  const reasons = [...(purpose === undefined ? [] : [coded(REASON, purpose)]), ...reason];
  return reasons.length === 0 ? {} : { reason: reasons };
}

function operationOf({ deleted, version }: StoredVersion): 'CREATE' | 'UPDATE' | 'DELETE' {
  if (deleted) return 'DELETE';
  return version === 1 ? 'CREATE' : 'UPDATE';
}

/** The person, for the member that vouches for the person, and for the patient whom a guardian or delegate acts for. */
function agentsOf(by: Authorship): readonly JsonObject[] {
  const { member, user, role, patient, mandate } = by;
  const ofPatient = patient === undefined ? undefined : { reference: `Patient/${patient}` };
  const agent = {
    type: coded(AGENT_TYPE, 'author'),
    role: [coded('urn:salus:role', mandate?.kind === 'delegate' ? mandate.kind : role)],
    who: {
      ...(role === 'patient' ? ofPatient : relatedPerson(mandate)),
      identifier: { system: 'urn:salus:user', value: `${member}/${user}` },
    },
    onBehalfOf: (role === 'guardian' ? ofPatient : undefined) ?? memberReference(member),
  };
  return [agent, { type: coded(AGENT_TYPE, 'custodian'), who: memberReference(member) }];
}

function relatedPerson(mandate: Authorship['mandate']): JsonObject | undefined {
  return mandate?.person === undefined ? undefined : { reference: `RelatedPerson/${mandate.person}` };
}

function versionReference({ type, id }: StoredVersion, version: number): JsonObject {
  return { reference: `${type}/${id}/_history/${version}` };
}

function memberReference(member: string): JsonObject {
  return { identifier: { system: 'urn:salus:member', value: member } };
}

function coded(system: string, code: string): JsonObject {
  return { coding: [{ system, code }] };
}
