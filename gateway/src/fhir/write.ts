/** create, update and delete (R4 http.html#create, #update, #delete). A 2xx means: committed, valid and searchable. */
import { Refusal } from '../ledger/refusal.js';
import type { ResourceWrite, StoredVersion, WriteCondition } from '../ports.js';
import { requireType, resourceBody, type Body } from './body.js';
import { accepted, again, behind, committed, notInForce, orEarlier, submit, toldAgain, written } from './commit.js';
import { etagOf, isTaken, requireId, versionOf, visible, type FhirContext } from './context.js';
import { idempotencyOf, newId, replayedHeader } from './idempotency.js';
import type { JsonObject } from './json.js';
import { withVersion, writtenText } from './meta.js';
import { ifLost } from './outcome.js';
import type { FhirRequest, FhirResponse, Interaction } from './request.js';
import { CONDITIONAL_DELETE_LIMIT, decidedInTurn, matchOne, matchOr, matchSome } from './conditional.js';
import { pageSize } from './paging.js';
import { patchOf } from './patch.js';
import { explained } from './stated-reason.js';
import { requireValid } from './validate.js';
import { requireKnownSubject, whoseData, type RecordOf } from './whose.js';

/** To whose record belongs what is stored. */
export function storedRecordOf({ projection }: Pick<FhirContext, 'projection'>): RecordOf {
  return (type, id) => {
    const patient = projection.current(type, id)?.patient;
    return patient === undefined ? [] : [patient];
  };
}

/** What is to be written of a resource, checked. */
export function writeOf(
  recordOf: RecordOf,
  { exact, plain }: Body,
  [type, id]: readonly [string, string],
  expect: number,
): ResourceWrite {
  requireValid(plain);
  requireKnownSubject(plain);
  const [patient] = whoseData({ ...plain, id }, recordOf);
  const write = { type, id, expect, text: writtenText(exact, id) };
  return patient === undefined ? write : { ...write, patient };
}

/** `POST [type]`: 201 with the new id; with `If-None-Exist`, 200 and the one resource that already fits. */
export async function create(context: FhirContext, request: FhirRequest, type: string): Promise<FhirResponse> {
  const body = resourceBody(request);
  requireType(body.plain, type);
  const criteria = request.headers['if-none-exist'];
  const made = (condition?: WriteCondition): Promise<FhirResponse> => {
    const id = newId(context, request);
    const before = context.projection.version(type, id, 1);
    if (before !== undefined) return toldAgain(context, request, before);
    return submit(context, request, on(condition, writeOf(storedRecordOf(context), body, [type, id], 0)));
  };
  if (criteria === undefined) return made();
  const decide = (): Promise<FhirResponse> | FhirResponse => {
    const { match, condition } = matchOr(context, request, type, criteria);
    return match === undefined ? made(condition) : written(context, request, match, 200);
  };
  return decidedInTurn(context, [criteria], () => again(context, request, decide));
}

/** The write, void if by then another was made on the same condition. */
export function on(condition: WriteCondition | undefined, write: ResourceWrite): ResourceWrite {
  return condition === undefined ? write : { ...write, condition };
}

/**
 * `PUT [type]/[id]`: 201 where there was none, else 200; `If-Match` refuses with 412 what is not the current version.
 */
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
  return orEarlier(context, request, [type, id], () =>
    again(context, request, () => replace(context, request, [type, id], () => body)),
  );
}

/** update of the one resource that the URL's criteria match; of none: a create, under the body's id if it has one. */
export async function updateMatch(context: FhirContext, request: FhirRequest, type: string): Promise<FhirResponse> {
  const body = resourceBody(request);
  requireType(body.plain, type);
  const criteria = request.query.toString();
  const decide = (): Promise<FhirResponse> | FhirResponse => {
    const { match, condition } = matchOr(context, request, type, criteria);
    const given = body.plain.id;
    if (match !== undefined && given !== undefined && given !== match.id) {
      throw new Refusal('invalid', 'structure', 'the id in the body is not the one of the resource that matches');
    }
    const id = match?.id ?? (typeof given === 'string' ? given : newId(context, request));
    requireId(id);
    return replace(context, request, [type, id], () => body, condition);
  };
  return decidedInTurn(context, [criteria], () => again(context, request, decide));
}

/** `PATCH [type]/[id]` by JSON Patch (RFC 6902), on the current version or the one that `If-Match` names. */
export async function patch(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  id: string,
): Promise<FhirResponse> {
  requireId(id);
  const change = patchOf(request);
  const apply = () => replace(context, request, [type, id], (current) => change(current, `${type}/${id}`));
  return orEarlier(context, request, [type, id], () => again(context, request, apply));
}

/** patch of the one resource that the URL's criteria match. */
export async function patchMatch(context: FhirContext, request: FhirRequest, type: string): Promise<FhirResponse> {
  const criteria = request.query.toString();
  return decidedInTurn(context, [criteria], () => {
    const match = matchOne(context, request, type, criteria);
    if (match === undefined) throw new Refusal('not-found', 'not-found', `no ${type} matches the condition`);
    return patch(context, request, type, match.id);
  });
}

