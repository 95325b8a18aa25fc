/** Operations: $validate, $meta and its changes, $lastn (R4 resource-operations.html, observation-operation-lastn). */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { isResourceType } from '../projection/generated.js';
import { escaped } from '../projection/search/values.js';
import { outlineOf } from '../projection/stored.js';
import { asResource, partBody, resourceBody, type Body } from './body.js';
import { again, submit, written } from './commit.js';
import { bundleText } from './bundle-text.js';
import { notFound, visible, type FhirContext } from './context.js';
import { sightOf } from './sight.js';
import { parseExactly, type JsonObject } from './json.js';
import { operationOutcome, type Issue } from './outcome.js';
import { LARGEST_PAGE, links } from './paging.js';
import { LITERAL, referencesIn } from './references.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { entryOf, parsedOf } from './search.js';
import { parseSearch } from './search-request.js';
import { parameterOf } from './parameters.js';
import { issuesByProfile, validationIssues } from './validate.js';
import { inForce, isSame, storedRecordOf, writeOf } from './write.js';

/** $validate: what create or update would say of a resource; 200 with the issues, whatever they are. */
export function validate(context: FhirContext, request: FhirRequest, type?: string, id?: string): FhirResponse {
  const asked = validateInput(context, request, type, id);
  const issues = [...typeIssues(asked.resource, type), ...modeIssues(asked, id)];
  if (asked.mode !== 'delete') {
    issues.push(...validationIssues(asked.resource));
    issues.push(...profilesOf(asked).flatMap((profile) => profileIssues(context, request, asked.resource, profile)));
    issues.push(...referenceIssues(context, request, asked.resource));
  }
  const fine: Issue = { severity: 'information', code: 'informational', diagnostics: 'nothing is wrong with it' };
  return { status: 200, headers: {}, resource: operationOutcome(issues.length === 0 ? [fine] : issues) };
}

interface ValidateInput {
  readonly resource: JsonObject;
  readonly mode?: string | undefined;
  readonly profile?: unknown;
}

function validateInput(context: FhirContext, request: FhirRequest, type?: string, id?: string): ValidateInput {
  const named = { mode: modeOf(request.query.get('mode')), profile: request.query.get('profile') };
  const stored = (): JsonObject | undefined =>
    type === undefined || id === undefined
      ? undefined
      : (JSON.parse(known(context, request, type, id).text) as JsonObject);
  if ((request.body ?? '') === '') {
    const resource = stored();
    if (resource !== undefined) return { resource, ...named };
  }
  const { plain } = resourceBody(request);
  return plain.resourceType !== 'Parameters' || type === 'Parameters'
    ? { resource: plain, ...named }
    : unwrapped(plain, named, stored);
}

const MODES = new Set(['create', 'update', 'delete', 'profile']);

/** R4 ValueSet resource-validation-mode. Throws Refusal for another. */
function modeOf(mode: unknown): string | undefined {
  if (mode === undefined || mode === null) return undefined;
  if (typeof mode === 'string' && MODES.has(mode)) return mode;
  throw new Refusal('invalid', 'bad-value', 'mode is create, update, delete or profile');
}

/** What would be wrong with the interaction, whatever the resource holds. */
function modeIssues({ mode, resource }: ValidateInput, id: string | undefined): Issue[] {
  if (mode !== 'update') return [];
  const issue = (code: string, diagnostics: string): Issue => {
    const expression = [`${String(resource.resourceType)}.id`];
    return { severity: 'error', code, diagnostics, expression };
  };
  if (typeof resource.id !== 'string') return [issue('required', 'what is updated has an id')];
  return id === undefined || resource.id === id ? [] : [issue('invalid', 'the id is not the one in the URL')];
}

/** The resource as a parameter, with what stands beside it. */
function unwrapped(
  parameters: JsonObject,
  named: Omit<ValidateInput, 'resource'>,
  stored: () => JsonObject | undefined,
): ValidateInput {
  const mode = modeOf(parameterOf(parameters, 'mode')?.valueCode) ?? named.mode;
  const given = parameterOf(parameters, 'profile');
  const profile = given?.valueUri ?? given?.valueCanonical ?? named.profile;
  const sent = parameterOf(parameters, 'resource')?.resource;
  // What is stored is looked at where none is sent: for mode delete R4 wants none.
  const resource = sent === undefined ? stored() : asResource(sent);
  if (resource === undefined) throw new Refusal('invalid', 'structure', 'Parameters has no parameter named resource');
  return { resource, mode, profile };
}

function typeIssues(resource: JsonObject, type: string | undefined): Issue[] {
  if (type === undefined || resource.resourceType === type) return [];
  const diagnostics = `the resource is no ${type}`;
  return [{ severity: 'error', code: 'invalid', diagnostics, expression: ['resourceType'] }];
}

