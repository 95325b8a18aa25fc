/** Searchsets of other custodians: how they are asked for and what of them may be shown. */
import { parseExactly, type JsonObject } from '../fhir/json.js';
import type { FhirRequest } from '../fhir/request.js';
import { parseSearch, SEARCH_LIMITS } from '../fhir/search-request.js';
import { shapeOf } from '../fhir/shape.js';
import { typesDeciding } from '../fhir/types-asked.js';
import { Refusal } from '../ledger/refusal.js';
import type { SearchQuery } from '../projection/search/query.js';
import { confinedTo, narrowingFor, scopesAllow, scopesCover } from '../identity/scopes.js';
import type { Actor } from '../ports.js';
import { patientParameters } from './patient-parameters.js';

/** The same search with the custodian's own id for the patient, in the parameter that named the patient. */
export function searchPath(type: string, query: URLSearchParams, patientId: string): string {
  const own = new URLSearchParams();
  let named = false;
  for (const [name, value] of query) {
    const isIt: boolean = !named && patientParameters(type).includes(name);
    own.append(name, isIt ? patientId : value);
    named ||= isIt;
  }
  return withQuery(type, own);
}

/**
 * The same search for no more than the asker's scopes let through: what they do not is left out of each page, which
 * would be left empty. A further page says so already.
 */
export function narrowedBy(actor: Actor, type: string, query: URLSearchParams): URLSearchParams {
  const own = new URLSearchParams(query);
  for (const { name, values } of narrowingFor(actor, type) ?? []) {
    const value = values.join(',');
    if (own.size < SEARCH_LIMITS.parameters && !own.getAll(name).includes(value)) own.append(name, value);
  }
  return own;
}

/** A path below the base with its query. */
export function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** A path with further parameters. */
export function withParameters(path: string, more: URLSearchParams): string {
  const [own = '', query] = path.split('?', 2);
  return withQuery(own, new URLSearchParams([...new URLSearchParams(query), ...more]));
}

/** Path of one resource, of a version, or of its history; a Patient is also searched for by its id alone. */
const INSTANCE = /^([A-Za-z]+)(?:\/|\?_id=)([A-Za-z0-9.-]+)(?:\/_history(?:\/(\d+))?)?(?:\?|$)/;

/** Whether a resource has the type, id and version that a path below the base names; of a search's any may be meant. */
export function isNamedBy(path: string): (resource: JsonObject) => boolean {
  const [, type, id, version] = INSTANCE.exec(path) ?? [];
  if (type === undefined) return () => true;
  return ({ resourceType, id: own, meta }) => {
    const { versionId } = (meta ?? {}) as { versionId?: string };
    return resourceType === type && own === id && (version === undefined || versionId === version);
  };
}

/** Whether a parameter says what part of each resource is shown; `_summary=count` shows none. */
function isShape([name, value]: readonly [string, string]): boolean {
  return name === '_elements' || (name === '_summary' && value !== 'count');
}

/** The same question for whole resources, which alone can be checked: what part of them is asked for is cut out here. */
export function wholeOf(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter((each) => !isShape(each)));
}

/** Parameters that say what part of each resource is shown. */
export function shapesOf(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(isShape));
}

/** Cuts out of an entry's resource the part that is asked for; what comes along `_elements` leaves whole (R4 search.html#elements). */
export function shapedBy(query: URLSearchParams): (entry: JsonObject) => JsonObject {
  const shape = shapeOf(query);
  if (shape === undefined) return (entry) => entry;
  const whole = query.has('_elements') ? ['outcome', 'include'] : ['outcome'];
  return (entry) => {
    const { resource, search } = entry as { resource?: JsonObject; search?: { mode?: string } };
    if (resource === undefined || whole.includes(search?.mode ?? '')) return entry;
    return { ...entry, resource: parseExactly(shape(JSON.stringify(resource))) };
  };
}

/** Path below the base of a Bundle's next page; undefined at its end. */
export function nextOf(bundle: JsonObject): string | undefined {
  const links = (bundle.link ?? []) as readonly { relation?: string; url?: string }[];
  const url = links.find(({ relation }) => relation === 'next')?.url;
  return url === undefined ? undefined : /\/fhir\/R4\/(.+)$/.exec(url)?.[1];
}

/** A Bundle's entries. */
export function entriesOf(bundle: JsonObject): readonly JsonObject[] {
  return (bundle.entry ?? []) as readonly JsonObject[];
}

/** A patient, and whoever's token is for one patient, asks for that record alone. */
export function mayAsk(actor: Actor, patientId: string): boolean {
  const only = actor.patient ?? confinedTo(actor);
  return only === undefined || only === patientId;
}

/** Whether the asker's scopes cover an entry; outcomes always are. */
export function isCovered(actor: Actor): (entry: JsonObject) => boolean {
  return (entry) => {
    const type = String(typeOf(entry));
    if (type === 'OperationOutcome') return true;
    const content = (): JsonObject | undefined => entry.resource as JsonObject | undefined;
    return scopesAllow(actor, type, 'r', content) || scopesAllow(actor, type, 's', content);
  };
}

/**
 * Whether the asker's scopes cover all of every type that decides what a search of a patient's record shows: what is found, or
 * comes along, would tell of resources that they do not cover. The custodian does not know them, nor parameters posted here.
 */
export function isDecidedWithin({ actor, query }: FhirRequest, type: string, patient: string): boolean {
  const search = searchOfR4(type, query);
  return search !== undefined && typesDeciding(search).every((each) => scopesCover(actor, each, 's', patient));
}

/** A search that was found right here; undefined where it names what R4 does not have. */
function searchOfR4(type: string, query: URLSearchParams): SearchQuery | undefined {
  try {
    return parseSearch(type, query, 'strict').search;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Resource type of an entry; undefined where it has none. */
export function typeOf(entry: JsonObject): unknown {
  return (entry.resource as JsonObject | undefined)?.resourceType;
}
