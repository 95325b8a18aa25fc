/** The HTTP face of one member's gateway: what lies under which path, and what every request has in common. */
import { randomUUID } from 'node:crypto';

import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import type { Logger } from 'pino';

import { AUTHORIZATION_PATH } from './identity/issuer.js';
import { SMART_CONFIGURATION, type FindSmartServer } from './identity/smart.js';
import type { Meters } from './metrics.js';
import { pageRoutes, type PagePorts } from './pages/routes.js';
import { isResourceType } from './projection/generated.js';

/** What the HTTP face is put together from; each handler is built in its own room. */
export interface AppPorts extends PagePorts {
  readonly log: Logger;
  readonly meters: Meters;
  /** Answers everything under /fhir/R4. */
  readonly fhir: RequestHandler;
  /** Whose tokens are accepted; absent = nobody is told. */
  readonly smart?: FindSmartServer;
  /** Answers everything under /auth; absent where an external issuer's tokens are accepted. */
  readonly authorization?: RequestHandler;
  /** Answers everything under /epcis. */
  readonly epcis: RequestHandler;
  /** Answers everything under /verify. */
  readonly verify: RequestHandler;
  /** Answers everything under /supply. */
  readonly supply: RequestHandler;
  /** Answers everything under /cds-services. */
  readonly cdsHooks: RequestHandler;
}

/** What a client may name its request by: a UUID or a trace id (32 hex digits), which say nothing of anybody. */
const REQUEST_ID = /^[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}$/i;
/** What it may name it by beside those: given back, and kept nowhere. */
const CLIENT_ID = /^[\x21-\x7e]{1,128}$/;
/** First parts of the paths that are counted by name; what else people type is not. */
const AREAS = new Set([
  '',
  'livez',
  'readyz',
  'metrics',
  'fhir',
  'auth',
  'epcis',
  'verify',
  'supply',
  'trials',
  'cds-services',
  'ledger',
  'record',
  'assets',
]);

/** Builds the app; it listens nowhere yet. */
export function buildApp(ports: AppPorts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(identify, harden, observe(ports));
  app.get('/livez', (_request, response) => {
    response.json({ status: 'live' });
  });
  app.get('/readyz', (_request, response) => {
    readiness(ports, response);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(ports.meters.registry.contentType).send(await ports.meters.registry.metrics());
  });
  app.get(`/fhir/R4/${SMART_CONFIGURATION}`, smartConfiguration(ports.smart));
  app.use('/fhir/R4', ports.fhir);
  if (ports.authorization !== undefined) app.use(AUTHORIZATION_PATH, ports.authorization);
  app.use('/epcis', ports.epcis);
  app.use('/verify', ports.verify);
  app.use('/supply', ports.supply);
  app.use('/cds-services', ports.cdsHooks);
  app.use(pageRoutes(ports));
  app.use((_request: Request, response: Response) => {
    response.status(404).json({ error: 'not-found' });
  });
  app.use(failed(ports.log));
  return app;
}

function identify(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('x-request-id');
  response.locals.requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', response.locals.requestId as string);
  // Who asked finds the answer by the id of its own (R4 http.html#custom); it goes into no log, for it may be anything.
  if (given !== undefined && CLIENT_ID.test(given)) response.setHeader('X-Correlation-Id', given);
  next();
}

const HARDENING = new Map([
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cache-Control', 'no-store'],
]);

function harden(_request: Request, response: Response, next: NextFunction): void {
  response.setHeaders(HARDENING);
  next();
}

/** Logs and measures each answer. Paths and queries name patients, so only the area and the type asked for are kept. */
function observe({ log, meters }: AppPorts): RequestHandler {
  return (request, response, next) => {
    const start = process.hrtime.bigint();
    response.on('finish', () => {
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      const area = areaOf(request.originalUrl);
      meters.requests.observe({ method: request.method, area, status: response.statusCode }, seconds);
      const fields = { id: response.locals.requestId as string, method: request.method, area };
      log.info({ ...fields, status: response.statusCode, ms: Math.round(seconds * 1000) }, 'answered');
    });
    next();
  };
}

/** `fhir/Patient`, `ledger`, `metrics`...: the type but never the id, and nothing that only the caller knows. */
function areaOf(url: string): string {
  const [, fhirType] = /^\/fhir\/R4\/([A-Z][A-Za-z]{0,40})(?=[/?]|$)/.exec(url) ?? [];
  if (fhirType !== undefined && isResourceType(fhirType)) return `fhir/${fhirType}`;
  const [, first = 'other'] = /^\/([^/?]*)/.exec(url) ?? [];
  return AREAS.has(first) ? first : 'other';
}

/** Where SMART apps are to ask for tokens; open to scripts of any origin, as they ask before they have one. */
function smartConfiguration(find: FindSmartServer | undefined): RequestHandler {
  return async (_request, response) => {
    const server = await find?.();
    response.set('Access-Control-Allow-Origin', '*');
    if (server !== undefined) response.json(server);
    else response.status(503).set('Retry-After', '5').json({ error: 'temporarily_unavailable' });
  };
}

/** Ready when the projection has what the channel has: a readiness, not a liveness. */
function readiness(ports: AppPorts, response: Response): void {
  const { ready, ...channel } = ports.standing();
  const channels = { [ports.settings.channel]: channel };
  response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'behind', channels });
}

function failed(log: Logger) {
  return (error: unknown, _request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const status = (error as { status?: unknown } | null)?.status;
    const own = typeof status === 'number' && status >= 400 && status < 500;
    if (!own) log.error({ id: response.locals.requestId as string, name: (error as Error).name }, 'failed');
    response.status(own ? status : 500).json({ error: own ? 'bad-request' : 'internal' });
  };
}
