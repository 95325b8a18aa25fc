/** history of a resource, of a type or of everything (R4 http.html#history). */
import { provenanceId } from '../ehr/provenance-id.js';
import { Refusal } from '../ledger/refusal.js';
import type { HistoryEntry, HistoryQuery } from '../projection/history.js';
import { dateOf } from '../projection/search/values.js';
import { ASKED_RECORD, instanceElsewhere, isOfAsked } from './asked-record.js';
import { bundleAnswer, type EntryText } from './bundle-text.js';
import { etagOf, notFound, requireId, type FhirContext } from './context.js';
import { ifLost } from './outcome.js';
import { links, pageSize, type Around } from './paging.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { shapeOf, type Shape } from './shape.js';
import type { StoredVersion } from '../ports.js';

/** Whose versions are asked for. */
interface Subject {
  readonly type?: string;
  readonly id?: string;
}

/**
 * A page of it; newest first unless `_sort` says otherwise; of an instance in the record of a patient kept elsewhere, what a
 * custodian shows. Refuses the history of what is unknown or hidden.
 */
export async function history(
  context: FhirContext,
  request: FhirRequest,
  type?: string,
  id?: string,
): Promise<FhirResponse> {
  const of = subject(type, id);
  const asked = queryOf(request.query, of);
  const shape = shapeOf(request.query);
  const count = request.query.get('_summary') === 'count' ? 0 : pageSize(request.query);
  const found = count === 0 ? [] : versions(context, request, asked, count + 1);
  if (found.length === 0 && isOfInstance(of) && !isSeen(context, request, of)) {
    return await historyElsewhere(context, request, of);
  }
  const total = totalOf(context, request, asked, { count, found: found.length });
  return historyBundle(context, request, pageOf(found, count, asked), { total, shape });
}

async function historyElsewhere(
  { remote }: FhirContext,
  request: FhirRequest,
  { type, id }: Required<Subject>,
): Promise<FhirResponse> {
  const elsewhere = instanceElsewhere(request, type, id);
  const found = elsewhere && (await remote?.history(request, elsewhere));
  if (found === undefined) throw notFound(type, id);
  return found;
}

/** What is asked for, and whether the page is the one in front of where it starts. */
interface Asked extends HistoryQuery {
  readonly isBack: boolean;
}

/** What is on a page and where those around it start. */
interface Page extends Around {
  readonly entries: readonly HistoryEntry[];
}

/** Of what was found from a place on, one more than fits where there are more. */
function pageOf(found: readonly HistoryEntry[], count: number, { isBack, beyond }: Asked): Page {
  const isCut = found.length > count;
  const gone = found.slice(0, count);
  const entries = isBack ? gone.toReversed() : gone;
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return { entries };
  const hasPrevious = isBack ? isCut : beyond !== undefined;
  return {
    entries,
    ...(isBack || isCut ? { next: String(last.position) } : {}),
    ...(hasPrevious ? { previous: `-${first.position}` } : {}),
  };
}

function isOfInstance(of: Subject): of is Required<Subject> {
  return of.type !== undefined && of.id !== undefined;
}

function subject(type?: string, id?: string): Subject {
  if (type === undefined) return {};
  if (id === undefined) return { type };
  requireId(id);
  return { type, id };
}

/** Of one resource all are counted; of more, a page that holds all of them says how many. */
function totalOf(
  context: FhirContext,
  request: FhirRequest,
  asked: HistoryQuery,
  { count, found }: { readonly count: number; readonly found: number },
): number | undefined {
  if (count > 0 && found <= count && asked.beyond === undefined) return found;
  if (count > 0 && asked.id === undefined) return undefined;
  const all: HistoryQuery = { ...asked, beyond: undefined };
  return [...walk(context, request, all, COUNTED_AT_A_TIME)].length;
}

const COUNTED_AT_A_TIME = 500;

const PARAMETERS = new Set([
  ...['_since', '_at', '_sort', '_count', '_cursor', '_format', '_pretty', '_summary', '_elements'],
]);

/** From the query string. Throws Refusal for what would be left out of the answer without a word. */
function queryOf(query: URLSearchParams, of: Subject): Asked {
  const isKnown = (name: string): boolean => PARAMETERS.has(name) || (name === ASKED_RECORD && of.id !== undefined);
  const unknown = [...query.keys()].find((name) => !isKnown(name));
  if (unknown !== undefined) {
    throw new Refusal('invalid', 'unknown-parameter', `a history has no parameter '${unknown.slice(0, 80)}'`);
  }
  const cursor = position(query);
  const isBack = cursor?.startsWith('-') === true;
  return {
    ...{ ...of, ...since(query), ...at(query), limit: 0, isBack },
    ...(ascending(query) === isBack ? {} : { ascending: true }),
    ...(cursor === undefined ? {} : { beyond: Number(cursor.replace('-', '')) }),
  };
}

