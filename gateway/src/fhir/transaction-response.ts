/** transaction-response: what became of each entry of a transaction (R4 http.html#transaction-response). */
import type { Commit, ResourceWrite, StoredVersion, WriteCondition } from '../ports.js';
import { bundleText, type EntryText } from './bundle-text.js';
import { requestOf, type Entry } from './bundle.js';
import { isShown } from './commit.js';
import { etagOf, locationOf, type FhirContext } from './context.js';
import type { FhirRequest, FhirResponse } from './request.js';

/** What becomes of an entry; one without a write finds what it asks for already there. */
export interface Step {
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

/** A transaction as it was carried out. */
export interface Done {
  readonly entries: readonly Entry[];
  readonly steps: readonly Step[];
  readonly reader: Reader;
  readonly commit?: Commit;
  readonly replayed?: boolean;
  /** What was written, by the entry's position. */
  readonly versions: ReadonlyMap<number, StoredVersion | undefined>;
}

/** The Bundle that says what became of each entry. */
export async function respond(
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
  { write, current }: Step,
  stored: StoredVersion | undefined,
  full: boolean,
): EntryText {
  if (stored === undefined) return { more: { response: { status: '204 No Content' } } };
  const etag = etagOf(stored.version);
  if (stored.deleted) return { more: { response: { status: '204 No Content', etag } } };
  const response = {
    status: isMade(write, current) ? '201 Created' : '200 OK',
    location: locationOf(context, stored),
    etag,
    lastModified: stored.lastUpdated,
  };
  return { ...(full ? { resource: stored.text } : {}), more: { response } };
}

/** Whether the entry made the resource, or brought it back (R4 http.html#update). */
function isMade(write: ResourceWrite | undefined, current: StoredVersion | undefined): boolean {
  return write !== undefined && (write.expect === 0 || current?.deleted === true);
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
