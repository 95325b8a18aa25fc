/** Answers made of what custodians show. */
import type { JsonObject } from '../fhir/json.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { Refusal } from '../ledger/refusal.js';
import { incompleteTag, missingEntry } from './note.js';
import { entriesOf, isCovered, shapedBy, typeOf, withQuery } from './searchsets.js';

/** What a custodian shows. */
export interface CustodianBundle {
  readonly custodian: string;
  readonly bundle: JsonObject;
  /** It did not answer. */
  readonly isMissing?: true;
}

/** In place of a custodian's answer. */
export function missingBundle(custodian: string): CustodianBundle {
  return { custodian, bundle: { resourceType: 'Bundle', entry: [missingEntry(custodian)] }, isMissing: true };
}

/** Throws Refusal where a custodian that permits did not answer: what was not found it may have. */
export function requireAnswered(bundles: readonly CustodianBundle[]): void {
  if (bundles.some(({ isMissing }) => isMissing === true)) throw custodianMissing();
}

/** Of a custodian without whom there is no answer. */
export function custodianMissing(): Refusal {
  return new Refusal('unavailable', 'custodian-missing', 'the custodian does not answer: try again later');
}

/** The bundles; where there is nothing in them, the answer leaves when one does for which access was denied. */
export function paced({ pace }: FhirRequest, bundles: readonly CustodianBundle[]): readonly CustodianBundle[] {
  if (bundles.every(({ bundle }) => entriesOf(bundle).length === 0)) pace?.askedInVain();
  return bundles;
}

/** Where a Bundle is asked for: what was asked, and its next page below the base, if there is one. */
export interface Asked {
  readonly baseUrl: string;
  readonly request: Pick<FhirRequest, 'path' | 'query'>;
  readonly next: string | undefined;
}

/** A Bundle with the note that it may be incomplete, and the link `self` that R4 demands (search.html#conformance). */
export function bundleOf(type: string, { baseUrl, request, next }: Asked, entry: readonly JsonObject[]): FhirResponse {
  const self = withQuery(request.path.replace(/\/_search$/, ''), request.query);
  const link = [
    { relation: 'self', url: `${baseUrl}/${self}` },
    ...(next === undefined ? [] : [{ relation: 'next', url: `${baseUrl}/${next}` }]),
  ];
  const resource = { resourceType: 'Bundle', meta: { tag: [incompleteTag] }, type, link, entry };
  return { status: 200, headers: {}, resource };
}

/** The resource of the type that a custodian shows, as a read is answered; undefined where none does. Throws as requireAnswered. */
export function instanceIn(
  { actor, query }: FhirRequest,
  type: string,
  bundles: readonly CustodianBundle[],
): FhirResponse | undefined {
  const found = bundles
    .flatMap(({ bundle }) => entriesOf(bundle))
    .find((entry) => typeOf(entry) === type && isCovered(actor)(entry));
  if (found === undefined) {
    requireAnswered(bundles);
    return undefined;
  }
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
