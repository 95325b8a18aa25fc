/** Whose tokens a member's gateway accepts: its own issuer's, or the built-in development issuer's. */
import { createLocalJWKSet, createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';

import type { GatewaySettings } from '../settings.js';
import { SIGNATURE } from './keys.js';
import type { RoleTable } from './roles.js';

/** An OpenID provider, as the environment names it. */
export interface ExternalIssuer {
  readonly issuer: string;
  /** URL of its JWK set. */
  readonly jwks: string;
  /** Absent = its tokens name member and role themselves. */
  readonly roles?: RoleTable;
}

/** The one issuer whose tokens count, and the keys that verify them. */
export interface AcceptedIssuer {
  readonly issuer: string;
  readonly keys: JWTVerifyGetKey;
  /** JWS algorithms (RFC 7518) that its tokens may be signed with. */
  readonly algorithms: readonly string[];
  /** What its claims mean here; absent = its tokens name member and role themselves. */
  readonly roles?: RoleTable;
  /** Whether anyone who can read the gateway's key file can make tokens. */
  readonly development: boolean;
}

/** Those by public keys: a shared secret would let whoever verifies a token make one. */
const PUBLIC_KEY = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'Ed25519'];
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * The external issuer when there is one, else the development issuer, whose tokens the gateway's own key signs. Throws
 * when that would be open to others: in production, or listening beyond loopback.
 */
export function acceptedIssuer(settings: GatewaySettings, external: ExternalIssuer | undefined): AcceptedIssuer {
  if (external !== undefined) {
    const { issuer, jwks, roles } = external;
    const keys = createRemoteJWKSet(new URL(jwks));
    return { issuer, keys, algorithms: PUBLIC_KEY, development: false, ...(roles === undefined ? {} : { roles }) };
  }
  // Behind a proxy a gateway listens on loopback, and is open to others all the same.
  const hosts = [settings.listen.host, new URL(settings.baseUrl).hostname];
  if (settings.production || !hosts.every((host) => LOOPBACK.has(host))) {
    throw new Error(
      `${settings.member}: the development issuer serves loopback only and never production; ` +
        'set SALUS_TOKEN_ISSUER and SALUS_TOKEN_JWKS to the member’s OpenID provider',
    );
  }
  const own = settings.members.find((member) => member.name === settings.member);
  const keys = createLocalJWKSet({ keys: (own?.keys ?? []).map((key) => ({ ...key })) });
  return { issuer: developmentIssuer(settings.baseUrl), keys, algorithms: [SIGNATURE], development: true };
}

/** Path of the development authorization server at a gateway. */
export const AUTHORIZATION_PATH = '/auth';

/** Issuer named in development tokens: the development authorization server of the gateway. */
export function developmentIssuer(baseUrl: string): string {
  return `${baseUrl}${AUTHORIZATION_PATH}`;
}

/** Audience of a member's tokens: its FHIR base. */
export function fhirBase(baseUrl: string): string {
  return `${baseUrl}/fhir/R4`;
}
