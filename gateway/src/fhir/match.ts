/** Patient/$match: who a person may be, graded (R4 operation-patient-match). */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { asResource, resourceBody } from './body.js';
import { bundleText, type EntryText } from './bundle-text.js';
import { type FhirContext } from './context.js';
import { sightOf } from './sight.js';
import type { JsonObject } from './json.js';
import { likeness, traitsOf, type Likeness, type Traits } from './likeness.js';
import { parameterOf } from './parameters.js';
import type { FhirRequest, FhirResponse, FoundElsewhere } from './request.js';
import { parseSearch } from './search-request.js';

/** Times one person may ask within a minute: enough for a desk, too few to try numbers out. */
export const MATCH_LIMIT = 60;
const WINDOW_MS = 60_000;
/** Persons remembered within a window. */
const MOST_ASKERS = 10_000;
/** Patients compared, by each trait they are found by. */
const MOST_CANDIDATES = 200;
const DEFAULT_COUNT = 10;
const MOST_SHOWN = 50;
const GRADE = 'http://hl7.org/fhir/StructureDefinition/match-grade';

interface Candidate {
  readonly id: string;
  /** JSON. */
  readonly text: string;
  readonly patient: JsonObject;
}

type Found = Candidate & Likeness;

/**
 * Candidates that the actor may see, best first, those at other custodians among them; whoever is hidden is not. What goes
 * with an answer across custodians comes last.
 */
export async function match(context: FhirContext, request: FhirRequest): Promise<FhirResponse> {
  const { patient, count, onlyCertain } = wishOf(request);
  const asked = traitsOf(patient);
  const searches = searchesFor(asked);
  if (searches.length === 0) {
    throw new Refusal(
      'invalid',
      'unprocessable',
      'resource needs an identifier with its system, a name, or a birthDate',
    );
  }
  takeTurn(request);
  const own = candidates(context, request, searches).map(ownCandidate);
  const elsewhere = await context.elsewhere?.(request, patient);
  const theirs = elsewhere?.entries.flatMap(theirCandidate) ?? [];
  const found = [...own, ...theirs]
    .map((candidate) => ({ ...candidate, ...likeness(asked, traitsOf(candidate.patient)) }))
    .filter(({ grade }) => grade !== 'certainly-not')
    .sort((one, other) => other.score - one.score || (one.id < other.id ? -1 : 1));
  const shown = onlyCertain ? [...theCertain(found, own), ...theCertain(found, theirs)] : found.slice(0, count);
  return answer(context, request, shown, elsewhere);
}

function ownCandidate({ id, text }: StoredVersion): Candidate {
  return { id, text, patient: JSON.parse(text) as JsonObject };
}

function theirCandidate({ resource }: JsonObject): Candidate[] {
  const patient = resource as JsonObject;
  return patient.resourceType === 'Patient' ? [{ id: String(patient.id), text: JSON.stringify(patient), patient }] : [];
}

/** The one of these that is certain; none where two are, since then neither can be relied on. */
function theCertain(found: readonly Found[], among: readonly Candidate[]): readonly Found[] {
  const certain = found.filter(({ grade, text }) => grade === 'certain' && among.some((each) => each.text === text));
  return certain.length === 1 ? certain : [];
}

function answer(
  { baseUrl }: FhirContext,
  { path }: FhirRequest,
  found: readonly Found[],
  elsewhere: FoundElsewhere | undefined,
): FhirResponse {
  const entries: EntryText[] = found.map(({ id, text, score, grade }) => ({
    fullUrl: `${baseUrl}/Patient/${id}`,
    resource: text,
    more: { search: { extension: [{ url: GRADE, valueCode: grade }], mode: 'match', score } },
  }));
  const notes = elsewhere?.entries.filter(({ resource }) => (resource as JsonObject).resourceType !== 'Patient') ?? [];
  for (const { resource, search } of notes) entries.push({ resource: JSON.stringify(resource), more: { search } });
  const link = [{ relation: 'self', url: `${baseUrl}/${path}` }];
  const meta = elsewhere === undefined ? {} : { meta: { tag: [elsewhere.tag] } };
  return {
    status: 200,
    headers: {},
    resource: bundleText({ ...meta, type: 'searchset', total: found.length, link }, entries),
  };
}

interface Wish {
  readonly patient: JsonObject;
  readonly count: number;
  readonly onlyCertain: boolean;
}

function wishOf(request: FhirRequest): Wish {
  const { plain } = resourceBody(request);
  const onlyCertain = parameterOf(plain, 'onlyCertainMatches')?.valueBoolean === true;
  return { patient: patientOf(plain), count: countOf(plain), onlyCertain };
}

/** The Patient as the body, or as a parameter. */
function patientOf(body: JsonObject): JsonObject {
  const resource = body.resourceType === 'Parameters' ? parameterOf(body, 'resource')?.resource : body;
  const patient = resource === undefined ? undefined : asResource(resource);
  if (patient?.resourceType === 'Patient') return patient;
  throw new Refusal('invalid', 'structure', 'send Parameters with a Patient as the parameter resource');
}

function countOf(body: JsonObject): number {
  const count = parameterOf(body, 'count')?.valueInteger ?? DEFAULT_COUNT;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1) return Math.min(count, MOST_SHOWN);
  throw new Refusal('invalid', 'bad-value', 'count (valueInteger) is a whole number of at least 1');
}

/** What candidates are found by: each of them alone, since any other may be wrong. */
function searchesFor({ identifiers, families, givens, birthDate, telecoms }: Traits): [string, string][] {
  const date = birthDate?.replace(/^(....)(..)(..)$/, '$1-$2-$3');
  return [
    ...[...identifiers].map(([system, value]): [string, string] => [
      'identifier',
      `${escaped(system)}|${escaped(value)}`,
    ]),
    ...families.map((family): [string, string] => ['family', escaped(family)]),
    ...(date === undefined ? [] : [['birthdate', date] satisfies [string, string]]),
    ...(families.length === 0 ? givens.map((given): [string, string] => ['given', escaped(given)]) : []),
    ...telecoms.filter((value) => value.includes('@')).map((value): [string, string] => ['email', escaped(value)]),
  ];
}

/** R4 search.html#escaping. */
function escaped(value: string): string {
  return value.replaceAll(/[\\,|$]/g, '\\$&');
}

function candidates(
  context: FhirContext,
  request: FhirRequest,
  searches: readonly (readonly [string, string])[],
): readonly StoredVersion[] {
  const found = new Map<string, StoredVersion>();
  for (const [name, value] of searches) {
    const query = new URLSearchParams([
      [name, value],
      ['_count', String(MOST_CANDIDATES)],
    ]);
    const { search } = parseSearch('Patient', query, 'strict');
    const { matches } = context.projection.search.run(search, sightOf(context, request, 'operation'));
    for (const stored of matches) found.set(stored.id, stored);
  }
  return [...found.values()];
}

const turns = new Map<string, { readonly since: number; count: number }>();

/** Throws Refusal 429 for one who asked too often. */
function takeTurn({ actor }: FhirRequest): void {
  const now = performance.now();
  const who = `${actor.member}/${actor.user}`;
  const known = turns.get(who);
  const turn = known === undefined || now - known.since > WINDOW_MS ? { since: now, count: 0 } : known;
  if (turn.count >= MATCH_LIMIT) {
    throw new Refusal('unavailable', 'too-many-requests', `$match is asked at most ${MATCH_LIMIT} times a minute`);
  }
  turn.count += 1;
  if (turns.size >= MOST_ASKERS) turns.clear();
  turns.set(who, turn);
}
