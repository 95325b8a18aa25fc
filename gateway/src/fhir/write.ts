/** create, update and delete (R4 http.html#create, #update, #delete). A 2xx means: committed, valid and searchable. */
import { randomUUID } from 'node:crypto';

import { Refusal } from '../ledger/refusal.js';
import type { Commit, ResourceWrite, StoredVersion, WriteOutcome } from '../ports.js';
import { indexerOf } from '../projection/generated.js';
import { requireType, resourceBody, type Body } from './body.js';
import {
  caughtUp,
  etagOf,
  locationOf,
  notFound,
  requireId,
  versionHeaders,
  versionOf,
  type FhirContext,
} from './context.js';
import { idempotencyOf, replayedHeader } from './idempotency.js';
import type { JsonObject } from './json.js';
import { withVersion, writtenText } from './meta.js';
import { operationOutcome } from './outcome.js';
import type { FhirRequest, FhirResponse, Interaction } from './request.js';
import { matchOne } from './conditional.js';
import { requireValid } from './validate.js';

/** How often an update without If-Match is tried again when another one came first. */
export const UPDATE_ATTEMPTS = 4;

/** What is to be written of a resource, checked. */
export function writeOf({ exact, plain }: Body, type: string, id: string, expect: number): ResourceWrite {
  requireValid(plain);
  const [patient] = indexerOf(type).patients({ ...plain, id });
  const write = { type, id, expect, text: writtenText(exact, id) };
  return patient === undefined ? write : { ...write, patient };
}

export async function create(context: FhirContext, request: FhirRequest, type: string): Promise<FhirResponse> {
  const body = resourceBody(request);
  requireType(body.plain, type);
  const criteria = request.headers['if-none-exist'];
  if (criteria !== undefined) {
    const existing = matchOne(context, request, type, criteria);
    if (existing !== undefined) return written(context, request, existing, 200);
  }
  return submit(context, request, writeOf(body, type, randomUUID(), 0));
}

export async function update(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  id: string,
): Promise<FhirResponse> {
  requireId(id);
  const body = resourceBody(request);
  requireType(body.plain, type);
  if (body.plain.id !== id) throw new Refusal('invalid', 'structure', 'the id in the body must be the one in the URL');
  return again(context, request, () => {
    const current = inForce(context, request, 'update', type, id);
    const write = writeOf(body, type, id, current?.version ?? 0);
    if (current !== undefined && isSame(current, write)) return written(context, request, current, 200);
    return submit(context, request, write);
  });
}

export async function remove(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  id: string,
): Promise<FhirResponse> {
  requireId(id);
  return again(context, request, async () => {
    const current = inForce(context, request, 'delete', type, id);
    if (current === undefined) return { status: 204, headers: {} };
    if (current.deleted) return { status: 204, headers: { ETag: etagOf(current.version) } };
    return submit(context, request, deletionOf(current));
  });
}

export function deletionOf({ type, id, version, patient }: StoredVersion): ResourceWrite {
  const write = { type, id, expect: version };
  return patient === undefined ? write : { ...write, patient };
}

/** The version a change builds on, as If-Match wants it. Throws Refusal 404, 412. */
export function inForce(
  context: FhirContext,
  request: FhirRequest,
  interaction: Interaction,
  type: string,
  id: string,
): StoredVersion | undefined {
  const current = context.projection.current(type, id);
  if (current !== undefined && context.decision.permit(request.actor, current, interaction) === undefined) {
    throw notFound(type, id);
  }
  const match = request.headers['if-match'];
  if (match !== undefined && versionOf(match) !== String(current?.version)) throw notInForce();
  return current;
}

function notInForce(): Refusal {
  return new Refusal(
    'conflict',
    'precondition-failed',
    'If-Match names another version than the one in force: read it again',
  );
}

