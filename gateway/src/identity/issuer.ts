/** Whose tokens a member's gateway accepts: its own issuer's, or the built-in development issuer's. */
import { createLocalJWKSet, createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';

import type { GatewaySettings } from '../settings.js';

/** An OpenID provider, as the environment names it. */
export interface ExternalIssuer {
  readonly issuer: string;
  /** URL of its JWK set. */
  readonly jwks: string;
}

/** The one issuer whose tokens count, and the keys that verify them. */
export interface AcceptedIssuer {
  readonly issuer: string;
  readonly keys: JWTVerifyGetKey;
  /** Whether anyone who can read the gateway's key file can make tokens. */
  readonly development: boolean;
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * The external issuer when there is one, else the development issuer, whose tokens the gateway's own key signs. Throws
 * when that would be open to others: in production, or listening beyond loopback.
 */
export function acceptedIssuer(settings: GatewaySettings, external: ExternalIssuer | undefined): AcceptedIssuer {
  if (external !== undefined) {
    return { issuer: external.issuer, keys: createRemoteJWKSet(new URL(external.jwks)), development: false };
  }
  if (settings.production || !LOOPBACK.has(settings.listen.host)) {
    throw new Error(
      `${settings.member}: the development issuer serves loopback only and never production; ` +
        'set SALUS_TOKEN_ISSUER and SALUS_TOKEN_JWKS to the member’s OpenID provider',
    );
  }
  const own = settings.members.find((member) => member.name === settings.member);
  const keys = createLocalJWKSet({ keys: (own?.keys ?? []).map((key) => ({ ...key })) });
  return { issuer: developmentIssuer(settings.baseUrl), keys, development: true };
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