/** The profiles a resource is held to: the one asked for, and those it claims. */
function profilesOf({ profile, resource }: ValidateInput): string[] {
  const claimed = listOf((resource.meta as JsonObject | undefined)?.profile);
  const named = [profile, ...claimed].filter((each): each is string => typeof each === 'string');
  return [...new Set(named)].filter((url) => !url.startsWith('http://hl7.org/fhir/StructureDefinition/'));
}

/** By a StructureDefinition that is stored here. */
function profileIssues(context: FhirContext, request: FhirRequest, resource: JsonObject, url: string): Issue[] {
  const query = new URLSearchParams({ url: escaped(url.split('|')[0] ?? url), _count: '1' });
  const { search } = parseSearch('StructureDefinition', query, 'strict');
  const [found] = context.projection.search.run(search, sightOf(context, request, 'operation')).matches;
  const issues = found === undefined ? undefined : issuesByProfile(resource, JSON.parse(found.text) as JsonObject);
  if (issues !== undefined) return issues;
  const diagnostics = `the profile ${url.slice(0, 200)} is not known here: store its StructureDefinition with a snapshot`;
  return [{ severity: 'error', code: 'not-supported', diagnostics }];
}

/** A warning for each literal reference to a resource that is not here, or not for the asker: both look the same. */
function referenceIssues(context: FhirContext, request: FhirRequest, resource: JsonObject): Issue[] {
  const names = referencesIn(resource, String(resource.resourceType));
  return names.flatMap(({ reference, path }): Issue[] => {
    const [, type = '', id = ''] = LITERAL.exec(reference) ?? [];
    if (!isResourceType(type)) return [];
    const seen = visible(context, request, 'operation', [type, id]);
    if (seen !== undefined && !seen.deleted) return [];
    const diagnostics = `${type}/${id} is not known here`;
    return [{ severity: 'warning', code: 'not-found', diagnostics, expression: [path] }];
  });
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

/** $meta of a version: what of it can be seen is decided as for a vread. */
export function metaOfVersion(
  context: FhirContext,
  request: FhirRequest,
  [type, id, version]: readonly [string, string, string],
): FhirResponse {
  const found = context.projection.version(type, id, Number(version));
  const seen = found === undefined ? undefined : context.decision.permit(request.actor, found, 'vread');
  if (seen === undefined || seen.deleted) throw notFound(type, id);
  return metaAnswer(seen);
}

/** $meta of types: every profile, tag and label that some resource has which the asker may see. */
export function metaOfTypes(context: FhirContext, request: FhirRequest, types: readonly string[]): FhirResponse {
  const lists = new Map(LISTS.map((name) => [name, new Map<string, unknown>()]));
  for (const type of types) {
    for (const { text } of everyOne(context, request, type)) {
      const { meta: own } = JSON.parse(text) as { meta?: JsonObject };
      for (const [name, found] of lists) for (const each of listOf(own?.[name])) found.set(keyOf(each), each);
    }
  }
  const valueMeta = Object.fromEntries([...lists].map(([name, found]) => [name, [...found.values()]]));
  const filled = Object.fromEntries(Object.entries(valueMeta).filter(([, list]) => list.length > 0));
  return {
    status: 200,
    headers: {},
    resource: { resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta: filled }] },
  };
}

/** Resources of a type with a profile, a tag or a label. */
function* everyOne(context: FhirContext, request: FhirRequest, type: string): Generator<StoredVersion> {
  const sight = sightOf(context, request, 'operation');
  for (const code of ['_profile', '_security', '_tag']) {
    const query = new URLSearchParams({ [`${code}:missing`]: 'false', _count: String(LARGEST_PAGE), _total: 'none' });
    const { search } = parseSearch(type, query, 'strict');
    let cursor: string | undefined;
    do {
      const page = context.projection.search.run(cursor === undefined ? search : { ...search, cursor }, sight);
      yield* page.matches;
      cursor = page.next;
    } while (cursor !== undefined);
  }
}

function metaAnswer(stored: StoredVersion): FhirResponse {
  const { meta: valueMeta } = JSON.parse(outlineOf(stored)) as JsonObject;
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
    const write = writeOf(storedRecordOf(context), withMeta(current, given, change), [type, id], current.version);
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
  const { search, applied } = parsedOf(context, request, 'Observation', query);
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
  const link = links(`${context.baseUrl}/${request.path}`, applied, {});
  const entries = matches.map((stored) => entryOf(context, stored, 'match'));
  return {
    status: 200,
    headers: {},
    resource: bundleText({ type: 'searchset', total: matches.length, link }, entries),
  };
}

/** Observations are of the same code when a coding of theirs is, or else their text. */
function addTo(groups: Map<string, StoredVersion[]>, stored: StoredVersion, max: number): void {
  const { code } = JSON.parse(outlineOf(stored)) as {
    code?: { coding?: { system?: string; code?: string }[]; text?: string };
  };
  const [coding] = code?.coding ?? [];
  const key = JSON.stringify(coding === undefined ? code?.text : [coding.system, coding.code]);
  const group = groups.get(key) ?? [];
  groups.set(key, group);
  if (group.length < max) group.push(stored);
}
