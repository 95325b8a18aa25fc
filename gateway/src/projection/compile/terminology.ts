/** The code systems, value sets and concept maps that R4 itself defines (R4 terminologies-systems.html), cut down to what is read. */
import type { JsonObject } from '../../fhir/json.js';
import { entries } from './definitions.js';

const FILES = ['valuesets', 'v3-codesystems', 'v2-tables', 'conceptmaps'];
const KEPT = [
  ...['resourceType', 'url', 'version', 'name', 'title', 'status', 'content', 'caseSensitive', 'compose', 'concept'],
  ...['sourceUri', 'sourceCanonical', 'targetUri', 'targetCanonical', 'group'],
];

/** By type and URL. */
export type Terminology = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;

/** Everything of the kind in R4's definitions. */
export function readTerminology(): Terminology {
  const found: Record<string, Record<string, JsonObject>> = {};
  for (const resource of FILES.flatMap((file) => entries<JsonObject>(`fhir/r4/${file}.json`))) {
    const { resourceType, url } = resource;
    if (typeof resourceType !== 'string' || typeof url !== 'string') continue;
    (found[resourceType] ??= {})[url] = Object.fromEntries(
      KEPT.flatMap((name) => (name in resource ? [[name, resource[name]]] : [])),
    );
  }
  return found;
}
