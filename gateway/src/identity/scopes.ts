/** SMART App Launch scopes (http://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html), versions 1 and 2. */

/** create, read, update, delete, search. */
export type ScopeLetter = 'c' | 'r' | 'u' | 'd' | 's';

const CLINICAL = /^(patient|user|system)\/([A-Za-z]+|\*)\.(\*|read|write|c?r?u?d?s?)(\?.*)?$/;
const VERSION_1: Readonly<Record<string, string>> = { '*': 'cruds', read: 'rs', write: 'cud' };

/** Whether one of the granted scopes lets the actor do this to resources of the type. */
export function scopesAllow(scopes: readonly string[], type: string, letter: ScopeLetter): boolean {
  return scopes.some((scope) => {
    const [, , wanted, permissions = '', query] = CLINICAL.exec(scope) ?? [];
    if (wanted !== '*' && wanted !== type) return false;
    // A scope narrowed by a query cannot be kept to here, so it grants nothing rather than too much.
    if (query !== undefined) return false;
    return (VERSION_1[permissions] ?? permissions).includes(letter);
  });
}
