/** The development authorization server's protocol: oidc-provider, set up from what is offered. */
import { generateKeyPair } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import type { JWK } from 'jose';
import {
  errors,
  interactionPolicy,
  Provider,
  type Adapter,
  type ClientMetadata,
  type Configuration,
  type JWKS,
  type KoaContextWithOIDC,
} from 'oidc-provider';

import { fhirBase } from '../identity/issuer.js';
import { isWithin } from '../identity/scopes.js';
import type { Launches } from './launches.js';
import {
  ACCESS_TOKEN_S,
  ASSERTION_ALGORITHMS,
  ASSERTION_S,
  BACKEND_TOKEN_S,
  CLIENT_METHODS,
  developmentServer,
  ENDPOINTS,
  GRANT_S,
  IDENTITY_SCOPES,
} from './offered.js';
import { renderFault } from './pages.js';
import type { SignInPorts } from './ports.js';
import type { App } from './register.js';
import { claimsOf, fhirUserOf, grantable } from './rights.js';
import type { SignInStore } from './store.js';

const SESSION_S = 8 * 3600;
const SIGN_IN_S = 15 * 60;
const CODE_S = 60;
const CLOCK_TOLERANCE_S = 10;
/** Seconds, by oidc-provider's names. */
const LIFETIMES = {
  AccessToken: ACCESS_TOKEN_S,
  ClientCredentials: BACKEND_TOKEN_S,
  AuthorizationCode: CODE_S,
  Grant: GRANT_S,
  RefreshToken: GRANT_S,
  IdToken: ACCESS_TOKEN_S,
  Interaction: SIGN_IN_S,
  Session: SESSION_S,
};

/** The provider, with the gateway's own key for access tokens and an RSA key for identity tokens. */
export async function openProvider(ports: SignInPorts): Promise<Provider> {
  const { issuer } = developmentServer(ports.settings.baseUrl);
  const own = JSON.parse(readFileSync(ports.settings.jwk, 'utf8')) as JWK;
  const keys = [{ ...own, use: 'sig', alg: 'ES256' }, await identityKey(ports.store)];
  const provider = new Provider(issuer, configuration(ports, { keys }, own.kid ?? ''));
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path !== ENDPOINTS.token) return;
    // Beside Cache-Control: no-store, which is there already (SMART App Launch 2.2, obtain access token).
    ctx.set('Pragma', 'no-cache');
    if (ctx.status === 200) addContext(ctx as KoaContextWithOIDC, ports.launches);
  });
  return provider;
}

/** The key that signs identity tokens: SMART apps expect RS256. Made once and kept. */
async function identityKey(store: SignInStore): Promise<JWK> {
  const kept = store.find('Key', 'identity')?.payload as JWK | undefined;
  if (kept !== undefined) return kept;
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const made: JWK = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
  store.keep('Key', 'identity', { payload: made });
  return made;
}

/** Launch context goes into the token response, beside the token. */
function addContext(ctx: KoaContextWithOIDC, launches: Launches): void {
  const grantId = ctx.oidc.entities.Grant?.jti;
  const context = grantId === undefined ? undefined : launches.contextOf(grantId);
  if (context === undefined) return;
  ctx.body = { ...(ctx.body as object), patient: context.patient, need_patient_banner: context.needsBanner };
}

