/** What may be granted to whom, and what tokens say of it. */
import { fhirBase } from '../identity/issuer.js';
import { isClinicalScope } from '../identity/scopes.js';
import type { LaunchContext } from './launches.js';
import { IDENTITY_SCOPES, LAUNCH_SCOPES } from './offered.js';
import type { App, Person } from './register.js';

const BESIDE: ReadonlySet<string> = new Set([...IDENTITY_SCOPES, ...LAUNCH_SCOPES]);

/** Whether a scope is one that persons (or backend services) can be granted here. */
export function grantable(scope: string, isBackend: boolean): boolean {
  if (isBackend) return scope.startsWith('system/') && isClinicalScope(scope);
  return BESIDE.has(scope) || (!scope.startsWith('system/') && isClinicalScope(scope));
}

/** Whether a set of scopes needs a patient to be about. */
export function needsPatient(scopes: readonly string[]): boolean {
  return scopes.some((scope) => scope === 'launch/patient' || scope.startsWith('patient/'));
}

/** Of these scopes those that this person can have. */
export function scopesFor(person: Person, scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => scope !== 'fhirUser' || person.fhirUser !== undefined);
}

/** Absolute URL of the resource that describes a person. */
export function fhirUserOf(person: Person, baseUrl: string): string | undefined {
  return person.fhirUser === undefined ? undefined : `${fhirBase(baseUrl)}/${person.fhirUser}`;
}

/** The claims that the token check asks for beside those of RFC 9068. */
export function claimsOf(
  member: string,
  whose: Person | App | undefined,
  context: LaunchContext | undefined,
): Record<string, unknown> | undefined {
  if (whose?.role === undefined) return undefined;
  const patient = ('patient' in whose ? whose.patient : undefined) ?? context?.patient;
  return { member, role: whose.role, ...(patient === undefined ? {} : { patient }) };
}
