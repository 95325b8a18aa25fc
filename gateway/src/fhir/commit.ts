/** What happens to a write on its way: tried again, committed, unknown; and how each is answered. */
import { Refusal } from '../ledger/refusal.js';
import type { Commit, ResourceWrite, StoredVersion, WriteOutcome } from '../ports.js';
import { caughtUp, locationOf, versionHeaders, type FhirContext } from './context.js';
import { idempotencyOf, replayedHeader } from './idempotency.js';
import type { JsonObject } from './json.js';
import { operationOutcome } from './outcome.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { explained } from './stated-reason.js';

/** How often an update without If-Match is tried again when another one came first. */
const UPDATE_ATTEMPTS = 4;

/** Conflicts that are the client's to solve. */
const FINAL = ['precondition-failed', 'multiple-matches'];

/** Another version is in force than the client builds on. */
export function notInForce(): Refusal {
  return new Refusal(
    'conflict',
    'precondition-failed',
    'If-Match names another version than the one in force: read it again',
  );
}

/** Tries again when someone else's version came first, unless the client said which one it builds on. */
export async function again(
  context: FhirContext,
  request: FhirRequest,
  attempt: () => Promise<FhirResponse> | FhirResponse,
): Promise<FhirResponse> {
  for (let tries = 1; ; tries++) {
    const seen = context.projection.block;
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Refusal) || error.category !== 'conflict' || FINAL.includes(error.code)) throw error;
      if (request.headers['if-match'] !== undefined) throw notInForce();
      if (tries === UPDATE_ATTEMPTS) throw error;
      await caughtUp(context, seen + 1);
    }
  }
}

/** Writes one version and answers with what the projection then holds: 201 where it makes the resource. */
export async function submit(
  context: FhirContext,
  request: FhirRequest,
  write: ResourceWrite,
  isNew = write.expect === 0,
): Promise<FhirResponse> {
  const outcome = await context.writer.write(request.actor, explained(request, [write]), idempotencyOf(request));
  return told(context, request, outcome, isNew);
}

/** Answers a retry with the version that its first try made, also once the key is remembered no more. */
export function toldAgain(context: FhirContext, request: FhirRequest, made: StoredVersion): Promise<FhirResponse> {
  const { type, id, version, txId, block } = made;
  const written = [`${type}/${id}/_history/${version}`];
  return told(context, request, { state: 'committed', commit: { txId, block }, written, replayed: true }, true);
}

async function told(
  context: FhirContext,
  request: FhirRequest,
  outcome: WriteOutcome,
  isNew: boolean,
): Promise<FhirResponse> {
  if (outcome.state === 'unknown') return accepted(outcome.key);
  const [stored] = (await committed(context, outcome)) ?? [];
  if (stored === undefined) return behind(outcome.commit);
  const replayed = replayedHeader(outcome);
  if (stored.deleted) return { status: 204, headers: { ...versionHeaders(stored), ...replayed } };
  if (outcome.replayed === true && !isShown(context, request, stored)) {
    return { status: 200, headers: { ...versionHeaders(stored), ...replayed } };
  }
  const response = written(context, request, stored, stored.version === 1 || isNew ? 201 : 200);
  return { ...response, headers: { ...response.headers, ...replayed } };
}

/** Answers a retry under a key with what its first try made of a resource. */
export function orEarlier(
  context: FhirContext,
  request: FhirRequest,
  [type, id]: readonly [string, string],
  attempt: () => Promise<FhirResponse>,
): Promise<FhirResponse> {
  return retried(context, request, attempt, (commit) =>
    told(context, request, { state: 'committed', commit, written: [`${type}/${id}`], replayed: true }, false),
  );
}

/**
 * Answers a retry under a key by the commit of its first try where by now the request would be refused: it builds on the
 * version before.
 */
export async function retried(
  context: FhirContext,
  request: FhirRequest,
  attempt: () => Promise<FhirResponse> | FhirResponse,
  answer: (commit: Commit) => Promise<FhirResponse>,
): Promise<FhirResponse> {
  try {
    return await attempt();
  } catch (error) {
    const idempotency = idempotencyOf(request);
    if (!(error instanceof Refusal) || error.category === 'unavailable' || idempotency === undefined) throw error;
    const commit = await context.earlier?.(request.actor, idempotency).catch(notToBeAsked);
    if (commit === undefined) throw error;
    return answer(commit);
  }
}

/** While the ledger does not say whether it was written before, it must not be called failed. */
function notToBeAsked(cause: unknown): never {
  throw new Refusal('unavailable', 'ledger-unreachable', 'the ledger cannot be reached; try again later', { cause });
}

/** Whether content of an earlier request may be shown now: it is decided again, for consents change. */
export function isShown({ decision }: FhirContext, { actor }: FhirRequest, stored: StoredVersion): boolean {
  return decision.permit(actor, stored, 'read') === stored;
}

/** The versions a commit wrote, once the projection has them; undefined when that takes too long. */
export async function committed(
  context: FhirContext,
  { commit, written }: Committed,
): Promise<StoredVersion[] | undefined> {
  if (!(await caughtUp(context, commit.block))) return undefined;
  return written.map((name) => {
    const [type = '', id = '', , version] = name.split('/');
    const named = context.projection.version(type, id, Number(version));
    // Under a key that another gateway has used the version is the one that was written there.
    const stored = named?.txId === commit.txId ? named : context.projection.writtenBy(commit.txId, type, id);
    // Erased in the meantime, or its key is not there: what was written cannot be shown.
    if (stored === undefined) throw new Refusal('gone', 'erased', 'what this request wrote is no longer held');
    return stored;
  });
}

type Committed = Pick<Extract<WriteOutcome, { state: 'committed' }>, 'commit' | 'written'>;

/** It is not known whether the write took effect: where to ask. */
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
  const preference = preferenceOf(request);
  if (preference === 'minimal') return { status, headers };
  if (preference === 'OperationOutcome') return { status, headers, resource: wellStored(stored) };
  return { status, headers, resource: stored.text };
}

/** What `Prefer: return=` asks for. */
export function preferenceOf({ headers }: FhirRequest): string | undefined {
  return /(?:^|[;,\s])return=(\w+)/.exec(headers.prefer ?? '')?.[1];
}

/** What is said of a version instead of showing it. */
export function wellStored({ type, id, version }: StoredVersion): JsonObject {
  const diagnostics = `${type}/${id} is stored as version ${version}`;
  return operationOutcome([{ severity: 'information', code: 'informational', diagnostics }]);
}
