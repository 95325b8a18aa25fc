/** `/auth`: the pages people sign in at, launches by an EHR, and behind them the provider's own endpoints. */
import express, { Router, urlencoded, type Request, type RequestHandler, type Response } from 'express';
import { decodeJwt, jwtVerify } from 'jose';

import { outcomeOf } from '../fhir/outcome.js';
import { developmentIssuer, fhirBase } from '../identity/issuer.js';
import { Refusal } from '../ledger/refusal.js';
import { fieldsOf, withForm } from './form.js';
import { ENDPOINTS, LAUNCH_PATH } from './offered.js';
import { SIGN_IN_BODY_LIMIT, type AuthorizationPorts } from './ports.js';
import type { App } from './register.js';
import { signInRoutes } from './sign-in.js';

/** Everything under the issuer's path. */
export function authorizationRoutes(ports: AuthorizationPorts): Router {
  const router = Router();
  router.use(signInRoutes(ports));
  router.post(LAUNCH_PATH, express.json({ limit: SIGN_IN_BODY_LIMIT }), launch(ports));
  const byForm = urlencoded({ extended: false, limit: SIGN_IN_BODY_LIMIT });
  router.post(ENDPOINTS.introspection, byForm, byBearer(ports));
  router.post([ENDPOINTS.introspection, ENDPOINTS.revocation], byForm, changed(ports, aboutToken(ports)));
  router.post(ENDPOINTS.token, byForm, changed(ports, namingClient(ports)));
  router.post(ENDPOINTS.authorization, byForm, asQuery);
  router.all(ENDPOINTS.authorization, askingForConsent, toProvider(ports));
  router.use(toProvider(ports));
  return router;
}

function toProvider({ provider }: AuthorizationPorts): RequestHandler {
  return async (request, response) => {
    const callback = (await provider()).callback();
    await callback(request, response);
  };
}

/** An authorization request by POST (OpenID Connect Core 3.1.2.1) is the same by GET: its form may be longer than a URL. */
const asQuery: RequestHandler = (request, _response, next) => {
  request.method = 'GET';
  request.url = `${ENDPOINTS.authorization}?${fieldsOf(request).toString()}`;
  request.originalUrl = `${request.baseUrl}${request.url}`;
  next();
};

/** OpenID Connect drops offline_access without the word consent; SMART apps do not know that word, and are asked anyway. */
const askingForConsent: RequestHandler = (request, _response, next) => {
  const [path = '', search = ''] = request.url.split(/\?(.*)/s, 2);
  const query = new URLSearchParams(search);
  if (query.get('scope')?.split(' ').includes('offline_access') === true && !query.has('prompt')) {
    query.set('prompt', 'consent');
    request.url = `${path}?${query.toString()}`;
    request.originalUrl = `${request.baseUrl}${request.url}`;
  }
  next();
};

/**
 * Introspection (RFC 7662) and revocation (RFC 7009): the provider looks tokens up by their id, which for the signed
 * ones is the claim jti.
 */
function aboutToken(ports: AuthorizationPorts): ChangeForm {
  return async (form) => {
    const token = form.get('token');
    if (token?.includes('.') === true) form.set('token', await idOf(token, ports));
  };
}

/**
 * Introspection by whoever has an access token of a backend service instead of a client's own word (SMART App Launch 2.2,
 * token introspection).
 */
function byBearer(ports: AuthorizationPorts): RequestHandler {
  return async (request, response, next) => {
    const [, bearer] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (bearer === undefined) {
      next();
      return;
    }
    if (!ports.store.has('ClientCredentials', await idOf(bearer, ports))) {
      response.status(401).set('WWW-Authenticate', 'Bearer error="invalid_token"').json({ error: 'invalid_token' });
      return;
    }
    const token = fieldsOf(request).get('token') ?? '';
    response.json(introspected(ports, token.includes('.') ? await idOf(token, ports) : token));
  };
}

/** What RFC 7662 says of a token by its id. */
function introspected({ store, settings }: AuthorizationPorts, id: string): object {
  const models = ['AccessToken', 'ClientCredentials', 'RefreshToken'];
  const found = models.map((model) => store.find(model, id)).find((each) => each !== undefined);
  if (found === undefined || found.consumed !== undefined) return { active: false };
  const { extra, clientId, accountId = clientId, scope, exp, iat, aud } = found;
  const iss = developmentIssuer(settings.baseUrl);
  return {
    ...(extra as object | undefined),
    active: true,
    client_id: clientId,
    sub: accountId,
    scope,
    exp,
    iat,
    aud,
    iss,
  };
}

/** A public app that refreshes need not say which one it is (SMART App Launch 2.2): its refresh token does. */
function namingClient({ store, register }: AuthorizationPorts): ChangeForm {
  return (form, { headers }) => {
    const says = headers.authorization !== undefined || form.has('client_id') || form.has('client_assertion');
    if (says || form.get('grant_type') !== 'refresh_token') return;
    const clientId = store.find('RefreshToken', form.get('refresh_token') ?? '')?.clientId;
    if (clientId !== undefined && isPublic(register.app(clientId))) form.set('client_id', clientId);
  };
}

function isPublic(app: App | undefined): boolean {
  return app?.keys === undefined && app?.keysUrl === undefined;
}

type ChangeForm = (form: URLSearchParams, request: Request) => Promise<void> | void;

/** Hands the request to the provider with its form changed. */
function changed({ provider }: AuthorizationPorts, change: ChangeForm): RequestHandler {
  return async (request, response) => {
    const form = fieldsOf(request);
    await change(form, request);
    const callback = (await provider()).callback();
    await callback(withForm(request, form), response);
  };
}

/** The id of a token that was made here; one of nothing for any other. */
async function idOf(token: string, { keys, settings }: AuthorizationPorts): Promise<string> {
  try {
    const issuedAt = new Date((decodeJwt(token).iat ?? 0) * 1000);
    const { payload } = await jwtVerify(token, keys, { audience: fhirBase(settings.baseUrl), currentDate: issuedAt });
    return payload.jti ?? 'none';
  } catch {
    return 'none';
  }
}

/** An EHR says for which patient it is about to open an app, as the person who has it open. */
function launch({ authenticate, launches, maySee, settings }: AuthorizationPorts): RequestHandler {
  return async (request, response) => {
    try {
      const actor = await authenticate(request);
      const { patient } = request.body as { patient?: unknown };
      if (typeof patient !== 'string') throw new Refusal('invalid', 'bad-value', 'send {"patient": "its FHIR id"}');
      if (!(await maySee(actor, patient))) throw new Refusal('not-found', 'not-found', 'no such patient is known here');
      const id = launches.begin({ user: actor.user, patient });
      response.status(201).json({ launch: id, iss: fhirBase(settings.baseUrl) });
    } catch (error) {
      answerRefusal(response, error);
    }
  };
}

function answerRefusal(response: Response, error: unknown): void {
  const { status, resource } = outcomeOf(error);
  if (status === 401) response.set('WWW-Authenticate', 'Bearer');
  response.status(status).type('application/fhir+json').send(JSON.stringify(resource));
}
