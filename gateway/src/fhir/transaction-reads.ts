/** Reads within a transaction: one that is refused refuses the whole, before anything is written (R4 http.html#transaction). */
import { isChange, requestOf, type Entry } from './bundle.js';
import type { FhirRequest, FhirResponse } from './request.js';
import type { Reader, Step } from './transaction-response.js';

/** What the entries are answered that read what is not written here: when one fails, nothing is written. */
export async function readsBefore(
  request: FhirRequest,
  entries: readonly Entry[],
  writing: readonly Step[],
  reader: Reader,
): Promise<Map<number, FhirResponse>> {
  const written = new Set(writing.map(({ type, id }) => `${type}/${id}`));
  const reads = new Map<number, FhirResponse>();
  for (const entry of entries) {
    const [path = ''] = entry.url.split('?');
    if (isChange(entry) || written.has(path.split('/').slice(0, 2).join('/'))) continue;
    reads.set(entry.position, await reader(requestOf(entry, request)));
  }
  return reads;
}

/** A transaction with an entry that is refused is refused (R4 http.html#transaction-response). */
export function refusedRead(reads: ReadonlyMap<number, FhirResponse>): FhirResponse | undefined {
  const failed = [...reads].find(([, { status }]) => status >= 400);
  if (failed === undefined) return undefined;
  const [position, { status, resource }] = failed;
  const { issue = [] } = resource as { issue?: readonly object[] };
  const expression = [`Bundle.entry[${position}]`];
  return {
    status,
    headers: {},
    resource: { resourceType: 'OperationOutcome', issue: issue.map((each) => ({ ...each, expression })) },
  };
}
