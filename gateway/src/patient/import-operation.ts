/**
 * `POST Patient/{id}/$import-record`, by staff of a hospital: takes what another hospital's `$export-record` answered into
 * the record of an own patient. Nothing is taken unless that hospital signed it, whole, and each resource is as it is on the
 * ledger. Resources get ids of this hospital's own, always the same, so that a second import changes nothing; a Provenance
 * names the hospital and carries its signature. Consents stay behind: the patient gives them to each hospital.
 */
import { setTimeout as delay } from 'node:timers/promises';

import { custodianStaff } from '@salus/chaincode/access/api';

import { sourceOf } from '../access/note.js';
import type { ReadTransaction } from '../door/evidence.js';
import { resourceBody } from '../fhir/body.js';
import { notFound } from '../fhir/context.js';
import type { JsonObject } from '../fhir/json.js';
import { likeness, traitsOf } from '../fhir/likeness.js';
import { operationOutcome, outcomeOf } from '../fhir/outcome.js';
import { rewritten, type Replacement } from '../fhir/references.js';
import type { Decision, Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import type { KeyStore } from '../keys/key-store.js';
import { Refusal } from '../ledger/refusal.js';
import type { Actor, StoredVersion } from '../ports.js';
import type { Directory } from '../registry/directory.js';
import { checkedRecord } from './record-check.js';

/** What a record is checked and taken in with. */
export interface RecordImportPorts {
  readonly member: string;
  readonly directory: Pick<Directory, 'ownerOf'>;
  readonly transaction: ReadTransaction;
  readonly keys: Pick<KeyStore, 'hmac'>;
  readonly current: (type: string, id: string) => StoredVersion | undefined;
  readonly decision: Pick<Decision, 'permit'>;
  /** FHIR instant. */
  readonly now: () => string;
}

const PATH = /^Patient\/([A-Za-z0-9.-]{1,64})\/\$import-record$/;
/** What stays behind: who the patient is here, and what is said and logged at each hospital for itself. */
const LEFT_OUT: ReadonlySet<unknown> = new Set(['Patient', 'Consent', 'AuditEvent']);
/** What of meta each hospital says itself. */
const SERVER_META = new Set(['versionId', 'lastUpdated']);
/** Resources in one transaction, and characters of them: a transaction of the ledger stays below 2 MB. */
const AT_ONCE = 200;
const CHARACTERS_AT_ONCE = 1_000_000;

/** The FHIR interface with the operation in front of it. */
export function withRecordImport(fhir: Fhir, ports: RecordImportPorts): Fhir {
  return async (request) => {
    const id = PATH.exec(request.path)?.[1];
    if (id === undefined || request.method !== 'POST') return await fhir(request);
    return await taken(fhir, ports, request, id).catch((error: unknown) => ({ headers: {}, ...outcomeOf(error) }));
  };
}

async function taken(fhir: Fhir, ports: RecordImportPorts, request: FhirRequest, id: string): Promise<FhirResponse> {
  const own = ownPatient(ports, request.actor, id);
  const bundle = resourceBody(request).exact;
  const { claims, entries, findings } = await checkedRecord(bundle, {
    ownerOf: (kid) => ports.directory.ownerOf(kid),
    transaction: ports.transaction,
  });
  const [problem] = findings;
  if (claims === undefined || problem !== undefined) throw refused(problem ?? 'it is no record');
  if (claims.member === ports.member) throw refused('it is a record of this hospital');
  const resources = entries.map(({ resource }) => resource as JsonObject);
  requirePerson(own, resources);
  const source: Source = { member: claims.member, patient: claims.patient, id };
  const made = withOwnIds(ports, source, resources);
  const provenance = provenanceOf(ports, request.actor, { source, made, signature: bundle.signature });
  const unfinished = await writeParts(fhir, request, [...made, ...provenance]);
  if (unfinished !== undefined) return unfinished;
  const diagnostics = `${made.length} of ${resources.length} resources of ${claims.member} are in this record; the Patient, consents and logs stay behind`;
  const issue = { severity: 'information', code: 'informational', diagnostics } as const;
  return { status: 200, headers: {}, resource: operationOutcome([issue]) };
}

/** Whose record it is there and here. */
interface Source {
  readonly member: string;
  /** FHIR id at that member. */
  readonly patient: string;
  /** FHIR id here. */
  readonly id: string;
}

/** The own patient whom the actor may see and write about. Throws Refusal. */
function ownPatient({ current, decision }: RecordImportPorts, actor: Actor, id: string): StoredVersion {
  if (!(custodianStaff as readonly string[]).includes(actor.role)) {
    throw new Refusal('forbidden', 'not-staff', `records are imported by ${custodianStaff.join(', ')}`);
  }
  const stored = current('Patient', id);
  const shown = stored === undefined || stored.deleted ? undefined : decision.permit(actor, stored, 'operation');
  if (shown === undefined) throw notFound('Patient', id);
  return shown;
}

/** A record of somebody else is not taken in by a slip. */
function requirePerson({ text }: StoredVersion, resources: readonly JsonObject[]): void {
  const theirs = resources.find(({ resourceType }) => resourceType === 'Patient');
  const own = traitsOf(JSON.parse(text) as JsonObject);
  if (theirs !== undefined && likeness(traitsOf(theirs), own).grade !== 'certainly-not') return;
  throw new Refusal('conflict', 'not-the-person', 'the Patient of the record and the one here are certainly not one');
}

/** The resources under ids of this hospital's own, what they say of each other and of the patient with them. */
function withOwnIds({ keys }: RecordImportPorts, source: Source, resources: readonly JsonObject[]): JsonObject[] {
  const { member, patient, id } = source;
  const names = new Map<string, Replacement>([[`Patient/${patient}`, { name: `Patient/${id}`, version: 1 }]]);
  const kept = resources.filter(({ resourceType }) => !LEFT_OUT.has(resourceType));
  for (const each of kept) {
    const name = nameOf(each);
    const fresh = keys.hmac('lookup', `import\n${id}\n${member}\n${name}`).slice(0, 32);
    names.set(name, { name: `${String(each.resourceType)}/${fresh}`, version: 1 });
  }
  return kept.map((each) => {
    const [, fresh] = names.get(nameOf(each))?.name.split('/') ?? [];
    const said = Object.entries((each.meta ?? {}) as JsonObject).filter(([name]) => !SERVER_META.has(name));
    return { ...rewritten(each, names), id: fresh, meta: { ...Object.fromEntries(said), source: sourceOf(member) } };
  });
}

/** Says who took what from where, signed as it came; nothing where it is said already. */
function provenanceOf(
  { keys, current, now }: RecordImportPorts,
  { user }: Actor,
  {
    source,
    made,
    signature,
  }: { readonly source: Source; readonly made: readonly JsonObject[]; readonly signature: unknown },
): JsonObject[] {
  const fresh = keys.hmac('lookup', `import\n${source.id}\n${JSON.stringify(signature)}`).slice(0, 32);
  if (current('Provenance', fresh) !== undefined) return [];
  const names = [`Patient/${source.id}`, ...made.map(nameOf)];
  return [
    {
      resourceType: 'Provenance',
      id: fresh,
      target: names.map((reference) => ({ reference })),
      recorded: now(),
      agent: [
        { who: { identifier: { system: 'urn:salus:member', value: source.member } } },
        { who: { identifier: { system: 'urn:salus:user', value: user } } },
      ],
      signature: [signature],
    },
  ];
}

/** Attempts at a part while others write the same: another import of this record, or one that a kill cut short, sent again. */
const PART_ATTEMPTS = 5;
const PAUSE_MS = 200;

/**
 * Writes part by part, the Provenance last: where it is, the record is whole. What is there already makes no new version,
 * so an import that was cut short is gone on with by importing again. The answer of one that could not be finished.
 */
async function writeParts(
  fhir: Fhir,
  request: FhirRequest,
  resources: readonly JsonObject[],
): Promise<FhirResponse | undefined> {
  let taken = 0;
  for (const part of partsOf(resources)) {
    const answer = await writePart(fhir, request, part);
    if (answer.status !== 200) return unfinishedAt(answer, taken, resources.length);
    taken += part.length;
  }
  return undefined;
}

async function writePart(fhir: Fhir, request: FhirRequest, part: readonly JsonObject[]): Promise<FhirResponse> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fhir(transactionOf(request, part));
    if (answer.status !== 409 || attempt === PART_ATTEMPTS) return answer;
    await delay(PAUSE_MS * attempt);
  }
}

