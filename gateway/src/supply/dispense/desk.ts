/** What dispensing reads and writes of the record, each as the person who asks may. */
import { parseBody, type JsonObject } from '../../fhir/json.js';
import type { Fhir, FhirRequest, FhirResponse } from '../../fhir/request.js';
import { Refusal } from '../../ledger/refusal.js';
import { asList, isMap } from '../event/json.js';
import { isOfPack, PACK_SYSTEM, undonePatch } from './record.js';

/** The FHIR interface, and who asks it. */
export interface Asking {
  readonly fhir: Fhir;
  readonly request: Pick<FhirRequest, 'actor'>;
}

/** An answer of the interface that is no success: given on as it is. */
export class Answered extends Error {
  constructor(readonly response: FhirResponse) {
    super(`answered ${response.status}`);
  }
}

/** Throws Refusal for whoever has another role. */
export function demandRole({ request: { actor } }: Asking, role: string, does: string): void {
  if (actor.role !== role) throw new Refusal('forbidden', 'not-your-role', `only a ${role} ${does}`);
}

/** Asks the interface as whoever asks. Throws Answered for anything but a success. */
export async function asked(
  { fhir, request: { actor } }: Asking,
  question: Pick<FhirRequest, 'method' | 'path'> & Partial<FhirRequest>,
): Promise<FhirResponse> {
  const headers = { 'content-type': 'application/fhir+json' };
  const response = await fhir({ actor, query: new URLSearchParams(), headers, ...question });
  if (response.status >= 300) throw new Answered(response);
  return response;
}

/** The resource at a path. Throws Answered. */
export async function read(asking: Asking, path: string): Promise<JsonObject> {
  return resourceOf(await asked(asking, { method: 'GET', path }));
}

/** Changes the resource at a path by JSON Patch, of this version where one is named. Throws Answered. */
export async function patch(asking: Asking, path: string, body: string, version?: string): Promise<void> {
  const headers = {
    'content-type': 'application/json-patch+json',
    ...(version === undefined ? {} : { 'if-match': version }),
  };
  await asked(asking, { method: 'PATCH', path, body, headers });
}

/** The resource of an answer. */
export function resourceOf({ resource }: FhirResponse): JsonObject {
  return typeof resource === 'string' ? (parseBody(resource).plain as JsonObject) : (resource ?? {});
}

/** This member's MedicationDispenses of a pack that have one of these statuses. Throws Answered. */
export async function recordsOf(
  asking: Asking,
  epc: string,
  statuses: readonly string[],
): Promise<readonly JsonObject[]> {
  const query = new URLSearchParams({ identifier: `${PACK_SYSTEM}|${epc}`, status: statuses.join(',') });
  const found = resourceOf(await asked(asking, { method: 'GET', path: 'MedicationDispense', query }));
  const resources = asList(found.entry).map((each) => (isMap(each) ? each.resource : undefined));
  return (resources.filter(isMap) as readonly JsonObject[]).filter((each) => isOfPack(each, epc));
}

/** Says of these records that what they tell never was: nobody was given the pack. Throws Answered. */
export async function markUndone(asking: Asking, records: readonly JsonObject[]): Promise<void> {
  for (const { id } of records) await patch(asking, `MedicationDispense/${String(id)}`, undonePatch());
}
