/** SMART App Launch scopes (http://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html), versions 1 and 2. */
import { Refusal } from '../ledger/refusal.js';
import type { JsonObject } from '../fhir/json.js';
import type { Actor } from '../ports.js';
import { isWithinNarrowing, narrowingOf, narrows, type Narrowing } from './narrowing.js';

/** create, read, update, delete, search. */
export type ScopeLetter = 'c' | 'r' | 'u' | 'd' | 's';

/** Types that describe the hospital, not a patient: scopes for one patient cover them, too. */
export const DIRECTORY = ['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Medication', 'Substance'];

const CLINICAL = /^(patient|user|system)\/([A-Za-z]+|\*)\.(\*|read|write|c?r?u?d?s?)(\?.*)?$/;
const VERSION_1: Readonly<Record<string, string>> = { '*': 'cruds', read: 'rs', write: 'cud' };

type Bearer = Pick<Actor, 'scopes' | 'patient' | 'launch'>;

interface Grant {
  /** For the one patient of the token alone. */
  readonly isConfined: boolean;
  readonly type: string;
  readonly letters: string;
  /** For the resources within it alone. */
  readonly only?: Narrowing;
}

/** A resource's content, read only where a scope asks for it; undefined = nobody can tell. */
type Content = () => JsonObject | undefined;

/** A token's scopes are one list for as long as its request lasts. */
const known = new WeakMap<readonly string[], readonly Grant[]>();

function grantsOf(scopes: readonly string[]): readonly Grant[] {
  const grants = known.get(scopes) ?? scopes.flatMap(grantOf);
  known.set(scopes, grants);
  return grants;
}

function grantOf(scope: string): Grant[] {
  const [, context, type = '', permissions = '', query] = CLINICAL.exec(scope) ?? [];
  if (context === undefined) return [];
  const grant = { isConfined: context === 'patient', type, letters: VERSION_1[permissions] ?? permissions };
  if (query === undefined) return [grant];
  const only = narrowingOf(query.slice(1));
  // What cannot be kept to grants nothing rather than too much.
  return only === undefined ? [] : [{ ...grant, only }];
}

/** Whether a text is a scope for resources, of either version. */
export function isClinicalScope(scope: string): boolean {
  const [, , , permissions] = CLINICAL.exec(scope) ?? [];
  return permissions !== undefined && permissions !== '';
}

/** Whether whoever was promised `allowed` may be granted `scope`: the same, or less of it. */
export function isWithin(scope: string, allowed: readonly string[]): boolean {
  if (allowed.includes(scope)) return true;
  const [, context, type = '', permissions = ''] = CLINICAL.exec(scope) ?? [];
  if (context === undefined) return false;
  const letters = Array.from(VERSION_1[permissions] ?? permissions);
  return allowed
    .filter((each) => each.startsWith(`${context}/`))
    .flatMap(grantOf)
    .filter(({ only }) => only === undefined)
    .some(
      (grant) =>
        (grant.type === '*' || grant.type === type) && letters.every((letter) => grant.letters.includes(letter)),
    );
}

function granting({ scopes }: Bearer, type: string, letter: ScopeLetter): readonly Grant[] {
  return grantsOf(scopes).filter(
    ({ type: own, letters, only }) =>
      (own === '*' || own === type) && letters.includes(letter) && (only === undefined || narrows(only, type)),
  );
}

/** Whether what narrows a grant, if anything does, lets the resource through. */
function isKept({ only }: Grant, type: string, content: Content | undefined): boolean {
  if (only === undefined) return true;
  const resource = content?.();
  return resource !== undefined && isWithinNarrowing(only, type, resource);
}

/** The one patient that the token's scopes are about, where none reaches further. */
export function confinedTo(bearer: Bearer): string | undefined {
  if (grantsOf(bearer.scopes).some(({ isConfined }) => !isConfined)) return undefined;
  return bearer.patient ?? bearer.launch;
}

/** Whether a scope lets the bearer do this to some resource of the type; to this one, where its content is given. */
export function scopesAllow(bearer: Bearer, type: string, letter: ScopeLetter, content?: Content): boolean {
  const hasPatient = (bearer.patient ?? bearer.launch) !== undefined;
  return granting(bearer, type, letter).some(
    (grant) => (!grant.isConfined || hasPatient) && (content === undefined || isKept(grant, type, content)),
  );
}

/** What narrows all of the bearer's scopes to read or find resources of the type alike; undefined where nothing does. */
export function narrowingFor(bearer: Bearer, type: string): Narrowing | undefined {
  const grants = (['r', 's'] as const).flatMap((letter) => granting(bearer, type, letter));
  const [first, ...others] = new Set(grants.map(({ only }) => JSON.stringify(only ?? null)));
  return first === undefined || others.length > 0 ? undefined : grants[0]?.only;
}

/** Whether a scope lets the bearer do this to every resource of the type. */
export function scopesReachAll(bearer: Bearer, type: string, letter: ScopeLetter): boolean {
  return granting(bearer, type, letter).some(({ isConfined, only }) => !isConfined && only === undefined);
}

/**
 * Whether a scope lets the bearer do this to a resource of the type in this patient's compartment, or in none. Without its
 * content, narrowed scopes do not count.
 */
export function scopesCover(
  bearer: Bearer,
  type: string,
  letter: ScopeLetter,
  patient: string | undefined,
  content?: Content,
): boolean {
  const own = bearer.patient ?? bearer.launch;
  const isOwn = patient === undefined ? DIRECTORY.includes(type) : patient === own;
  return granting(bearer, type, letter).some((grant) => (!grant.isConfined || isOwn) && isKept(grant, type, content));
}

/** Throws Refusal 403 unless one of the letters covers it. */
export function requireScope(
  bearer: Bearer,
  type: string,
  letters: readonly ScopeLetter[],
  patient: string | undefined,
  content?: Content,
): void {
  if (letters.some((letter) => scopesCover(bearer, type, letter, patient, content))) return;
  throw scopeMissing(type, letters.join(' or '));
}

/** The refusal of what no scope covers. */
export function scopeMissing(type: string, letter: string): Refusal {
  return new Refusal('forbidden', 'scope-missing', `the token's scopes do not cover this ${type}.${letter}`);
}
