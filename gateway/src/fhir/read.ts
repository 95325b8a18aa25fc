/** read, vread and history (R4 http.html#read, #vread, #history). */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import type { HistoryEntry } from '../projection/projection.js';
import { bundleText, type EntryText } from './bundle-text.js';
import {
  answer,
  etagOf,
  notFound,
  requireId,
  versionHeaders,
  versionOf,
  visible,
  type FhirContext,
} from './context.js';
import { gone } from './outcome.js';
import { pageSize } from './paging.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { shaped } from './shape.js';

/**
 * The current version; of a patient kept elsewhere, what a custodian shows. Refused alike: unknown, hidden and
 * deleted for others.
 */
export async function read(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  id: string,
): Promise<FhirResponse> {
  const seen = visible(context, request, 'read', [type, id]);
  if (seen === undefined) {
    const remote = await context.remote?.read(request, type, id);
    if (remote === undefined) throw notFound(type, id);
    return remote;
  }
  if (seen.deleted) return gone(seen.version);
  if (isUnchanged(request, seen)) return { status: 304, headers: versionHeaders(seen) };
  return shaped(answer(seen), request.query);
}

/** Conditional read: what the client already has is not sent again. */
function isUnchanged({ headers }: FhirRequest, seen: StoredVersion): boolean {
  const known = headers['if-none-match'];
  if (known !== undefined) return known.split(',').some((etag) => versionOf(etag) === String(seen.version));
  const since = Date.parse(headers['if-modified-since'] ?? '');
  // HTTP dates have whole seconds.
  return Math.floor(Date.parse(seen.lastUpdated) / 1000) * 1000 <= since;
}

/** One version by number; refused as unknown where there is none or the asker may not see it. */
export function vread(
  context: FhirContext,
  request: FhirRequest,
  [type, id, version]: readonly [string, string, string],
): FhirResponse {
  requireId(id);
  const stored = /^[1-9]\d{0,14}$/.test(version) ? context.projection.version(type, id, Number(version)) : undefined;
  const seen = stored === undefined ? undefined : context.decision.permit(request.actor, stored, 'vread');
  if (seen === undefined) throw notFound(type, id);
  return seen.deleted ? gone(seen.version) : shaped(answer(seen), request.query);
}

/** History of a resource, of a type or of everything; newest first. */
export function history(context: FhirContext, request: FhirRequest, type?: string, id?: string): FhirResponse {
  if (id !== undefined) requireId(id);
  requireKnown(request.query);
  const count = pageSize(request.query);
  const page = versions(context, request, { ...(type && { type }), ...(id && { id }) }, count + 1);
  if (page.length === 0 && type !== undefined && id !== undefined && !isNarrowed(request.query))
    throw notFound(type, id);
  return historyBundle(context, request, page.slice(0, count), page.length > count);
}

const HISTORY_PARAMETERS = new Set(['_since', '_count', '_cursor', '_format', '_pretty', '_summary']);

/** Throws Refusal for what would be left out of the answer without a word. */
function requireKnown(query: URLSearchParams): void {
  const unknown = [...query.keys()].find((name) => !HISTORY_PARAMETERS.has(name));
  if (unknown !== undefined) {
    throw new Refusal('invalid', 'unknown-parameter', `a history has no parameter '${unknown.slice(0, 80)}'`);
  }
}

/** Up to `limit` versions that the actor may see. */
function versions(
  context: FhirContext,
  request: FhirRequest,
  of: { readonly type?: string; readonly id?: string },
  limit: number,
): HistoryEntry[] {
  const found: HistoryEntry[] = [];
  const asked = { ...of, ...period(request.query), limit };
  let before = position(request.query);
  while (found.length < limit) {
    const entries = context.projection.history(before === undefined ? asked : { ...asked, before });
    for (const entry of entries) {
      const stored = context.decision.permit(request.actor, entry.stored, 'history');
      if (stored !== undefined) found.push({ ...entry, stored });
    }
    before = entries.at(-1)?.position;
    if (entries.length < limit) break;
  }
  return found.slice(0, limit);
}

function isNarrowed(query: URLSearchParams): boolean {
  return query.has('_since') || query.has('_cursor');
}

function period(query: URLSearchParams): { since?: string; until?: string } {
  const since = query.get('_since');
  if (since === null) return {};
  const time = new Date(since);
  if (Number.isNaN(time.getTime()))
    throw new Refusal('invalid', 'bad-value', '_since is an instant such as 2026-01-31T10:00:00Z');
  return { since: time.toISOString() };
}

/** Where the page before ended: a version's number in the projection, which says nothing about anybody. */
function position(query: URLSearchParams): number | undefined {
  const cursor = query.get('_cursor');
  if (cursor === null) return undefined;
  if (!/^\d{1,15}$/.test(cursor))
    throw new Refusal('invalid', 'bad-cursor', 'this page is not known here: start again');
  return Number(cursor);
}

function historyBundle(
  context: FhirContext,
  request: FhirRequest,
  page: readonly HistoryEntry[],
  more: boolean,
): FhirResponse {
  const self = `${context.baseUrl}/${request.path}`;
  const link = [{ relation: 'self', url: withQuery(self, request.query) }];
  const last = page.at(-1);
  if (more && last !== undefined) {
    const query = new URLSearchParams(request.query);
    query.set('_cursor', String(last.position));
    link.push({ relation: 'next', url: withQuery(self, query) });
  }
  const whole = !more && position(request.query) === undefined;
  const head = { type: 'history', ...(whole ? { total: page.length } : {}), link };
  const entries = page.map(({ stored }) => historyEntry(context, stored));
  return { status: 200, headers: {}, resource: bundleText(head, entries) };
}

function historyEntry(context: FhirContext, stored: StoredVersion): EntryText {
  const name = `${stored.type}/${stored.id}`;
  const response = { etag: etagOf(stored.version), lastModified: stored.lastUpdated };
  const fullUrl = `${context.baseUrl}/${name}`;
  if (stored.deleted) {
    return { fullUrl, more: { request: { method: 'DELETE', url: name }, response: { status: '204', ...response } } };
  }
  const first = stored.version === 1;
  const request = first ? { method: 'POST', url: stored.type } : { method: 'PUT', url: name };
  return {
    fullUrl,
    resource: stored.text,
    more: { request, response: { status: first ? '201' : '200', ...response } },
  };
}

/** The URL with its query, without a lone question mark. */
export function withQuery(url: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === '' ? url : `${url}?${text}`;
}
