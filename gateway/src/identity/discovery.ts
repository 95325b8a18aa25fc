/** What an external issuer says of itself (OpenID Connect Discovery 1.0, RFC 8414), for SMART apps to find. */
import type { SmartServer } from './smart.js';

/** How long what an issuer said is passed on, ms. */
const KEPT_MS = 600_000;
/** After a failure it is asked again no sooner, ms. */
const PAUSE_MS = 5_000;
/** How long an issuer is waited for, ms. */
const WAIT_MS = 5_000;

/** What the gateway itself keeps to, whoever issues its tokens. */
const OWN_CAPABILITIES = ['permission-patient', 'permission-user', 'permission-v1', 'permission-v2'];

const TEXTS = [
  ...['jwks_uri', 'authorization_endpoint', 'token_endpoint', 'introspection_endpoint', 'revocation_endpoint'],
] as const;
const LISTS = [
  ...['grant_types_supported', 'token_endpoint_auth_methods_supported', 'response_types_supported', 'scopes_supported'],
  ...['token_endpoint_auth_signing_alg_values_supported', 'code_challenge_methods_supported', 'capabilities'],
] as const;

/** Asks an issuer for its metadata, at most every few minutes. `now`: milliseconds since 1970. */
export function discovery(issuer: string, now: () => number): () => Promise<SmartServer | undefined> {
  let known: { readonly until: number; readonly server: Promise<SmartServer | undefined> } | undefined;
  return async () => {
    if (known === undefined || now() >= known.until) {
      const asked = { until: now() + KEPT_MS, server: ask(issuer).catch(() => undefined) };
      known = asked;
      const server = await asked.server;
      if (server === undefined && known === asked) known = { ...asked, until: now() + PAUSE_MS };
    }
    return await known.server;
  };
}

async function ask(issuer: string): Promise<SmartServer | undefined> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(WAIT_MS), redirect: 'error' });
  if (!response.ok) return undefined;
  const said = (await response.json()) as Readonly<Record<string, unknown>>;
  return said.issuer === issuer ? serverOf(issuer, said) : undefined;
}

/** Of what it says only what is of the right type is passed on. */
function serverOf(issuer: string, said: Readonly<Record<string, unknown>>): SmartServer | undefined {
  const texts = TEXTS.filter((name) => typeof said[name] === 'string').map((name) => [name, said[name]]);
  const lists = LISTS.filter((name) => isTexts(said[name])).map((name) => [name, said[name]]);
  const found = Object.fromEntries([...texts, ...lists]) as Partial<SmartServer>;
  const { jwks_uri, authorization_endpoint, token_endpoint, capabilities = [] } = found;
  if (jwks_uri === undefined || authorization_endpoint === undefined || token_endpoint === undefined) return undefined;
  const all = [...new Set([...capabilities, ...OWN_CAPABILITIES])];
  return { ...found, issuer, jwks_uri, authorization_endpoint, token_endpoint, capabilities: all };
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
