/** transaction: all entries or none, written as one Fabric transaction (R4 http.html#trules). */
import { parseKey } from '@salus/chaincode/registry/api';

import { Refusal } from '../ledger/refusal.js';
import type { Commit, ResourceWrite, StoredVersion, WriteCondition } from '../ports.js';
import { isChange, requestOf, targetOf, type Entry } from './bundle.js';
import { accepted, again, behind, committed, retried } from './commit.js';
import { decidedInTurn, matchOne, matchOr } from './conditional.js';
import { caughtUp, requireId, type FhirContext } from './context.js';
import { idempotencyOf, newId, replayedHeader } from './idempotency.js';
import { IssuesRefusal } from './outcome.js';
import { patchOf } from './patch.js';
import { conditionalReferences, type Replacement, type Replacements } from './references.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { explained } from './stated-reason.js';
import { readsBefore, refusedRead } from './transaction-reads.js';
import { withRecords, type Written } from './transaction-records.js';
import { respond, type Done, type Reader, type Step } from './transaction-response.js';
import { deletionOf, inForce, isSame, on, requireFree, writeOf } from './write.js';

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
  return retried(
    context,
    request,
    () => decidedInTurn(context, criteria, () => (criteria.length === 0 ? work() : again(context, request, work))),
    (commit) => asCarriedOut(context, request, { entries, reader, commit }),
  );
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
  const targets = targetsOf(context, request, entries);
  refuseTwice(targets);
  const before = madeBefore(context, targets);
  if (before !== undefined) return asCarriedOut(context, request, { entries, reader, commit: before });
  const replacements = replacementsOf(context, request, targets);
  const about = withRecords(context, targets, replacements);
  const steps = targets.map((step) => at(step.entry, () => withWrite(context, request, step, about)));
  const writing = steps.filter((step) => step.write !== undefined);
  const reads = await readsBefore(request, entries, writing, reader);
  const failed = refusedRead(reads);
  if (failed !== undefined) return failed;
  if (writing.length === 0) return respond(context, request, { entries, steps, reader, reads, versions: new Map() });
  const own = writing.flatMap((step) => step.write ?? []);
  const writes = explained(request, own);
  const outcome = await context.writer.write(request.actor, writes, idempotencyOf(request));
  if (outcome.state === 'unknown') return accepted(outcome.key);
  const stored = await committed(context, { commit: outcome.commit, written: ofThese(outcome.written, steps) });
  if (stored === undefined) return behind(outcome.commit);
  const versions = new Map(writing.map((step, index) => [step.entry.position, stored[index]]));
  const { commit, replayed = false } = outcome;
  const response = await respond(context, request, { entries, steps, reader, versions, commit, replayed });
  return { ...response, headers: { ...response.headers, ...replayedHeader(outcome) } };
}

/** By which commit all that is to be created was made: under a key an id is the same each time. */
function madeBefore({ projection }: FhirContext, steps: readonly Step[]): Commit | undefined {
  const created = steps.filter(({ entry, current }) => entry.method === 'POST' && current === undefined);
  const made = created.map(({ type, id }) => projection.version(type, id, 1));
  return made.every((version) => version !== undefined) ? made[0] : undefined;
}

/** The answer to a retry that would be refused by now: its entries build on what was in force before its first try. */
async function asCarriedOut(
  context: FhirContext,
  request: FhirRequest,
  { entries, reader, commit }: Pick<Done, 'entries' | 'reader'> & { readonly commit: Commit },
): Promise<FhirResponse> {
  if (!(await caughtUp(context, commit.block))) return behind(commit);
  const versions = new Map<number, StoredVersion>();
  const steps = targetsOf(context, request, entries).map((step): Step => {
    const { type, id, entry } = step;
    const stored = context.projection.writtenBy(commit.txId, type, id);
    const current = step.current ?? context.projection.current(type, id);
    if (stored === undefined) return current === undefined ? step : { ...step, current };
    versions.set(entry.position, stored);
    return { ...step, write: { type, id, expect: stored.version - 1 } };
  });
  const response = await respond(context, request, { entries, steps, reader, versions, commit, replayed: true });
  return {
    ...response,
    headers: { ...response.headers, ...replayedHeader({ state: 'committed', commit, written: [], replayed: true }) },
  };
}

/** What was written but for what a retry finds there already: a resource its first try created on a condition. */
function ofThese(written: readonly string[], steps: readonly Step[]): readonly string[] {
  const there = new Set(steps.filter(({ write }) => write === undefined).map(({ type, id }) => `${type}/${id}`));
  return written.filter((name) => !there.has(name.split('/', 2).join('/')));
}