/** Whether the write would change nothing: identical content makes no new version. */
export function isSame(current: StoredVersion, write: ResourceWrite): boolean {
  if (current.deleted || write.text === undefined) return false;
  return withVersion(write.text, current.version, current.lastUpdated) === current.text;
}

/** Tries again when someone else's version came first, unless the client said which one it builds on. */
async function again(
  context: FhirContext,
  request: FhirRequest,
  attempt: () => Promise<FhirResponse> | FhirResponse,
): Promise<FhirResponse> {
  for (let tries = 1; ; tries++) {
    const seen = context.projection.block;
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Refusal) || error.category !== 'conflict' || error.code === 'precondition-failed')
        throw error;
      if (request.headers['if-match'] !== undefined) throw notInForce();
      if (tries === UPDATE_ATTEMPTS) throw error;
      await caughtUp(context, seen + 1);
    }
  }
}

async function submit(context: FhirContext, request: FhirRequest, write: ResourceWrite): Promise<FhirResponse> {
  const outcome = await context.writer.write(request.actor, [write], idempotencyOf(request));
  if (outcome.state === 'unknown') return accepted(outcome.key);
  const [stored] = (await committed(context, outcome)) ?? [];
  if (stored === undefined) return behind(outcome.commit);
  const replayed = replayedHeader(outcome);
  if (stored.deleted) return { status: 204, headers: { ...versionHeaders(stored), ...replayed } };
  const response = written(context, request, stored, stored.version === 1 || write.expect === 0 ? 201 : 200);
  return { ...response, headers: { ...response.headers, ...replayed } };
}

/** The versions a commit wrote, once the projection has them; undefined when that takes too long. */
export async function committed(
  context: FhirContext,
  { commit, written }: Committed,
): Promise<StoredVersion[] | undefined> {
  if (!(await caughtUp(context, commit.block))) return undefined;
  return written.map((name) => {
    const [type = '', id = '', , version] = name.split('/');
    const stored = context.projection.version(type, id, Number(version));
    // Erased in the meantime, or its key is not there: what was written cannot be shown.
    if (stored === undefined) throw new Refusal('gone', 'erased', 'what this request wrote is no longer held');
    return stored;
  });
}

type Committed = Pick<Extract<WriteOutcome, { state: 'committed' }>, 'commit' | 'written'>;

/** It is not known whether the write took effect (T7): where to ask. */
export function accepted(key: string): FhirResponse {
  const diagnostics = 'it is not known yet whether the write took effect: ask at Content-Location';
  return {
    status: 202,
    headers: { 'Content-Location': `/fhir/R4/$write-status/${encodeURIComponent(key)}` },
    resource: operationOutcome([{ severity: 'information', code: 'informational', diagnostics }]),
  };
}

/** Committed, but not yet readable here. */
export function behind({ txId, block }: Commit): FhirResponse {
  const diagnostics = 'the write is committed; this gateway has not caught up with it yet';
  return {
    status: 202,
    headers: { 'X-Tx-Id': txId, 'X-Block': String(block) },
    resource: operationOutcome([{ severity: 'information', code: 'informational', diagnostics }]),
  };
}

/** What the client prefers to see of what is now stored (R4 http.html#return). */
export function written(
  context: FhirContext,
  request: FhirRequest,
  stored: StoredVersion,
  status: number,
): FhirResponse {
  const headers = { ...versionHeaders(stored), Location: locationOf(context, stored) };
  const preference = /(?:^|[;,\s])return=(\w+)/.exec(request.headers.prefer ?? '')?.[1];
  if (preference === 'minimal') return { status, headers };
  if (preference === 'OperationOutcome') return { status, headers, resource: wellStored(stored) };
  return { status, headers, resource: stored.text };
}

function wellStored({ type, id, version }: StoredVersion): JsonObject {
  const diagnostics = `${type}/${id} is stored as version ${version}`;
  return operationOutcome([{ severity: 'information', code: 'informational', diagnostics }]);
}
