/**
 * Links between custodians' patients, by staff of a custodian or by the patient it authenticated:
 * `POST Patient/{id}/$link` with Parameters `custodian` and `patient` (valueString: the other hospital and its id for the
 * person) says that both are one; `POST Patient/{id}/$confirm-link` and `$unlink` with `link` (valueString, the Linkage's
 * id) say so for the other side, or end it; `GET Patient/{id}/$links` lists them as R4 Linkage resources, and
 * `GET Patient/$waiting-links` those of all patients that wait for this side's word. With `statement` (valueString, compact
 * JWS: chaincode/patient LinkStatementHeader) it is the patient's own word: `$link` then takes the link's id from the client,
 * and the other two take `custodian`, for whose side it is signed.
 */
import { randomBytes } from 'node:crypto';

import { custodianStaff, heardAtCustodian } from '@salus/chaincode/access/api';
import { type ChangeLink, type LinkPatients, transactions } from '@salus/chaincode/patient/api';

import { actsAsPatient } from '../consent/mandates.js';
import { asResource } from '../fhir/body.js';
import { notFound } from '../fhir/context.js';
import { parseBody, type JsonObject } from '../fhir/json.js';
import { outcomeOf } from '../fhir/outcome.js';
import { Pace } from '../fhir/pace.js';
import { type Given, givenOf } from '../fhir/parameters.js';
import type { Decision, Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import { requireScope } from '../identity/scopes.js';
import { Refusal } from '../ledger/refusal.js';
import { actorBytes } from '../ledger/vouched.js';
import type { Actor, Commit, Ledger, StoredVersion } from '../ports.js';
import { MAX_LINKS, type PatientLinks, type StandingLink } from './links.js';
import type { PatientLookup } from './lookup.js';

/** What linking two records of one person needs. */
export interface LinkOperationPorts {
  readonly member: string;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly lookup: PatientLookup;
  readonly links: PatientLinks;
  readonly decision: Pick<Decision, 'permit'>;
  readonly current: (type: string, id: string) => StoredVersion | undefined;
  /** Whether the projection shows a block, waiting for it a while. */
  readonly reached: (block: number) => Promise<boolean>;
}

const PATH = /^Patient\/([A-Za-z0-9.-]{1,64})\/\$(links|link|confirm-link|unlink)$/;

const WAITING = 'Patient/$waiting-links';
/** Links that wait, shown at once. */
const MOST_WAITING = 200;

/** The FHIR interface with the operations in front of it. */
export function withLinks(fhir: Fhir, ports: LinkOperationPorts): Fhir {
  return async (request) => {
    if (request.path === WAITING && request.method === 'GET') return waiting(ports, request.actor);
    const [, id, operation = ''] = PATH.exec(request.path) ?? [];
    const isServed = request.method === (operation === 'links' ? 'GET' : 'POST');
    if (id === undefined || !isServed) return await fhir(request);
    const pace = new Pace();
    const response = await answer(ports, request, id, operation).catch((error: unknown) => ({
      headers: {},
      ...outcomeOf(error),
    }));
    await pace.leave(response.status);
    return response;
  };
}

/** What staff has to say yes or no to, of patients whom it may see. */
function waiting(ports: LinkOperationPorts, actor: Actor): FhirResponse {
  if (!(custodianStaff as readonly string[]).includes(actor.role)) {
    return { headers: {}, ...outcomeOf(new Refusal('forbidden', 'not-staff', `only ${custodianStaff.join(', ')}`)) };
  }
  const entry: object[] = [];
  for (const link of ports.links.waiting()) {
    const id = ports.links.patientIdOf(link.own) ?? '';
    if (isShown(ports, actor, id)) entry.push({ resource: linkageOf(ports, link, id) });
    if (entry.length === MOST_WAITING) break;
  }
  const resource = { resourceType: 'Bundle', type: 'collection', ...(entry.length > 0 && { entry }) };
  return { status: 200, headers: {}, resource };
}

async function answer(
  ports: LinkOperationPorts,
  { actor, body }: FhirRequest,
  id: string,
  operation: string,
): Promise<FhirResponse> {
  const pid = ownPatient(ports, actor, id);
  if (operation === 'links') return { status: 200, headers: {}, resource: bundleOf(ports, pid, id) };
  requireHeard(actor, id);
  const given = givenOf(asResource(parseBody(body ?? '').plain));
  if (operation === 'link') return await link(ports, actor, { pid, id }, given);
  return await change(ports, actor, { pid, id }, { given, operation });
}

/** The pid of a patient kept here whom the actor may see. Throws Refusal 404 for any other. */
function ownPatient(ports: LinkOperationPorts, actor: Actor, id: string): string {
  const isSeen = isShown(ports, actor, id);
  const pid = ports.lookup.keeps(id) ? ports.lookup.pidOf(id) : undefined;
  if (!isSeen || pid === undefined) throw notFound('Patient', id);
  return pid;
}

function isShown({ current, decision }: LinkOperationPorts, actor: Actor, id: string): boolean {
  const stored = current('Patient', id);
  return stored !== undefined && !stored.deleted && decision.permit(actor, stored, 'operation') !== undefined;
}

function requireHeard(actor: Actor, id: string): void {
  const isLimited = actor.role === 'guardian' && !actsAsPatient(actor);
  if (isLimited || !(heardAtCustodian as readonly string[]).includes(actor.role)) {
    throw new Refusal('forbidden', 'not-heard', `patients are linked by ${heardAtCustodian.join(', ')}`);
  }
  requireScope(actor, 'Patient', ['u'], id);
}

interface Own {
  readonly pid: string;
  readonly id: string;
}

/** Says that a patient is another hospital's, too; whether that hospital has one of that id is not told. */
async function link(ports: LinkOperationPorts, actor: Actor, own: Own, given: Given): Promise<FhirResponse> {
  const [custodian, patient] = [given.text('custodian'), given.text('patient')];
  if (ports.links.of(own.pid).filter(({ state }) => state !== 'ended').length >= MAX_LINKS) {
    throw new Refusal('conflict', 'too-many-links', `a patient has at most ${MAX_LINKS} links: end one first`);
  }
  const [statement] = given.texts('statement');
  const linkId = statement === undefined ? randomBytes(32).toString('hex') : given.text('link');
  const pid = ports.lookup.keptAt(custodian, patient) ?? ports.lookup.decoy(`${custodian}/${patient}`);
  const request: LinkPatients = { linkId, pid: own.pid, other: { pid, custodian }, ...signed(statement), salt: salt() };
  const commit = await submit(ports, transactions.link, request, actor);
  return await shown(ports, { own, linkId, commit, status: 201 });
}

async function change(
  ports: LinkOperationPorts,
  actor: Actor,
  own: Own,
  { given, operation }: { readonly given: Given; readonly operation: string },
): Promise<FhirResponse> {
  const linkId = given.text('link');
  if (!ports.links.of(own.pid).some((each) => each.linkId === linkId)) {
    throw new Refusal('not-found', 'unknown-link', 'this patient has no link of this id');
  }
  const transaction = operation === 'unlink' ? transactions.unlink : transactions.confirm;
  const [[side], [statement]] = [given.texts('custodian'), given.texts('statement')];
  const request: ChangeLink = { linkId, ...(side !== undefined && { side }), ...signed(statement), salt: salt() };
  const commit = await submit(ports, transaction, request, actor);
  return await shown(ports, { own, linkId, commit, status: 200 });
}

async function submit(
  ports: LinkOperationPorts,
  transaction: string,
  request: LinkPatients | ChangeLink,
  actor: Actor,
): Promise<Commit> {
  const transient = { request: Buffer.from(JSON.stringify(request)), actor: actorBytes(actor) };
  return await ports.ledger.submit({ transaction, transient });
}

/** The link as it stands after a commit. */
async function shown(
  ports: LinkOperationPorts,
  {
    own,
    linkId,
    commit,
    status,
  }: { readonly own: Own; readonly linkId: string; readonly commit: Commit; readonly status: number },
): Promise<FhirResponse> {
  await ports.reached(commit.block);
  const found = ports.links.of(own.pid).find((each) => each.linkId === linkId);
  const headers = { 'X-Tx-Id': commit.txId, 'X-Block': String(commit.block) };
  return { status, headers, ...(found && { resource: linkageOf(ports, found, own.id) }) };
}

function bundleOf(ports: LinkOperationPorts, pid: string, id: string): JsonObject {
  const entry = ports.links.of(pid).map((each) => ({ resource: linkageOf(ports, each, id) }));
  return { resourceType: 'Bundle', type: 'collection', ...(entry.length > 0 && { entry }) };
}

/** R4 Linkage: the record here is the source, the other one the alternate. */
function linkageOf({ links }: LinkOperationPorts, { linkId, other, state }: StandingLink, id: string): JsonObject {
  // Before the other hospital said so nothing tells whether it has a patient of the id that was named.
  const theirs = state === 'asked' || state === 'active' ? links.patientIdOf(other) : undefined;
  return {
    resourceType: 'Linkage',
    id: linkId,
    extension: [{ url: 'urn:salus:link-state', valueCode: state }],
    active: state === 'active',
    item: [
      { type: 'source', resource: { reference: `Patient/${id}` } },
      {
        type: 'alternate',
        resource: {
          ...(theirs === undefined ? {} : { reference: `Patient/${theirs}` }),
          type: 'Patient',
          display: other.custodian,
        },
      },
    ],
  };
}

function signed(statement: string | undefined): { readonly statement?: string } {
  return statement === undefined ? {} : { statement };
}

function salt(): string {
  return randomBytes(32).toString('hex');
}
