/** Bundles put together from resources' stored texts, which need not be parsed for it (R4 bundle.html). */

import type { StoredVersion } from '../ports.js';
import type { JsonObject } from './json.js';
import type { FhirResponse } from './request.js';

/** One entry of a Bundle, its resource already written out. */
export interface EntryText {
  readonly fullUrl?: string;
  /** JSON text of the resource. */
  readonly resource?: string;
  /** Further members of the entry as JSON values. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** The version that the resource is of, as the asker may see it; it is not written out. */
  readonly stored?: StoredVersion;
}

/** A Bundle before it is written out. */
export interface BundleParts {
  readonly head: BundleHead;
  readonly entries: readonly EntryText[];
}

/** What stands before a Bundle's entries. */
export interface BundleHead {
  readonly meta?: JsonObject;
  readonly type: string;
  /** FHIR instant. */
  readonly timestamp?: string;
  readonly total?: number;
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
}

/** A Bundle as an answer, with the parts it is made from. */
export function bundleAnswer(parts: BundleParts): FhirResponse {
  return { status: 200, headers: {}, resource: bundleText(parts.head, parts.entries), parts };
}

/** The JSON text of a Bundle. */
export function bundleText(head: BundleHead, entries: readonly EntryText[]): string {
  const start = JSON.stringify({ resourceType: 'Bundle', ...head });
  if (entries.length === 0) return start;
  return `${start.slice(0, -1)},"entry":[${entries.map(entryText).join(',')}]}`;
}

function entryText({ fullUrl, resource, more }: EntryText): string {
  const members: string[] = [];
  if (fullUrl !== undefined) members.push(`"fullUrl":${JSON.stringify(fullUrl)}`);
  if (resource !== undefined) members.push(`"resource":${resource}`);
  if (more !== undefined) members.push(JSON.stringify(more).slice(1, -1));
  return `{${members.join(',')}}`;
}
