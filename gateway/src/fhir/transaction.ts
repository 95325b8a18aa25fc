/** transaction: all entries or none, written as one Fabric transaction (R4 http.html#trules). */
import { Refusal } from '../ledger/refusal.js';
import type { Commit, ResourceWrite, StoredVersion, WriteCondition } from '../ports.js';
import { partBody } from './body.js';
import { bundleText, type EntryText } from './bundle-text.js';
import { requestOf, targetOf, type Entry } from './bundle.js';
import { accepted, again, behind, committed, isShown } from './commit.js';
import { decidedInTurn, matchOne, matchOr } from './conditional.js';
import { etagOf, locationOf, requireId, type FhirContext } from './context.js';
import { idempotencyOf, newId, replayedHeader } from './idempotency.js';
import { IssuesRefusal } from './outcome.js';
import { conditionalReferences, rewritten } from './references.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { deletionOf, inForce, isSame, on, requireFree, writeOf } from './write.js';

/** What becomes of an entry; one without a write finds what it asks for already there. */
interface Step {
  readonly entry: Entry;
  readonly type: string;
  readonly id: string;
  readonly current?: StoredVersion;
  /** Of criteria that matched nothing. */
  readonly condition?: WriteCondition;
  readonly write?: ResourceWrite;
}

/** Answers one entry that only reads. */
export type Reader = (request: FhirRequest) => Promise<FhirResponse>;

const CHANGES = new Set(['POST', 'PUT', 'DELETE']);

/**
 * Runs the entries in the order of R4 http.html#trules and answers a `transaction-response`; a failing entry refuses
 * all.
 */
export async function transaction(
  context: FhirContext,
  request: FhirRequest,
  entries: readonly Entry[],
  reader: Reader,
): Promise<FhirResponse> {
  for (const entry of entries) requireServed(context, entry, entries);
  const criteria = criteriaOf(entries);
  const work = (): Promise<FhirResponse> => carryOut(context, request, entries, reader);
  return decidedInTurn(context, criteria, () => (criteria.length === 0 ? work() : again(context, request, work)));
}

/** Criteria by which entries decide what they are about. */
function criteriaOf(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ method, url, ifNoneExist }) => {
    const conditional = method !== 'GET' && method !== 'HEAD' && url.includes('?');
    return [...(ifNoneExist === undefined ? [] : [ifNoneExist]), ...(conditional ? [url] : [])];
  });
}

async function carryOut(
  context: FhirContext,
  request: FhirRequest,
  entries: readonly Entry[],
  reader: Reader,
): Promise<FhirResponse> {
  const targets = entries
    .filter((entry) => CHANGES.has(entry.method))
    .map((entry) => at(entry, () => target(context, request, entry)));
  refuseTwice(targets);
  const replacements = replacementsOf(context, request, targets);
  const steps = targets.map((step) => at(step.entry, () => withWrite(context, request, step, replacements)));
  const writing = steps.filter((step) => step.write !== undefined);
  if (writing.length === 0) return respond(context, request, { entries, steps, reader, versions: new Map() });
  const writes = writing.flatMap((step) => step.write ?? []);
  const outcome = await context.writer.write(request.actor, writes, idempotencyOf(request));
  if (outcome.state === 'unknown') return accepted(outcome.key);
  const stored = await committed(context, { commit: outcome.commit, written: ofThese(outcome.written, steps) });
  if (stored === undefined) return behind(outcome.commit);
  const versions = new Map(writing.map((step, index) => [step.entry.position, stored[index]]));
  const { commit, replayed = false } = outcome;
  const response = await respond(context, request, { entries, steps, reader, versions, commit, replayed });
  return { ...response, headers: { ...response.headers, ...replayedHeader(outcome) } };
}

/** What was written but for what a retry finds there already: a resource its first try created on a condition. */
function ofThese(written: readonly string[], steps: readonly Step[]): readonly string[] {
  const there = new Set(steps.filter(({ write }) => write === undefined).map(({ type, id }) => `${type}/${id}`));
  return written.filter((name) => !there.has(name.split('/', 2).join('/')));
}