function configuration(ports: SignInPorts, jwks: JWKS, kid: string): Configuration {
  const { store } = ports;
  return {
    adapter: (model) => adapterOf(model, ports),
    jwks,
    routes: { ...ENDPOINTS },
    scopes: [...IDENTITY_SCOPES],
    claims: { openid: ['sub'], fhirUser: ['fhirUser'] },
    responseTypes: ['code'],
    clientAuthMethods: [...CLIENT_METHODS],
    clientDefaults: { response_types: ['code'], token_endpoint_auth_method: 'none' },
    clockTolerance: CLOCK_TOLERANCE_S,
    allowOmittingSingleRegisteredRedirectUri: false,
    enabledJWA: { clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS], idTokenSigningAlgValues: ['RS256'] },
    // Addresses of keys are the administrator's: one on this machine is meant.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined } as RequestInit),
    pkce: { required: () => true },
    features: features(ports, kid),
    extraParams: {
      aud: (ctx, value) => {
        requireAudience(ports, ctx, value);
      },
      launch: null,
    },
    findAccount: (_ctx, sub) => account(ports, sub),
    issueRefreshToken: (_ctx, client, source) =>
      Promise.resolve(
        client.grantTypeAllowed('refresh_token') &&
          (source.scopes.has('offline_access') || source.scopes.has('online_access')),
      ),
    extraTokenClaims: (_ctx, token) => extraClaims(ports, token),
    formats: {
      customizers: {
        jwt: (_ctx, token, { payload }) => {
          remember(store, token, payload);
        },
      },
    },
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims, header) => requireFreshAssertion(ports, claims, header),
    loadExistingGrant: (ctx) => grantOf(ctx),
    interactions: { policy: policy(), url: (ctx, { uid }) => `${new URL(ctx.oidc.issuer).pathname}/sign-in/${uid}` },
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    cookies: { keys: [ports.cookieSecret], long: { signed: true }, short: { signed: true } },
    renderError: (ctx, { error, error_description }) => {
      renderFault(ports.settings, ctx, error, error_description);
    },
    ttl: LIFETIMES,
  };
}

function features({ settings, register }: SignInPorts, kid: string): NonNullable<Configuration['features']> {
  const base = fhirBase(settings.baseUrl);
  return {
    ...{ devInteractions: { enabled: false }, userinfo: { enabled: false }, dPoP: { enabled: false } },
    ...{ pushedAuthorizationRequests: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) =>
        token.clientId === client.clientId || client.tokenEndpointAuthMethod === 'private_key_jwt',
    },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => base,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource, client) => {
        if (resource !== base) throw new errors.InvalidTarget('the only resource here is the FHIR base');
        return {
          scope: offeredScopes(ctx, register.app(client.clientId)).join(' '),
          audience: base,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256', kid } },
        };
      },
    },
  };
}

/** Of the scopes asked for those that the app may be granted at all. Throws InvalidScope for a backend left with none. */
function offeredScopes(ctx: KoaContextWithOIDC, app: App | undefined): readonly string[] {
  const { AuthorizationCode, RefreshToken } = ctx.oidc.entities;
  const asked = [ctx.oidc.params?.scope, AuthorizationCode?.scope, RefreshToken?.scope];
  const scopes = new Set(asked.flatMap((each) => (typeof each === 'string' ? each.split(' ') : [])));
  const allowed = app?.scope?.split(' ');
  const offered = [...scopes].filter(
    (scope) =>
      grantable(scope, app?.role !== undefined) &&
      (allowed === undefined || isWithin(scope, allowed) || (IDENTITY_SCOPES as readonly string[]).includes(scope)),
  );
  if (app?.role !== undefined && offered.length === 0) {
    throw new errors.InvalidScope('none of the scopes is one that this service may have', '');
  }
  return offered;
}

/** SMART asks apps to say which FHIR server the token is for, so that none is handed to another. */
function requireAudience({ settings }: SignInPorts, ctx: KoaContextWithOIDC, value: unknown): void {
  if (ctx.oidc.route !== 'authorization' && value === undefined) return;
  const base = fhirBase(settings.baseUrl);
  if (value !== base && value !== `${base}/`) throw new errors.InvalidRequest(`aud must be ${base}`);
}

function account({ register, settings }: SignInPorts, sub: string) {
  const person = register.person(sub);
  if (person === undefined) return undefined;
  const fhirUser = fhirUserOf(person, settings.baseUrl);
  return { accountId: sub, claims: () => ({ sub, ...(fhirUser === undefined ? {} : { fhirUser }) }) };
}

function extraClaims(
  { register, settings, launches }: SignInPorts,
  token: object,
): Record<string, unknown> | undefined {
  const { accountId, clientId, grantId, scope } = token as Readonly<Partial<Record<string, string>>>;
  const whose = accountId === undefined ? register.app(clientId ?? '') : register.person(accountId);
  const context = grantId === undefined ? undefined : launches.contextOf(grantId);
  const claims = claimsOf(settings.member, whose, context);
  const isAskedWho = whose !== undefined && 'user' in whose && scope?.split(' ').includes('fhirUser') === true;
  return isAskedWho ? { ...claims, fhirUser: fhirUserOf(whose, settings.baseUrl) } : claims;
}

