/** Answers made of what custodians show. */
import type { JsonObject } from '../fhir/json.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { incompleteTag } from './note.js';
import { entriesOf, isCovered, shapedBy, typeOf } from './searchsets.js';

/** What a custodian shows. */
export interface CustodianBundle {
  readonly custodian: string;
  readonly bundle: JsonObject;
}

/** A Bundle with the note that it may be incomplete. */
export function bundleOf(type: string, next: string | undefined, entry: readonly JsonObject[]): FhirResponse {
  const link = next === undefined ? {} : { link: [{ relation: 'next', url: next }] };
  const resource = { resourceType: 'Bundle', meta: { tag: [incompleteTag] }, type, ...link, entry };
  return { status: 200, headers: {}, resource };
}

/** The resource of the type that a custodian shows, as a read is answered; undefined where none does. */
export function instanceIn(
  { actor, query }: FhirRequest,
  type: string,
  bundles: readonly CustodianBundle[],
): FhirResponse | undefined {
  const found = bundles
    .flatMap(({ bundle }) => entriesOf(bundle))
    .find((entry) => typeOf(entry) === type && isCovered(actor)(entry));
  if (found === undefined) return undefined;
  const resource = shapedBy(query)(found).resource as JsonObject;
  const { versionId, lastUpdated } = metaOf(resource);
  const headers = {
    ...(versionId === undefined ? {} : { ETag: `W/"${versionId}"` }),
    ...(lastUpdated === undefined ? {} : { 'Last-Modified': new Date(lastUpdated).toUTCString() }),
  };
  return { status: 200, headers, resource };
}

function metaOf(resource: JsonObject): { versionId?: string; lastUpdated?: string } {
  return resource.meta ?? {};
}