function requireServed(context: FhirContext, entry: Entry, all: readonly Entry[]): void {
  if (!isChange(entry)) return;
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

/** Which resource each entry that changes something is about. */
function targetsOf(context: FhirContext, request: FhirRequest, entries: readonly Entry[]): Step[] {
  return entries.filter(isChange).map((entry) => at(entry, () => target(context, request, entry)));
}

function target(context: FhirContext, request: FhirRequest, entry: Entry): Step {
  const { type, id, criteria } = targetOf(entry);
  requireResource(entry, type);
  if (entry.method === 'POST') return creation(context, request, entry, type);
  if (id === undefined) {
    const { match, condition } = matchOr(context, request, type, criteria ?? '');
    if (match === undefined && entry.method === 'PATCH') {
      throw new Refusal('not-found', 'not-found', `no ${type} matches the condition`);
    }
    requireOwnId(entry, match);
    return match === undefined ? fresh(context, request, entry, type, condition) : { entry, type, id: match.id };
  }
  requireId(id);
  if (entry.method === 'PUT' && entry.resource?.id !== id) {
    throw new Refusal('invalid', 'structure', 'resource.id must be the id in request.url');
  }
  return { entry, type, id };
}

/** An update by criteria may name the id: that of the match, or the one to be made (R4 http.html#cond-update). */
function requireOwnId({ method, resource }: Entry, match: StoredVersion | undefined): void {
  const given = method === 'PUT' ? resource?.id : undefined;
  if (typeof given !== 'string') return;
  requireId(given);
  if (match !== undefined && given !== match.id) {
    throw new Refusal('invalid', 'structure', 'resource.id is not the one of the resource that matches');
  }
}

function requireResource(entry: Entry, type: string): void {
  if (!['DELETE', 'PATCH'].includes(entry.method) && entry.resource?.resourceType !== type) {
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
  const given = entry.method === 'PUT' ? entry.resource?.id : undefined;
  const id = typeof given === 'string' ? given : newId(context, request, entry.position);
  return { entry, type, id, ...(condition === undefined ? {} : { condition }) };
}

/** Throws Refusal where identities overlap, those that criteria led to included (R4 http.html#trules). */
function refuseTwice(steps: readonly Step[]): void {
  // Two conditional creates may find the same resource: neither writes it.
  const found = steps.filter(({ entry, current }) => entry.method === 'POST' && current !== undefined);
  const known = new Set<string>();
  for (const step of steps.filter((each) => !found.includes(each))) {
    refuseKnown(step, known);
    known.add(`${step.type}/${step.id}`);
  }
  for (const step of found) refuseKnown(step, known);
}

function refuseKnown({ type, id, entry }: Step, known: ReadonlySet<string>): void {
  if (!known.has(`${type}/${id}`)) return;
  const detail = `Bundle.entry[${entry.position}]: the transaction names ${type} with this id twice`;
  throw new Refusal('invalid', 'invalid-content', detail);
}

/** Full URLs and conditional references, with what they stand for. */
function replacementsOf(context: FhirContext, request: FhirRequest, steps: readonly Step[]): Replacements {
  const replacements = new Map(steps.flatMap((step) => fullUrlOf(context, step)));
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
      replacements.set(text, { name: `${type}/${match.id}`, version: match.version });
    }
  }
  return replacements;
}

/** An entry's full URL, and the version that there will be under it. */
function fullUrlOf(context: FhirContext, { entry, type, id, current }: Step): [string, Replacement][] {
  if (entry.fullUrl === undefined || entry.method === 'DELETE') return [];
  const version = current?.version ?? nextVersion(context, type, id);
  return [[entry.fullUrl, { name: `${type}/${id}`, version }]];
}

/** The version that a write of the resource makes, as the writer numbers it. */
function nextVersion({ projection }: FhirContext, type: string, id: string): number {
  const before = projection.current(type, id);
  const [code] = before === undefined ? [] : (parseKey(before.ledgerKey)?.attributes ?? []);
  return before === undefined || code === undefined ? 1 : projection.freeVersion(code, before.version + 1);
}

function withWrite(context: FhirContext, request: FhirRequest, step: Step, { body, recordOf }: Written): Step {
  const { entry, type, id } = step;
  if (entry.method === 'POST') {
    if (step.current !== undefined) return step;
    return { ...step, write: on(step.condition, writeOf(recordOf, body(step), [type, id], 0)) };
  }
  const own = requestOf(entry, request);
  if (entry.method === 'DELETE') return deletionStep(step, inForce(context, own, 'delete', type, id));
  const current = inForce(context, own, 'update', type, id);
  const content = entry.method === 'PATCH' ? patchOf(own)(current, `${type}/${id}`) : body(step);
  return updateStep(context, step, current, writeOf(recordOf, content, [type, id], current?.version ?? 0));
}

function updateStep(context: FhirContext, step: Step, current: StoredVersion | undefined, write: ResourceWrite): Step {
  if (current === undefined) {
    requireFree(context, step.type, step.id);
    return { ...step, write: on(step.condition, write) };
  }
  return isSame(current, write) ? { ...step, current } : { ...step, current, write };
}

function deletionStep(step: Step, current: StoredVersion | undefined): Step {
  if (current === undefined) return step;
  return current.deleted ? { ...step, current } : { ...step, current, write: deletionOf(current) };
}
