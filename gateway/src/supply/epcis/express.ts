/** The EPCIS 2.0 REST interface (section 12): the only file of it that knows Express. */
import express, { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';

import { Refusal } from '../../ledger/refusal.js';
import type { Actor } from '../../ports.js';
import { documentOfXml, NotEpcisXml } from '../event/xml.js';
import { CAPTURE_BYTES, CAPTURE_LIMIT } from './capture.js';
import type { Asked, Endpoint, EpcisAnswer } from './asked.js';
import { allowedOf, ENDPOINTS } from './endpoints.js';
import { EpcisProblem, refusalProblem } from './problem.js';
import type { EpcisDesk } from './desk.js';

/** The standard's versions that are spoken. */
const VERSION_HEADERS = {
  'GS1-EPCIS-Version': '2.0.0',
  'GS1-EPCIS-Min': '2.0.0',
  'GS1-EPCIS-Max': '2.0.0',
  'GS1-CBV-Version': '2.0.0',
  'GS1-CBV-Min': '2.0.0',
  'GS1-CBV-Max': '2.0.0',
  'GS1-EPC-Format': 'No_Preference',
  'GS1-CBV-XML-Format': 'No_Preference',
  'GS1-Extensions': '',
} as const;

const CAPTURE_HEADERS = {
  'GS1-EPCIS-Capture-Limit': String(CAPTURE_LIMIT),
  'GS1-EPCIS-Capture-File-Size-Limit': String(CAPTURE_BYTES),
  'GS1-Capture-Error-Behaviour': 'rollback',
};

const JSON_TYPES = ['application/json', 'application/ld+json'];
const XML_TYPES = ['application/xml', 'text/xml'];

/** The router to put under `/epcis`. */
export function epcisExpress(
  desk: EpcisDesk,
  actorOf: (request: Request) => Promise<Actor>,
  onFault: (error: unknown) => void,
): Router {
  const router = Router();
  router.use(head);
  router.use(express.text({ type: () => true, limit: CAPTURE_BYTES }));
  for (const [path, endpoint] of Object.entries(ENDPOINTS)) {
    router.options(path, (_request, response) => {
      response.set('Allow', allowedOf(endpoint));
      if (path === '/capture') response.set(CAPTURE_HEADERS);
      response.status(204).end();
    });
    router.all(path, serve(endpoint, desk, actorOf));
  }
  router.use((_request, _response, next) => {
    next(new EpcisProblem('NoSuchResourceException', 'nothing lies under this path'));
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else sendProblem(response, problemOf(error, onFault));
  });
  return router;
}

function head(request: Request, response: Response, next: NextFunction): void {
  response.set(VERSION_HEADERS);
  const wanted = ['GS1-EPCIS-Version', 'GS1-CBV-Version'].map((name) => request.get(name));
  const isSpoken = wanted.every((version) => version === undefined || /^2\.0(?:\.\d+)?$/.test(version.trim()));
  next(isSpoken ? undefined : new EpcisProblem('NotAcceptableException', 'this server speaks EPCIS and CBV 2.0'));
}

function serve(endpoint: Endpoint, desk: EpcisDesk, actorOf: (request: Request) => Promise<Actor>): RequestHandler {
  return async (request, response) => {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handle = Object.hasOwn(endpoint, method) ? endpoint[method] : undefined;
    if (handle === undefined) {
      response.set('Allow', allowedOf(endpoint));
      throw new EpcisProblem('ImplementationException', 'this method is not known here', 405);
    }
    if (request.accepts(JSON_TYPES) === false) {
      throw new EpcisProblem('NotAcceptableException', 'answers are application/json or application/ld+json');
    }
    send(request, response, await handle(desk, asked(request, await actorOf(request))));
  };
}

function asked(request: Request, actor: Actor): Asked {
  const body = typeof request.body === 'string' ? request.body : '';
  return {
    actor,
    path: request.path,
    base: request.baseUrl,
    parameters: request.params as Readonly<Record<string, string>>,
    query: new URL(request.url, 'http://epcis').searchParams,
    header: (name) => request.get(name),
    json: () => jsonOf(request.get('content-type'), body),
  };
}

function jsonOf(type: string | undefined, body: string): unknown {
  const [media = ''] = (type ?? '').split(';');
  const spoken = media.trim().toLowerCase();
  if (XML_TYPES.includes(spoken)) return ofXml(body);
  if (!JSON_TYPES.includes(spoken)) {
    throw new EpcisProblem(
      'UnsupportedMediaTypeException',
      'send application/json, application/ld+json or application/xml',
    );
  }
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw new EpcisProblem('ValidationException', 'the body is not JSON');
  }
}

function ofXml(body: string): unknown {
  try {
    return documentOfXml(body);
  } catch (error) {
    if (error instanceof NotEpcisXml) throw new EpcisProblem('ValidationException', error.message);
    throw error;
  }
}

function send(request: Request, response: Response, { status, headers, body }: EpcisAnswer): void {
  response.status(status).set(headers ?? {});
  if (body === undefined || request.method === 'HEAD') {
    response.end();
    return;
  }
  const isLinked = request.accepts(JSON_TYPES) === 'application/ld+json';
  response.set('Content-Type', isLinked ? 'application/ld+json' : 'application/json').end(JSON.stringify(body));
}

function sendProblem(response: Response, problem: EpcisProblem): void {
  if (problem.status === 401) response.set('WWW-Authenticate', 'Bearer');
  response.status(problem.status).set('Content-Type', 'application/problem+json').end(JSON.stringify(problem.body));
}

function problemOf(error: unknown, onFault: (error: unknown) => void): EpcisProblem {
  if (error instanceof EpcisProblem) return error;
  if (error instanceof Refusal) return refusalProblem(error);
  if ((error as { status?: unknown } | null)?.status === 413) {
    return new EpcisProblem('CaptureLimitExceededException', `a capture has at most ${CAPTURE_BYTES} bytes: split it`);
  }
  onFault(error);
  return new EpcisProblem('ImplementationException', 'the request failed here');
}
