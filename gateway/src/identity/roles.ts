/**
 * Which of our roles a person has by the groups that an external issuer's tokens name: the member's own table, a JSON file
 * such as `{"claim": "realm_access.roles", "roles": {"ward-doctors": "physician"}}`.
 */
import { purposesOf, type Role } from '@salus/chaincode/access/api';
import type { JWTPayload } from 'jose';

import { asRecord, asText, SettingsError, type Reader } from '../settings-reader.js';

/** The issuer's words for roles, and where in its tokens they stand. */
export interface RoleTable {
  /** Names of the claim and of what is inside it; it holds a text, or a list of texts. */
  readonly claim: readonly string[];
  /** Of several that a token names, the first here counts. */
  readonly roles: readonly (readonly [theirs: string, ours: Role])[];
}

const roles: Reader<RoleTable['roles']> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SettingsError(path, 'must be an object');
  }
  return Object.entries(value).map(([theirs, ours]) => {
    if (typeof ours === 'string' && Object.hasOwn(purposesOf, ours)) return [theirs, ours as Role] as const;
    throw new SettingsError([...path, theirs], `must be one of ${Object.keys(purposesOf).join(', ')}`);
  });
};

/** Parses the file's text. Throws SettingsError. */
export function parseRoleTable(text: string, file: string): RoleTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SettingsError([file], `is not JSON: ${(error as Error).message}`);
  }
  const read = asRecord(value, [file], { claim: asText, roles });
  return { claim: read.claim.split('.'), roles: read.roles };
}

/** The role that a token's claims give; undefined where the table knows none of them. */
export function roleIn({ claim, roles: table }: RoleTable, payload: JWTPayload): Role | undefined {
  let at: unknown = payload;
  for (const name of claim) {
    const isInside = typeof at === 'object' && at !== null && Object.hasOwn(at, name);
    at = isInside ? (at as Readonly<Record<string, unknown>>)[name] : undefined;
  }
  const named: readonly unknown[] = Array.isArray(at) ? at : [at];
  return table.find(([theirs]) => named.includes(theirs))?.[1];
}