/** A signed token is remembered too: one that is not is revoked. */
function remember(store: SignInStore, token: object, payload: object): void {
  const { IN_PAYLOAD: names } = token.constructor as unknown as { IN_PAYLOAD: readonly string[] };
  const { iat, exp, jti } = payload as { iat: number; exp: number; jti: string };
  const own = token as Readonly<Record<string, unknown>>;
  const kept = Object.fromEntries(names.filter((name) => own[name] !== undefined).map((name) => [name, own[name]]));
  store.keep(token.constructor.name, jti, { ...kept, iat, exp, jti }, exp - iat);
}

/** Throws for an assertion that ends too late, or was used before (SMART Backend Services). */
async function requireFreshAssertion(
  { memory, register }: SignInPorts,
  claims: Readonly<Record<string, unknown>>,
  header: { readonly jku?: unknown },
): Promise<void> {
  const { iss, jti, exp } = claims as { iss: string; jti: string; exp: number };
  const now = Date.now();
  if (exp * 1000 > now + (ASSERTION_S + CLOCK_TOLERANCE_S) * 1000) {
    throw new errors.InvalidClientAuth(`the assertion must end within ${ASSERTION_S} seconds`);
  }
  if (!('kid' in header)) throw new errors.InvalidClientAuth('the assertion must name its key (kid)');
  if (header.jku !== undefined && header.jku !== register.app(iss)?.keysUrl) {
    throw new errors.InvalidClientAuth('the assertion names another set of keys than was registered (jku)');
  }
  const kept = memory.useOnce(`assertion/${iss}/${jti}`, (exp + CLOCK_TOLERANCE_S) * 1000, now);
  if (kept === undefined) throw new errors.InvalidClientAuth('the assertion was used before');
  await kept;
}

/** What a person allows is allowed for this launch alone: nothing granted before is taken up again. */
async function grantOf(ctx: KoaContextWithOIDC) {
  const grantId = ctx.oidc.result?.consent?.grantId;
  return grantId === undefined ? undefined : await ctx.oidc.provider.Grant.find(grantId);
}

/** The password is asked for each time: screens in a hospital are shared. */
function policy(): interactionPolicy.DefaultPolicy {
  const made = interactionPolicy.base();
  made
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check('not_signed_in_now', 'sign in', 'login_required', (ctx) =>
        ctx.oidc.result?.login === undefined
          ? interactionPolicy.Check.REQUEST_PROMPT
          : interactionPolicy.Check.NO_NEED_TO_PROMPT,
      ),
    );
  return made;
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined);

/** Keeps and finds nothing. */
const NOTHING: Adapter = {
  ...{ upsert: nothing, find: nothing, findByUid: nothing, findByUserCode: nothing },
  ...{ consume: nothing, destroy: nothing, revokeByGrantId: nothing },
};

/** Where oidc-provider keeps its models of one name. */
function adapterOf(model: string, { register, store }: SignInPorts): Adapter {
  // Used assertions are remembered by requireFreshAssertion, at all of the member's gateways at once.
  if (model === 'ReplayDetection') return NOTHING;
  if (model !== 'Client') return store.adapter(model);
  // Apps are registered by the administrator alone.
  const find = (id: string): Promise<ClientMetadata | undefined> => {
    const app = register.app(id);
    return Promise.resolve(app === undefined ? undefined : metadataOf(app));
  };
  return { ...NOTHING, find };
}

function metadataOf({ id, name, redirectUris, keys, keysUrl, role }: App): ClientMetadata {
  const isBackend = role !== undefined;
  return {
    client_id: id,
    client_name: name,
    redirect_uris: [...redirectUris],
    response_types: isBackend ? [] : ['code'],
    grant_types: isBackend ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: keys === undefined && keysUrl === undefined ? 'none' : 'private_key_jwt',
    ...(keysUrl === undefined ? {} : { jwks_uri: keysUrl }),
    ...(keys === undefined ? {} : { jwks: { keys: [...keys] } }),
  };
}