/** What came of a part, and how far the record is taken in: of a part whose outcome is unknown it is not told as done. */
function unfinishedAt({ status, resource }: FhirResponse, taken: number, all: number): FhirResponse {
  const told = (typeof resource === 'string' ? JSON.parse(resource) : resource) as
    { issue?: readonly object[] } | undefined;
  const diagnostics = `${taken} of ${all} resources are in this record for sure: import again to go on`;
  const issue = [...(told?.issue ?? []), { severity: 'error', code: 'incomplete', diagnostics }];
  return { status: status === 202 ? 503 : status, headers: {}, resource: { resourceType: 'OperationOutcome', issue } };
}

/** Parts that are each one transaction. */
function* partsOf(resources: readonly JsonObject[]): Generator<readonly JsonObject[]> {
  let part: JsonObject[] = [];
  let size = 0;
  for (const resource of resources) {
    const length = JSON.stringify(resource).length;
    if (part.length === AT_ONCE || (part.length > 0 && size + length > CHARACTERS_AT_ONCE)) {
      yield part;
      [part, size] = [[], 0];
    }
    part.push(resource);
    size += length;
  }
  if (part.length > 0) yield part;
}

function transactionOf(request: FhirRequest, resources: readonly JsonObject[]): FhirRequest {
  const entry = resources.map((resource) => ({ resource, request: { method: 'PUT', url: nameOf(resource) } }));
  return {
    ...{ method: 'POST', path: '', query: new URLSearchParams(), actor: request.actor },
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
  };
}

function nameOf({ resourceType, id }: JsonObject): string {
  return `${String(resourceType)}/${String(id)}`;
}

function refused(finding: string): Refusal {
  return new Refusal('invalid', 'unprocessable', `the record is not taken: ${finding}`);
}
