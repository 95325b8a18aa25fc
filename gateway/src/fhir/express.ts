/** The only file here that knows Express: from its requests to the router's and back. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import express, { type NextFunction, type Request, type Response, type Router } from 'express';

import { Refusal } from '../ledger/refusal.js';
import type { Actor } from '../ports.js';
import { outcomeOf } from './outcome.js';
import { asFhir, asksForContent, contentOf, mayBeContent, withBinary } from './raw-binary.js';
import { received, utf8Of } from './received.js';
import type { FhirRequest, FhirResponse } from './request.js';
import type { FhirRouter } from './router.js';
import { Underway } from './underway.js';

/** Authenticates a request; throws Refusal unauthenticated. Metadata is open to all and asked without. */
export type Authenticate = (request: Request) => Promise<Actor>;

/** After how long to ask again what could not be answered, seconds (RFC 9110 section 10.2.3). */
const RETRY_AFTER_S = '1';

/** Who asks where nobody needs to say. */
const ANYBODY: Actor = { member: '', user: '', role: '', purpose: '', scopes: [] };

/** An Express router to be mounted at the FHIR base. `open`: the path that is answered without asking who asks. */
export function fhirExpress(router: FhirRouter, authenticate: Authenticate, open = 'metadata'): Router {
  const app = express.Router();
  const entrance = { authenticate, open, underway: new Underway() };
  app.use(crossOrigin);
  app.use(async (request: Request, response: Response) => {
    const answered = await answer(router, entrance, [request, response]);
    if (answered.lines === undefined) send(response, request, answered);
    else await stream(response, request, answered.lines, answered.headers);
  });
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else send(response, request, { headers: {}, ...outcomeOf(error) });
  });
  return app;
}

/** Scripts of any origin may ask: what they may see their token says, and no cookie is ever looked at. */
function crossOrigin(request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Access-Control-Expose-Headers', EXPOSED);
  if (request.method !== 'OPTIONS') {
    next();
    return;
  }
  response.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  response.set('Access-Control-Allow-Headers', request.get('access-control-request-headers') ?? ALLOWED);
  response.set('Access-Control-Max-Age', '600');
  response.status(204).end();
}

const EXPOSED =
  'ETag, Last-Modified, Location, Content-Location, Retry-After, X-Tx-Id, X-Block, X-Request-Id, X-Correlation-Id';
const ALLOWED = 'Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, If-None-Exist, X-Min-Block';

interface Entrance {
  readonly authenticate: Authenticate;
  readonly open: string;
  readonly underway: Underway;
}

/** Who nobody knows takes no room: the body is read once it is known who asks, and of what is open to all never. */
async function answer(
  router: FhirRouter,
  { authenticate, open, underway }: Entrance,
  [request, response]: readonly [Request, Response],
): Promise<FhirResponse> {
  try {
    const asked = requestOf(request);
    if (asked.path === open) return await router.handle({ ...asked, actor: ANYBODY });
    const actor = await authenticate(request);
    if (asksForContent(asked)) return contentOf(await router.handle({ ...asFhir(asked, 'accept'), actor }));
    const isContent = mayBeContent(asked);
    const bare: Asked = isContent ? asFhir(asked, 'content-type') : asked;
    const withText = (body: Buffer): Asked => ({ ...asked, body: utf8Of(asked.headers['content-type'], body) });
    return await received(
      underway,
      [request, response],
      (given: Asked | undefined) => router.handle({ ...(given ?? bare), actor }),
      isContent ? (body) => withBinary(asked, body) : withText,
    );
  } catch (error) {
    return { headers: {}, ...outcomeOf(error) };
  }
}

/** A request of whom nobody knows yet who asks. */
type Asked = Omit<FhirRequest, 'actor'>;

/** What is asked, but for the body. */
function requestOf(request: Request): Asked {
  const [path, query] = splitUrl(request.url);
  const headers = request.headers as Record<string, string | undefined>;
  return { method: request.method, path: decoded(path), query: new URLSearchParams(query), headers };
}

function splitUrl(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

/** The path without slashes around it. Throws Refusal for a broken escape, or one that hides a slash. */
function decoded(path: string): string {
  const bare = path.replace(/^\//, '').replace(/\/$/, '');
  if (!bare.includes('%')) return bare;
  try {
    const segments = bare.split('/').map(decodeURIComponent);
    if (segments.some((segment) => segment.includes('/'))) throw new URIError('slash');
    return segments.join('/');
  } catch (error) {
    throw new Refusal('invalid', 'bad-value', 'the URL has an escape that stands for no character of a path', {
      cause: error,
    });
  }
}

/** A long answer, no faster than the client takes it. */
async function stream(
  response: Response,
  request: Request,
  lines: AsyncIterable<string>,
  headers: FhirResponse['headers'],
): Promise<void> {
  response.set({ 'Cache-Control': 'no-store', ...headers });
  if (request.method === 'HEAD') response.end();
  else await pipeline(Readable.from(lines), response);
}

function send(response: Response, request: Request, answered: FhirResponse): void {
  const { status, headers, resource, bytes } = answered;
  response.status(status);
  response.set({ 'Cache-Control': 'no-store', ...WITH_STATUS[status] });
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const body = bytes ?? (resource === undefined ? undefined : textOf(request, resource));
  if (body === undefined || BODILESS.has(status)) {
    response.end();
    return;
  }
  response.setHeader('Content-Type', headers['Content-Type'] ?? 'application/fhir+json; charset=utf-8');
  response.end(request.method === 'HEAD' ? undefined : body);
}

const BODILESS = new Set([204, 304]);
/** Headers that go with a status. */
const WITH_STATUS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'Bearer' },
  503: { 'Retry-After': RETRY_AFTER_S },
};

function textOf(request: Request, resource: NonNullable<FhirResponse['resource']>): string {
  const text = typeof resource === 'string' ? resource : JSON.stringify(resource);
  return /[?&]_pretty=true\b/.test(request.url) ? pretty(text) : text;
}

/** Indents JSON text without reading its numbers. */
function pretty(text: string): string {
  return JSON.stringify(JSON.parse(text, keepSource), undefined, 2);
}

function keepSource(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? JSON.rawJSON(context.source) : value;
}
