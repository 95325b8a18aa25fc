/** Histories at other custodians: how they are asked for and what of them may be shown (R4 http.html#history). */
import { ASKED_RECORD } from '../fhir/asked-record.js';
import type { JsonObject } from '../fhir/json.js';
import { nextOf, shapesOf, wholeOf, withParameters, withQuery } from './searchsets.js';

/** Path of an instance's history at its custodian, or of one version. */
export function historyPath(
  query: URLSearchParams,
  [type, id]: readonly [string, string],
  version: number | undefined,
): string {
  const path = `${type}/${id}/_history`;
  if (version !== undefined) return `${path}/${version}`;
  const asked = wholeOf(query);
  asked.delete(ASKED_RECORD);
  return withQuery(path, asked);
}

/** Path of the next page here: in the same record, in the same shape. Undefined at the end. */
export function nextIn(bundle: JsonObject, query: URLSearchParams): string | undefined {
  const next = nextOf(bundle);
  if (next === undefined) return undefined;
  const more = shapesOf(query);
  const record = query.get(ASKED_RECORD);
  if (record !== null) more.set(ASKED_RECORD, record);
  return withParameters(next, more);
}

/** Whether an entry may stand in a history: it says what was done. What else is told has no place there (R4 bdl-3). */
export function isOfHistory({ request }: JsonObject): boolean {
  return request !== undefined;
}

/** An entry for a version that could not be shown, which says why not. */
export function withoutVersion({ fullUrl, request, response }: JsonObject, outcome: object): JsonObject {
  return { fullUrl, request, response: { ...(response as JsonObject), outcome } };
}