function requireServed(context: FhirContext, entry: Entry, all: readonly Entry[]): void {
  if (entry.method === 'PATCH')
    throw new Refusal('invalid', 'not-supported', 'PATCH is not served in a transaction: send PUT');
  if (!CHANGES.has(entry.method)) return;
  const { type } = at(entry, () => targetOf(entry));
  if (context.handlers?.[type] === undefined) return;
  const alone = all.length === 1 ? 'send it as a request of its own' : 'send it apart from other resources';
  throw new Refusal('invalid', 'unprocessable', `${type} cannot be part of a transaction: ${alone}`);
}

/** Runs a check and names the entry in what it refuses. */
function at<T>(entry: Entry, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const where = `Bundle.entry[${entry.position}]`;
    if (error instanceof IssuesRefusal) {
      const issues = error.issues.map((issue) => ({
        ...issue,
        expression: (issue.expression ?? ['']).map((path) => `${where}.resource${path.replace(/^\w+/, '')}`),
      }));
      throw new IssuesRefusal(error.code, issues);
    }
    if (error instanceof Refusal && !error.detail.startsWith('Bundle')) {
      throw new Refusal(error.category, error.code, `${where}: ${error.detail}`, { cause: error });
    }
    throw error;
  }
}

/** Which resource an entry is about. */
function target(context: FhirContext, request: FhirRequest, entry: Entry): Step {
  const { type, id, criteria } = targetOf(entry);
  requireResource(entry, type);
  if (entry.method === 'POST') return creation(context, request, entry, type);
  if (id === undefined) {
    const { match, condition } = matchOr(context, request, type, criteria ?? '');
    return match === undefined ? fresh(context, request, entry, type, condition) : { entry, type, id: match.id };
  }
  requireId(id);
  if (entry.method === 'PUT' && entry.resource?.id !== id) {
    throw new Refusal('invalid', 'structure', 'resource.id must be the id in request.url');
  }
  return { entry, type, id };
}

function requireResource(entry: Entry, type: string): void {
  if (entry.method !== 'DELETE' && entry.resource?.resourceType !== type) {
    throw new Refusal('invalid', 'structure', 'the resource is missing or not of the type in request.url');
  }
}

function creation(context: FhirContext, request: FhirRequest, entry: Entry, type: string): Step {
  if (entry.ifNoneExist === undefined) return fresh(context, request, entry, type);
  const { match, condition } = matchOr(context, request, type, entry.ifNoneExist);
  if (match !== undefined) return { entry, type, id: match.id, current: match };
  return fresh(context, request, entry, type, condition);
}

/** A resource that is not there yet, nor what its criteria would have matched. */
function fresh(
  context: FhirContext,
  request: FhirRequest,
  entry: Entry,
  type: string,
  condition?: WriteCondition,
): Step {
  const id = newId(context, request, entry.position);
  return { entry, type, id, ...(condition === undefined ? {} : { condition }) };
}

function refuseTwice(steps: readonly Step[]): void {
  const known = new Set<string>();
  for (const { type, id, entry, current } of steps) {
    // Two conditional creates may find the same resource: neither writes it.
    if (entry.method === 'POST' && current !== undefined) continue;
    const name = `${type}/${id}`;
    if (known.has(name))
      throw new Refusal(
        'invalid',
        'invalid-content',
        `Bundle.entry[${entry.position}]: the transaction names ${type} with this id twice`,
      );
    known.add(name);
  }
}

/** Full URLs and conditional references, with what they stand for. */
function replacementsOf(context: FhirContext, request: FhirRequest, steps: readonly Step[]): Map<string, string> {
  const replacements = new Map<string, string>();
  for (const { entry, type, id } of steps) {
    if (entry.fullUrl !== undefined && entry.method !== 'DELETE') replacements.set(entry.fullUrl, `${type}/${id}`);
  }
  for (const { entry } of steps) {
    for (const { text, type, criteria } of conditionalReferences(entry.resource).values()) {
      if (replacements.has(text)) continue;
      const match = at(entry, () => matchOne(context, request, type, criteria));
      if (match === undefined) {
        throw new Refusal(
          'conflict',
          'precondition-failed',
          `Bundle.entry[${entry.position}]: a conditional reference to ${type} matches nothing`,
        );
      }
      replacements.set(text, `${type}/${match.id}`);
    }
  }
  return replacements;
}

