/** batch and transaction: what every entry asks for, checked before anything is done (R4 http.html#transaction). */
import { Refusal } from '../ledger/refusal.js';
import { isResourceType } from '../projection/generated.js';
import { asResource } from './body.js';
import { isRaw, type JsonObject } from './json.js';
import type { FhirRequest } from './request.js';

/** Entries in one Bundle: as many versions as fit in one transaction. */
export const BUNDLE_ENTRY_LIMIT = 2_000;

/** One entry of a batch or transaction as it was asked for (R4 Bundle.entry.request). */
export interface Entry {
  readonly position: number;
  readonly fullUrl?: string;
  readonly method: string;
  /** Below the base: `Patient/1`, `Patient?identifier=x`. */
  readonly url: string;
  readonly resource?: JsonObject;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  readonly ifNoneExist?: string;
  readonly ifModifiedSince?: string;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

const CHANGES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** The entries of a transaction. Throws Refusal naming the entry. */
export function entriesOf(bundle: JsonObject, baseUrl: string): Entry[] {
  const entries = listed(bundle).map((entry, position) => entryOf(entry, position, baseUrl));
  const known = new Set<string>();
  for (const { fullUrl, position } of entries) {
    if (fullUrl === undefined) continue;
    if (known.has(fullUrl)) throw bad(`Bundle.entry[${position}].fullUrl is another entry's, too (bdl-7)`);
    known.add(fullUrl);
  }
  return entries;
}

/** The entries of a batch, each for itself: in place of one that cannot be read, the Refusal that says why. */
export function eachEntryOf(bundle: JsonObject, baseUrl: string): (Entry | Refusal)[] {
  return listed(bundle).map((entry, position) => {
    try {
      return entryOf(entry, position, baseUrl);
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  });
}

function listed({ entry = [] }: JsonObject): readonly unknown[] {
  if (!Array.isArray(entry)) throw new Refusal('invalid', 'structure', 'Bundle.entry is a list');
  if (entry.length > BUNDLE_ENTRY_LIMIT) {
    throw new Refusal('invalid', 'too-costly', `a Bundle has at most ${BUNDLE_ENTRY_LIMIT} entries: split it`);
  }
  return entry;
}

/** Whether an entry may change something: a search by POST does not. */
export function isChange({ method, url }: Entry): boolean {
  return CHANGES.has(method) && !(method === 'POST' && /(?:^|\/)_search(?:\?|$)/.test(url));
}

/** Elements of R4 Bundle.entry and Bundle.entry.request. */
const ENTRY = new Set([
  'id',
  'extension',
  'modifierExtension',
  'link',
  'fullUrl',
  'resource',
  'search',
  'request',
  'response',
]);
const REQUEST = new Set([
  ...['id', 'extension', 'modifierExtension', 'method', 'url'],
  ...['ifNoneMatch', 'ifModifiedSince', 'ifMatch', 'ifNoneExist'],
]);

function entryOf(entry: unknown, position: number, baseUrl: string): Entry {
  const at = `Bundle.entry[${position}]`;
  const { fullUrl, resource, request } = object(entry, at, ENTRY);
  const { method, url, ...conditions } = object(request, `${at}.request`, REQUEST);
  const { ifMatch, ifNoneMatch, ifNoneExist, ifModifiedSince } = conditions;
  if (typeof method !== 'string' || !METHODS.has(method))
    throw bad(`${at}.request.method is GET, HEAD, POST, PUT, PATCH or DELETE`);
  if (typeof url !== 'string') throw bad(`${at}.request.url is missing`);
  const given = { fullUrl, ifMatch, ifNoneMatch, ifNoneExist, ifModifiedSince };
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && typeof value !== 'string') throw bad(`${at}: ${name} is a string`);
  }
  return {
    position,
    method,
    url: relative(url, baseUrl),
    ...(resource === undefined ? {} : { resource: asResource(resource) }),
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<Entry>),
  };
}

function object(value: unknown, at: string, elements: ReadonlySet<string>): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isRaw(value))
    throw bad(`${at} is missing or no object`);
  const strange = Object.keys(value).find((name) => !elements.has(name.replace(/^_/, '')));
  if (strange !== undefined) throw bad(`${at}.${strange.slice(0, 40)} is no element of R4`);
  return value as JsonObject;
}

function bad(detail: string): Refusal {
  return new Refusal('invalid', 'structure', detail);
}

function relative(url: string, baseUrl: string): string {
  const local = url.startsWith(`${baseUrl}/`) ? url.slice(baseUrl.length + 1) : url;
  return local.replace(/^\//, '');
}

/** Type, id and criteria of an entry's URL. */
export function targetOf(entry: Entry): { readonly type: string; readonly id?: string; readonly criteria?: string } {
  const [path, criteria] = splitOnce(entry.url, '?');
  const [type = '', id, ...rest] = path.split('/');
  if (!isResourceType(type) || rest.length > 0) {
    throw bad(`Bundle.entry[${entry.position}].request.url is no resource type or Type/id: ${entry.method} needs one`);
  }
  if (entry.method === 'POST' && id !== undefined) {
    throw bad(
      `Bundle.entry[${entry.position}]: a transaction creates by POST to a type; ask for operations in a batch`,
    );
  }
  return { type, ...(id === undefined ? {} : { id }), ...(criteria === undefined ? {} : { criteria }) };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** The entry as a request of its own; a JSON Patch comes as a Binary (R4 http.html#patch). */
export function requestOf(entry: Entry, outer: FhirRequest): FhirRequest {
  const [path, query = ''] = splitOnce(entry.url, '?');
  const request = { method: entry.method, path, query: new URLSearchParams(query), actor: outer.actor };
  const { resource } = entry;
  const headers = headersOf(entry, outer);
  if (resource === undefined) return { ...request, headers };
  if (entry.method !== 'PATCH' || resource.resourceType !== 'Binary') {
    return { ...request, headers, body: JSON.stringify(resource) };
  }
  const body = Buffer.from(String(resource.data), 'base64').toString();
  return { ...request, headers: { ...headers, 'content-type': String(resource.contentType) }, body };
}

function headersOf(entry: Entry, outer: FhirRequest): Record<string, string> {
  const key = outer.headers['idempotency-key'];
  const given = {
    prefer: outer.headers.prefer,
    'x-statement': outer.headers['x-statement'],
    'x-provenance': outer.headers['x-provenance'],
    'if-match': entry.ifMatch,
    'if-none-match': entry.ifNoneMatch,
    'if-none-exist': entry.ifNoneExist,
    'if-modified-since': entry.ifModifiedSince,
    'idempotency-key': key === undefined ? undefined : `${key}.${entry.position}`,
  };
  const sent = Object.entries(given).filter((each): each is [string, string] => each[1] !== undefined);
  return { 'content-type': 'application/fhir+json', ...Object.fromEntries(sent) };
}