function ascending(query: URLSearchParams): boolean {
  const sort = query.get('_sort') ?? '-_lastUpdated';
  if (sort === '_lastUpdated') return true;
  if (sort === '-_lastUpdated') return false;
  throw new Refusal('invalid', 'bad-value', '_sort of a history is _lastUpdated or -_lastUpdated');
}

function since(query: URLSearchParams): { since?: string } {
  const text = query.get('_since');
  if (text === null) return {};
  const time = new Date(text.replace(' ', '+'));
  if (Number.isNaN(time.getTime()))
    throw new Refusal('invalid', 'bad-value', '_since is an instant such as 2026-01-31T10:00:00Z');
  return { since: time.toISOString() };
}

/** `_at`: versions that were in force at some time of the period. */
function at(query: URLSearchParams): { until?: string; endingAfter?: string } {
  const text = query.get('_at');
  if (text === null) return {};
  const { low, high } = dateOf(text);
  return { until: new Date(high).toISOString(), endingAfter: new Date(low).toISOString() };
}

/** Whether some version of the resource may be seen, whatever the query leaves of it. */
function isSeen(context: FhirContext, request: FhirRequest, of: Subject): boolean {
  return versions(context, request, { ...of, limit: 0 }, 1).length > 0;
}

/** Up to `limit` versions that the actor may see. */
function versions(context: FhirContext, request: FhirRequest, asked: HistoryQuery, limit: number): HistoryEntry[] {
  const found: HistoryEntry[] = [];
  for (const entry of walk(context, request, asked, limit)) {
    found.push(entry);
    if (found.length === limit) break;
  }
  return found;
}

/** Every version that the actor may see, `size` rows at a time. */
function* walk(
  { projection, decision }: FhirContext,
  request: FhirRequest,
  asked: HistoryQuery,
  size: number,
): Generator<HistoryEntry> {
  const { actor } = request;
  let query: HistoryQuery = { ...asked, limit: size };
  for (;;) {
    const entries = projection.history(query);
    for (const entry of entries) {
      const stored = decision.permit(actor, entry.stored, 'history');
      if (stored !== undefined && isOfAsked(request, stored)) yield { ...entry, stored };
    }
    const last = entries.at(-1);
    if (entries.length < size || last === undefined) return;
    query = { ...query, beyond: last.position };
  }
}

/**
 * Where the page before ended, with a minus in front where the one behind it started: a version's number in the
 * projection, which says nothing about anybody.
 */
function position(query: URLSearchParams): string | undefined {
  const cursor = query.get('_cursor');
  if (cursor === null) return undefined;
  if (!/^-?\d{1,15}$/.test(cursor))
    throw new Refusal('invalid', 'bad-cursor', 'this page is not known here: start again');
  return cursor;
}

function historyBundle(
  context: FhirContext,
  request: FhirRequest,
  page: Page,
  { total, shape = (text) => text }: { readonly total: number | undefined; readonly shape: Shape | undefined },
): FhirResponse {
  const link = links(`${context.baseUrl}/${request.path}`, request.query, page);
  const head = { type: 'history', ...(total === undefined ? {} : { total }), link };
  const entries = page.entries.map(({ stored }) => historyEntry(context, stored, shape));
  return bundleAnswer({ head, entries });
}

/** PROV-AQ (https://www.w3.org/TR/prov-aq/): where it is said who wrote the version, when and why. */
const HAS_PROVENANCE = 'http://www.w3.org/ns/prov#has_provenance';

function provenanceLink({ member, baseUrl }: FhirContext, stored: StoredVersion): object {
  const id = member === undefined ? undefined : provenanceId(stored);
  return id === undefined ? {} : { link: [{ relation: HAS_PROVENANCE, url: `${baseUrl}/Provenance/${id}` }] };
}

/** Ids of the form that a create gives; any other came with a PUT. */
const MADE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[48][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function historyEntry(context: FhirContext, stored: StoredVersion, shape: Shape): EntryText {
  const name = `${stored.type}/${stored.id}`;
  const response = { etag: etagOf(stored.version), lastModified: stored.lastUpdated };
  const fullUrl = `${context.baseUrl}/${name}`;
  const more = provenanceLink(context, stored);
  if (stored.deleted) {
    return {
      fullUrl,
      more: { ...more, request: { method: 'DELETE', url: name }, response: { status: '204', ...response } },
    };
  }
  const first = stored.version === 1;
  const posted = first && MADE_ID.test(stored.id);
  const request = posted ? { method: 'POST', url: stored.type } : { method: 'PUT', url: name };
  const told = { status: first ? '201' : '200', ...response };
  return ifLost(
    (): EntryText => ({ fullUrl, resource: shape(stored.text), more: { ...more, request, response: told }, stored }),
    (outcome) => ({ fullUrl, more: { ...more, request, response: { ...told, outcome } } }),
  );
}
