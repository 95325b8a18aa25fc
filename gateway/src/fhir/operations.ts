/** Operations: $validate, $meta and its changes, $lastn (R4 resource-operations.html, observation-operation-lastn). */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { asResource, partBody, resourceBody, type Body } from './body.js';
import { again, submit, written } from './commit.js';
import { bundleText } from './bundle-text.js';
import { notFound, sightOf, visible, type FhirContext } from './context.js';
import { parseExactly, type JsonObject } from './json.js';
import { operationOutcome, type Issue } from './outcome.js';
import { LARGEST_PAGE } from './paging.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { entryOf, handlingOf, links } from './search.js';
import { parseSearch } from './search-request.js';
import { parameterOf } from './parameters.js';
import { validationIssues } from './validate.js';
import { inForce, isSame, writeOf } from './write.js';

/** $validate: what create or update would say of a resource; 200 with the issues, whatever they are. */
export function validate(context: FhirContext, request: FhirRequest, type?: string, id?: string): FhirResponse {
  const asked = validateInput(context, request, type, id);
  const issues = [...typeIssues(asked.resource, type), ...profileIssues(asked.profile)];
  if (asked.mode !== 'delete') issues.push(...validationIssues(asked.resource));
  const fine: Issue = { severity: 'information', code: 'informational', diagnostics: 'nothing is wrong with it' };
  return { status: 200, headers: {}, resource: operationOutcome(issues.length === 0 ? [fine] : issues) };
}

interface ValidateInput {
  readonly resource: JsonObject;
  readonly mode?: unknown;
  readonly profile?: unknown;
}

function validateInput(context: FhirContext, request: FhirRequest, type?: string, id?: string): ValidateInput {
  const named = { mode: request.query.get('mode'), profile: request.query.get('profile') };
  if ((request.body ?? '') === '' && type !== undefined && id !== undefined) {
    return { resource: JSON.parse(known(context, request, type, id).text) as JsonObject, ...named };
  }
  const { plain } = resourceBody(request);
  return plain.resourceType !== 'Parameters' || type === 'Parameters'
    ? { resource: plain, ...named }
    : unwrapped(plain, named);
}

/** The resource as a parameter, with what stands beside it. */
function unwrapped(parameters: JsonObject, named: Omit<ValidateInput, 'resource'>): ValidateInput {
  const resource = parameterOf(parameters, 'resource')?.resource;
  if (resource === undefined) throw new Refusal('invalid', 'structure', 'Parameters has no parameter named resource');
  return {
    resource: asResource(resource),
    mode: parameterOf(parameters, 'mode')?.valueCode ?? named.mode,
    profile: parameterOf(parameters, 'profile')?.valueUri ?? named.profile,
  };
}

function typeIssues(resource: JsonObject, type: string | undefined): Issue[] {
  if (type === undefined || resource.resourceType === type) return [];
  const diagnostics = `the resource is no ${type}`;
  return [{ severity: 'error', code: 'invalid', diagnostics, expression: ['resourceType'] }];
}

function profileIssues(profile: unknown): Issue[] {
  if (typeof profile !== 'string' || profile.startsWith('http://hl7.org/fhir/StructureDefinition/')) return [];
  return [
    { severity: 'error', code: 'not-supported', diagnostics: 'the profile is not known here: only R4 itself is' },
  ];
}

/** The version in force, if the actor may see it. Throws Refusal 404. */
function known(context: FhirContext, request: FhirRequest, type: string, id: string): StoredVersion {
  const seen = visible(context, request, 'operation', [type, id]);
  if (seen === undefined || seen.deleted) throw notFound(type, id);
  return seen;
}

/** $meta: profiles, tags and security labels of a resource. */
export function meta(context: FhirContext, request: FhirRequest, type: string, id: string): FhirResponse {
  return metaAnswer(known(context, request, type, id));
}