function withWrite(
  context: FhirContext,
  request: FhirRequest,
  step: Step,
  replacements: ReadonlyMap<string, string>,
): Step {
  const { entry, type, id } = step;
  const body = () => partBody(rewritten(entry.resource ?? {}, replacements));
  if (entry.method === 'POST') {
    return step.current !== undefined ? step : { ...step, write: on(step.condition, writeOf(body(), type, id, 0)) };
  }
  const interaction = entry.method === 'DELETE' ? 'delete' : 'update';
  const current = inForce(context, requestOf(entry, request), interaction, type, id);
  if (entry.method === 'DELETE') return deletionStep(step, current);
  const write = writeOf(body(), type, id, current?.version ?? 0);
  if (current === undefined) requireFree(context, type, id);
  if (current === undefined) return { ...step, write: on(step.condition, write) };
  return isSame(current, write) ? { ...step, current } : { ...step, current, write };
}

function deletionStep(step: Step, current: StoredVersion | undefined): Step {
  if (current === undefined) return step;
  return current.deleted ? { ...step, current } : { ...step, current, write: deletionOf(current) };
}

interface Done {
  readonly entries: readonly Entry[];
  readonly steps: readonly Step[];
  readonly reader: Reader;
  readonly commit?: Commit;
  readonly replayed?: boolean;
  /** What was written, by the entry's position. */
  readonly versions: ReadonlyMap<number, StoredVersion | undefined>;
}

async function respond(
  context: FhirContext,
  request: FhirRequest,
  { entries, steps, reader, commit, versions, replayed = false }: Done,
): Promise<FhirResponse> {
  const byPosition = new Map(steps.map((step) => [step.entry.position, step]));
  const full = /(?:^|[;,\s])return=representation\b/.test(request.headers.prefer ?? '');
  const answers: EntryText[] = [];
  for (const entry of entries) {
    const step = byPosition.get(entry.position);
    if (step === undefined) answers.push(entryAnswer(await reader(requestOf(entry, request))));
    else {
      const stored = versions.get(entry.position) ?? step.current;
      // What an earlier request wrote is decided on again.
      const shows = full && (!replayed || (stored !== undefined && isShown(context, request, stored)));
      answers.push(stepAnswer(context, step, stored, shows));
    }
  }
  const headers = commit === undefined ? {} : { 'X-Tx-Id': commit.txId, 'X-Block': String(commit.block) };
  return { status: 200, headers, resource: bundleText({ type: 'transaction-response' }, answers) };
}

function stepAnswer(
  context: FhirContext,
  { write }: Step,
  stored: StoredVersion | undefined,
  full: boolean,
): EntryText {
  if (stored === undefined) return { more: { response: { status: '204 No Content' } } };
  const etag = etagOf(stored.version);
  if (stored.deleted) return { more: { response: { status: '204 No Content', etag } } };
  const response = {
    status: write?.expect === 0 ? '201 Created' : '200 OK',
    location: locationOf(context, stored),
    etag,
    lastModified: stored.lastUpdated,
  };
  return { ...(full ? { resource: stored.text } : {}), more: { response } };
}

/** A response of its own as an entry of a batch-response or transaction-response. */
export function entryAnswer({ status, headers, resource }: FhirResponse): EntryText {
  const text = typeof resource === 'object' ? JSON.stringify(resource) : resource;
  const failed = status >= 400;
  const response = {
    status: String(status),
    ...(headers.Location === undefined ? {} : { location: headers.Location }),
    ...(headers.ETag === undefined ? {} : { etag: headers.ETag }),
    ...(headers['Last-Modified'] === undefined
      ? {}
      : { lastModified: new Date(headers['Last-Modified']).toISOString() }),
    ...(failed && typeof resource === 'object' ? { outcome: resource } : {}),
  };
  return { ...(failed || text === undefined ? {} : { resource: text }), more: { response } };
}
