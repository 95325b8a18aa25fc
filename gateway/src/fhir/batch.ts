/**
 * A batch: each entry is answered for itself (R4 http.html#brules). A server may choose any order; here an entry finds
 * what those before it did, as clients expect who list a read behind a write; what cannot matter to another runs beside it.
 */
import { Refusal } from '../ledger/refusal.js';
import { bundleText, type EntryText } from './bundle-text.js';
import { isChange, requestOf, type Entry } from './bundle.js';
import { outcomeOf } from './outcome.js';
import { referencesIn } from './references.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { bodiless, entryAnswer } from './transaction-response.js';

/** Entries of a batch that are worked on at a time: writes among them may share a Fabric transaction. */
const BATCH_WIDTH = 32;

/** Characters of resources after which a batch reads no more: small requests must not make endless answers. */
export const BATCH_ANSWER_LIMIT = 32 * 1024 * 1024;

type Asked = Entry | Refusal;

/** The batch-response: 200 whatever becomes of the entries, each answered by `handle` as a request of its own. */
export async function batch(
  request: FhirRequest,
  entries: readonly Asked[],
  handle: (request: FhirRequest) => Promise<FhirResponse>,
): Promise<FhirResponse> {
  const answers: EntryText[] = [];
  let size = 0;
  for (const part of sideBySide(withoutLinks(entries))) {
    const full = size > BATCH_ANSWER_LIMIT;
    const asked = part.map(async (entry): Promise<FhirResponse> => {
      if (entry instanceof Refusal) return { headers: {}, ...outcomeOf(entry) };
      return full && entry.method === 'GET' ? tooLong() : bodiless(entry, await handle(requestOf(entry, request)));
    });
    for (const response of await Promise.all(asked)) {
      const answer = entryAnswer(response);
      size += answer.resource?.length ?? 0;
      answers.push(answer);
    }
  }
  return { status: 200, headers: {}, resource: bundleText({ type: 'batch-response' }, answers) };
}

/** In place of an entry that refers to what another one creates, why it is refused: the reference would lead nowhere. */
function withoutLinks(entries: readonly Asked[]): Asked[] {
  const made = new Set(entries.flatMap((entry) => (entry instanceof Refusal ? [] : temporary(entry))));
  return entries.map((entry) => {
    if (made.size === 0 || entry instanceof Refusal || entry.resource === undefined) return entry;
    const links = referencesIn(entry.resource, String(entry.resource.resourceType));
    const link = links.find(({ reference }) => made.has(reference) && reference !== entry.fullUrl);
    if (link === undefined) return entry;
    const said = `${link.path} refers to another entry, which it must not in a batch: send a transaction`;
    return new Refusal('invalid', 'unprocessable', said);
  });
}

/** The full URL of what gets another address when it is created. */
function temporary({ method, fullUrl = '' }: Entry): string[] {
  return method === 'POST' || (method === 'PUT' && fullUrl.startsWith('urn:')) ? [fullUrl] : [];
}

/** Entries in their order, together as long as they are all reads, or all changes that name nothing twice. */
function* sideBySide(entries: readonly Asked[]): Generator<readonly Asked[]> {
  let part: Asked[] = [];
  for (const entry of entries) {
    if (part.length === BATCH_WIDTH || part.some((before) => matters(before, entry))) {
      yield part;
      part = [];
    }
    part.push(entry);
  }
  if (part.length > 0) yield part;
}

/** Whether an entry must wait for one before it. What a POST makes has a name of its own. */
function matters(before: Asked, entry: Asked): boolean {
  if (before instanceof Refusal || entry instanceof Refusal) return false;
  if (isChange(before) !== isChange(entry)) return true;
  return isChange(entry) && entry.method !== 'POST' && entry.url === before.url;
}

function tooLong(): FhirResponse {
  return {
    headers: {},
    ...outcomeOf(new Refusal('invalid', 'too-large', 'the answers before fill the batch: ask for this one apart')),
  };
}
