/**
 * How SMART apps find where to ask for a token: `.well-known/smart-configuration`
 * (http://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html) and CapabilityStatement.rest.security.
 */
import type { JsonObject } from '../fhir/json.js';

/** An authorization server's metadata, by the names that OpenID Connect Discovery and SMART give them. */
export interface SmartServer {
  readonly issuer: string;
  readonly jwks_uri: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly introspection_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly grant_types_supported?: readonly string[];
  readonly token_endpoint_auth_methods_supported?: readonly string[];
  readonly token_endpoint_auth_signing_alg_values_supported?: readonly string[];
  readonly response_types_supported?: readonly string[];
  readonly code_challenge_methods_supported?: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly capabilities: readonly string[];
}

/** Whose tokens are accepted, as far as it can be said now; undefined while an external issuer does not answer. */
export type FindSmartServer = () => Promise<SmartServer | undefined>;

/** Path of the document below the FHIR base. */
export const SMART_CONFIGURATION = '.well-known/smart-configuration';

const OAUTH_URIS = 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris';
/** Endpoints by the names that the extension gives them. */
const URIS = [
  ['authorize', 'authorization_endpoint'],
  ['token', 'token_endpoint'],
  ['introspect', 'introspection_endpoint'],
  ['revoke', 'revocation_endpoint'],
] as const;

/** CapabilityStatement.rest.security: that tokens are asked for, and whose. */
export function securityOf(server: SmartServer | undefined): JsonObject {
  const system = 'http://terminology.hl7.org/CodeSystem/restful-security-service';
  const uris = URIS.flatMap(([url, name]) => {
    const valueUri = server?.[name];
    return valueUri === undefined ? [] : [{ url, valueUri }];
  });
  return {
    ...(uris.length === 0 ? {} : { extension: [{ url: OAUTH_URIS, extension: uris }] }),
    cors: true,
    service: [{ coding: [{ system, code: 'SMART-on-FHIR' }], text: 'OAuth 2.0 (SMART App Launch)' }],
  };
}
