/** transaction-response: what became of each entry of a transaction (R4 http.html#transaction-response). */
import type { Commit, ResourceWrite, StoredVersion, WriteCondition } from '../ports.js';
import { bundleText, type EntryText } from './bundle-text.js';
import { requestOf, type Entry } from './bundle.js';
import { isShown, preferenceOf, wellStored } from './commit.js';
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
  /** What entries that read were answered before, by position; absent = they are asked now. */
  readonly reads?: ReadonlyMap<number, FhirResponse>;
  /** What was written, by the entry's position. */
  readonly versions: ReadonlyMap<number, StoredVersion | undefined>;
}

/** The Bundle that says what became of each entry. */
export async function respond(
  context: FhirContext,
  request: FhirRequest,
  { entries, steps, reader, commit, versions, reads, replayed = false }: Done,
): Promise<FhirResponse> {
  const byPosition = new Map(steps.map((step) => [step.entry.position, step]));
  const wanted = preferenceOf(request);
  const told = (step: Step): EntryText => {
    const stored = versions.get(step.entry.position) ?? step.current;
    // What an earlier request wrote is decided on again.
    const shows = !replayed || (stored !== undefined && isShown(context, request, stored));
    return stepAnswer(context, step, stored, shows ? wanted : undefined);
  };
  const answers: EntryText[] = [];
  for (const entry of entries) {
    const step = byPosition.get(entry.position);
    if (step === undefined) {
      const read = reads?.get(entry.position) ?? (await reader(requestOf(entry, request)));
      answers.push(entryAnswer(bodiless(entry, read)));
    } else answers.push(told(step));
  }
  const headers = commit === undefined ? {} : { 'X-Tx-Id': commit.txId, 'X-Block': String(commit.block) };
  return { status: 200, headers, resource: bundleText({ type: 'transaction-response' }, answers) };
}

function stepAnswer(
  context: FhirContext,
  { write, current }: Step,
  stored: StoredVersion | undefined,
  wanted: string | undefined,
): EntryText {
  if (stored === undefined) return { more: { response: { status: '204 No Content' } } };
  const etag = etagOf(stored.version);
  if (stored.deleted) return { more: { response: { status: '204 No Content', etag } } };
  const response = {
    status: isMade(write, current) ? '201 Created' : '200 OK',
    location: locationOf(context, stored),
    etag,
    lastModified: stored.lastUpdated,
    ...(wanted === 'OperationOutcome' ? { outcome: wellStored(stored) } : {}),
  };
  return { ...(wanted === 'representation' ? { resource: stored.text } : {}), more: { response } };
}

/** Whether the entry made the resource, or brought it back (R4 http.html#update). */
function isMade(write: ResourceWrite | undefined, current: StoredVersion | undefined): boolean {
  return write !== undefined && (write.expect === 0 || current?.deleted === true);
}

/** The answer to an entry, without what HEAD does not ask for (R4 http.html#head). */
export function bodiless({ method }: Entry, response: FhirResponse): FhirResponse {
  return method === 'HEAD' && response.status < 400 ? { status: response.status, headers: response.headers } : response;
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
