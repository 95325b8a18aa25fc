/**
 * What the built-in development authorization server offers: the provider is configured by these tables, and
 * `.well-known/smart-configuration` and the CapabilityStatement are written from them.
 */
import { developmentIssuer } from '../identity/issuer.js';
import type { SmartServer } from '../identity/smart.js';

/** Paths below the issuer's (OAuth 2.0, RFC 7662, RFC 7009, OpenID Connect Discovery). */
export const ENDPOINTS = {
  authorization: '/authorize',
  token: '/token',
  introspection: '/introspect',
  revocation: '/revoke',
  jwks: '/jwks',
} as const;

/** Where an EHR says for which patient it is about to launch an app. */
export const LAUNCH_PATH = '/launch';

/** Algorithms that clients may sign assertions with (SMART App Launch 2.2, client-confidential-asymmetric). */
export const ASSERTION_ALGORITHMS = ['RS384', 'ES384'] as const;
/** How clients say who they are: those without a key prove possession of the code by PKCE alone. */
export const CLIENT_METHODS = ['none', 'private_key_jwt'] as const;
/** Scopes of OpenID Connect; all others are about what the FHIR interface answers. */
export const IDENTITY_SCOPES = ['openid', 'fhirUser', 'offline_access', 'online_access'] as const;
/** Scopes that ask for launch context. */
export const LAUNCH_SCOPES = ['launch', 'launch/patient'] as const;
/** What a client may be given an access token for. */
const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'] as const;

/** Seconds a person's access token lives. */
export const ACCESS_TOKEN_S = 3600;
/** Seconds the access token of a backend service lives (SMART Backend Services: at most 5 minutes). */
export const BACKEND_TOKEN_S = 300;
/** Seconds for which what a person allowed may be refreshed: 90 days. */
export const GRANT_S = 90 * 86_400;
/** Seconds from now within which a client's assertion must end (the same page). */
export const ASSERTION_S = 300;

const CAPABILITIES = [
  ...[
    'launch-ehr',
    'launch-standalone',
    'authorize-post',
    'client-public',
    'client-confidential-asymmetric',
    'sso-openid-connect',
  ],
  ...['context-banner', 'context-ehr-patient', 'context-standalone-patient'],
  ...['permission-offline', 'permission-online', 'permission-patient', 'permission-user'],
  ...['permission-v1', 'permission-v2'],
];

/** The development authorization server of a gateway, as SMART apps are told of it. */
export function developmentServer(baseUrl: string): SmartServer {
  const issuer = developmentIssuer(baseUrl);
  return {
    issuer,
    jwks_uri: `${issuer}${ENDPOINTS.jwks}`,
    authorization_endpoint: `${issuer}${ENDPOINTS.authorization}`,
    token_endpoint: `${issuer}${ENDPOINTS.token}`,
    introspection_endpoint: `${issuer}${ENDPOINTS.introspection}`,
    revocation_endpoint: `${issuer}${ENDPOINTS.revocation}`,
    grant_types_supported: GRANT_TYPES,
    token_endpoint_auth_methods_supported: CLIENT_METHODS,
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [...IDENTITY_SCOPES, ...LAUNCH_SCOPES, 'patient/*.cruds', 'user/*.cruds', 'system/*.cruds'],
    capabilities: CAPABILITIES,
  };
}