/** Writes what `content` makes of the version in force, unless that is the same. */
function replace(
  context: FhirContext,
  request: FhirRequest,
  [type, id]: readonly [string, string],
  content: (current: StoredVersion | undefined) => Body,
  condition?: WriteCondition,
): Promise<FhirResponse> | FhirResponse {
  const current = inForce(context, request, 'update', type, id);
  const write = writeOf(storedRecordOf(context), content(current), [type, id], current?.version ?? 0);
  if (current === undefined) requireFree(context, type, id);
  if (current !== undefined && isSame(current, write)) return written(context, request, current, 200);
  return submit(context, request, on(condition, write), isNew(current));
}

/** Whether a write makes the resource: there was none, or it had been deleted (R4 http.html#update). */
function isNew(current: StoredVersion | undefined): boolean {
  return current?.deleted !== false;
}

/** Throws Refusal 409 where the id has a resource already, which is not overwritten and not told of. */
export function requireFree(context: FhirContext, type: string, id: string): void {
  if (!isTaken(context, type, id)) return;
  throw new Refusal('invalid', 'id-taken', `this id cannot be given to a ${type}: take another, or POST`);
}

/** `DELETE [type]/[id]`: 204, also where there is nothing any more. */
export async function remove(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  id: string,
): Promise<FhirResponse> {
  requireId(id);
  const end = async (): Promise<FhirResponse> => {
    const current = inForce(context, request, 'delete', type, id);
    if (current === undefined) return { status: 204, headers: {} };
    if (current.deleted) return { status: 204, headers: { ETag: etagOf(current.version) } };
    return submit(context, request, deletionOf(current));
  };
  return orEarlier(context, request, [type, id], () => again(context, request, end));
}

/**
 * delete of all that the URL's criteria match, as one transaction. `_count` says how many the client expects at most: of
 * more than that, or than CONDITIONAL_DELETE_LIMIT, nothing is deleted (R4 http.html#cdelete: all, or an error). Throws
 * Refusal 412.
 */
export async function removeMatches(context: FhirContext, request: FhirRequest, type: string): Promise<FhirResponse> {
  const limit = request.query.has('_count')
    ? Math.min(pageSize(request.query), CONDITIONAL_DELETE_LIMIT)
    : CONDITIONAL_DELETE_LIMIT;
  const matches = matchSome(context, request, type, request.query.toString(), limit + 1);
  if (matches.length > limit) {
    throw new Refusal(
      'conflict',
      'multiple-matches',
      `the condition matches more than ${limit} ${type}, so that nothing is deleted: make it narrower`,
    );
  }
  const doomed = matches.flatMap((match) => inForce(context, request, 'delete', type, match.id) ?? []);
  if (doomed.length === 0) return { status: 204, headers: {} };
  const outcome = await context.writer.write(
    request.actor,
    explained(request, doomed.map(deletionOf)),
    idempotencyOf(request),
  );
  if (outcome.state === 'unknown') return accepted(outcome.key);
  if ((await committed(context, outcome)) === undefined) return behind(outcome.commit);
  const { txId, block } = outcome.commit;
  return { status: 204, headers: { 'X-Tx-Id': txId, 'X-Block': String(block), ...replayedHeader(outcome) } };
}

/** The write that deletes a version; it is refused when another version came in between. */
export function deletionOf({ type, id, version, patient }: StoredVersion): ResourceWrite {
  const write = { type, id, expect: version };
  return patient === undefined ? write : { ...write, patient };
}

/**
 * The version a change builds on, as If-Match wants it; undefined where there is none, or none that the actor may see:
 * both are answered alike. Throws Refusal 412.
 */
export function inForce(
  context: FhirContext,
  request: FhirRequest,
  interaction: Interaction,
  type: string,
  id: string,
): StoredVersion | undefined {
  const current = visible(context, request, interaction, [type, id]);
  if (request.headers['if-none-match'] === '*' && current?.deleted === false) throw alreadyThere();
  const match = request.headers['if-match'];
  if (match !== undefined && !isNamed(match, current)) throw notInForce();
  return interaction === 'update' && current?.isPart === true ? whole(context, current) : current;
}

/**
 * The stored version behind one that is shown with obligations, to build a change on. Throws Refusal 403 where a part of it
 * is not shown: whoever does not see it would take it away from everybody.
 */
function whole({ projection }: FhirContext, shown: StoredVersion): StoredVersion {
  const stored = projection.current(shown.type, shown.id);
  if (stored !== undefined && contentOf(stored) === contentOf(shown)) return stored;
  throw new Refusal(
    'forbidden',
    'only-a-part',
    'a part of this resource is not shown to you, and would be lost: who sees all of it can change it',
  );
}

/** All that it says of the patient, without what is said of the resource. */
function contentOf({ text }: StoredVersion): string {
  return JSON.stringify({ ...(JSON.parse(text) as JsonObject), meta: undefined });
}

/** Whether `If-Match` names the version; `*` names any that is there (RFC 9110 section 13.1.1). */
function isNamed(match: string, current: StoredVersion | undefined): boolean {
  return match.trim() === '*' ? current?.deleted === false : versionOf(match) === String(current?.version);
}

/** `If-None-Match: *` asks to write only what is not there (RFC 9110 section 13.1.2). */
function alreadyThere(): Refusal {
  return new Refusal('conflict', 'precondition-failed', 'there is such a resource already: If-None-Match says not to');
}

/** Whether the write would change nothing: identical content makes no new version. What is lost may be brought again. */
export function isSame(current: StoredVersion, write: ResourceWrite): boolean {
  if (current.deleted || write.text === undefined) return false;
  const text = withVersion(write.text, current.version, current.lastUpdated);
  return ifLost(
    () => text === current.text,
    () => false,
  );
}