function metaAnswer(stored: StoredVersion): FhirResponse {
  const { meta: valueMeta } = JSON.parse(stored.text) as JsonObject;
  return {
    status: 200,
    headers: {},
    resource: { resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta }] },
  };
}

const LISTS = ['profile', 'security', 'tag'] as const;

/** $meta-add and $meta-delete: a new version with more or fewer of them. */
export async function changeMeta(
  context: FhirContext,
  request: FhirRequest,
  [type, id]: readonly [string, string],
  change: 'add' | 'delete',
): Promise<FhirResponse> {
  const given = parameterOf(resourceBody(request).plain, 'meta')?.valueMeta as JsonObject | undefined;
  if (given === undefined) throw new Refusal('invalid', 'structure', 'send Parameters with a parameter meta');
  const response = await again(context, request, () => {
    const current = inForce(context, request, 'update', type, id);
    if (current === undefined || current.deleted) throw notFound(type, id);
    const write = writeOf(withMeta(current, given, change), type, id, current.version);
    return isSame(current, write) ? written(context, request, current, 200) : submit(context, request, write);
  });
  if (response.status !== 200) return response;
  return { ...metaAnswer(known(context, request, type, id)), headers: response.headers };
}

function withMeta({ text }: StoredVersion, given: JsonObject, change: 'add' | 'delete'): Body {
  const resource = parseExactly(text) as JsonObject;
  const own = { ...(resource.meta as JsonObject) };
  for (const name of LISTS) {
    const [has, other] = [listOf(own[name]), listOf(given[name])];
    const named = new Set(other.map(keyOf));
    const kept = has.filter((each) => !named.has(keyOf(each)));
    const list = change === 'add' ? [...kept, ...other] : kept;
    if (list.length === 0) Reflect.deleteProperty(own, name);
    else own[name] = list;
  }
  return partBody({ ...resource, meta: own });
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function keyOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { system, code } = value as JsonObject;
  return JSON.stringify([system, code]);
}

/** Observation/$lastn: the newest of each code, at most `max` of each. */
export function lastN(context: FhirContext, request: FhirRequest): FhirResponse {
  const query = new URLSearchParams(request.query);
  const max = query.get('max') ?? '1';
  if (!/^[1-9]\d{0,3}$/.test(max)) throw new Refusal('invalid', 'bad-value', 'max is a whole number from 1 to 9999');
  for (const name of ['max', '_sort', '_count']) query.delete(name);
  query.set('_sort', '-date');
  query.set('_count', String(LARGEST_PAGE));
  const { search, applied } = parseSearch(context, 'Observation', query, handlingOf(request));
  if (search.filters.length === 0)
    throw new Refusal('invalid', 'bad-value', 'name a patient or subject, and a code or category');
  const groups = new Map<string, StoredVersion[]>();
  let cursor: string | undefined;
  do {
    const page = context.projection.search.run(
      cursor === undefined ? search : { ...search, cursor },
      sightOf(context, request, 'operation'),
    );
    for (const stored of page.matches) addTo(groups, stored, Number(max));
    cursor = page.next;
  } while (cursor !== undefined);
  const matches = [...groups.values()].flat();
  const link = links(`${context.baseUrl}/${request.path}`, applied, undefined);
  const entries = matches.map((stored) => entryOf(context, stored.text, stored, 'match'));
  return {
    status: 200,
    headers: {},
    resource: bundleText({ type: 'searchset', total: matches.length, link }, entries),
  };
}

/** Observations are of the same code when a coding of theirs is, or else their text. */
function addTo(groups: Map<string, StoredVersion[]>, stored: StoredVersion, max: number): void {
  const { code } = JSON.parse(stored.text) as {
    code?: { coding?: { system?: string; code?: string }[]; text?: string };
  };
  const [coding] = code?.coding ?? [];
  const key = JSON.stringify(coding === undefined ? code?.text : [coding.system, coding.code]);
  const group = groups.get(key) ?? [];
  groups.set(key, group);
  if (group.length < max) group.push(stored);
}
