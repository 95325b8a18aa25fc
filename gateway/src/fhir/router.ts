/** The FHIR router: a request in, a response out; every failure is an OperationOutcome. It knows no HTTP library. */
import { Refusal } from '../ledger/refusal.js';
import type { FhirContext } from './context.js';
import { catchUp } from './context.js';
import { batch } from './batch.js';
import { capabilityStatement } from './capability.js';
import { isOfR4, resourceBody } from './body.js';
import { eachEntryOf, entriesOf, isChange, type Entry } from './bundle.js';
import { routeOf, routesAt, type Match } from './interactions.js';
import { operationOutcome, outcomeOf } from './outcome.js';
import { PostedWriter } from './posted-writer.js';
import { Pace } from './pace.js';
import type { FhirRequest, FhirResponse, Interaction, Served, TypeHandler } from './request.js';
import { shaped } from './shape.js';
import { terminologyCapabilities } from './terminology/capability.js';
import { transaction } from './transaction.js';

/** Answers FHIR requests of one member. */
export interface FhirRouter {
  /** Never rejects. */
  handle(request: FhirRequest): Promise<FhirResponse>;
}

/** Who hears of what went wrong here. */
export interface RouterOptions {
  /** Told of faults of ours, for the log: never of refusals. */
  readonly onFault?: (error: unknown) => void;
}

/** A router over this context; what it serves is the table of interactions. */
export function fhirRouter(given: FhirContext, options: RouterOptions = {}): FhirRouter {
  const { parameters } = given.projection;
  const isApart = (type: string): boolean => given.served?.[type] !== undefined;
  const context = { ...given, writer: new PostedWriter(given.writer, { parameters, isApart }) };
  const answered = async (request: FhirRequest): Promise<FhirResponse> => {
    try {
      requireJsonAnswer(request);
      await catchUp(context, request);
      return await dispatch(context, request, handle);
    } catch (error) {
      if (!(error instanceof Refusal)) options.onFault?.(error);
      const outcome = outcomeOf(error);
      return { headers: outcome.status === 405 ? { Allow: allowOf(context, request.path) } : {}, ...outcome };
    }
  };
  const handle = async (request: FhirRequest): Promise<FhirResponse> => {
    const pace = new Pace();
    const response = await answered({ ...request, pace });
    // Last of all, so that nothing that depends on what was found comes after it.
    await pace.leave(response.status);
    return response;
  };
  return { handle };
}

type Handle = (request: FhirRequest) => Promise<FhirResponse>;

async function dispatch(context: FhirContext, request: FhirRequest, handle: Handle): Promise<FhirResponse> {
  if (request.path === 'metadata') return metadata(context, request);
  if (request.path === '' && request.method === 'POST') return system(context, request, handle);
  if (request.path.startsWith('$write-status/')) return writeStatus(context, request);
  return routed(context, request);
}

/** Methods served at a path (RFC 9110 section 10.2.1). */
function allowOf({ served }: FhirContext, path: string): string {
  const own = METHODS_APART.get(path.split('/')[0] ?? '');
  const matches = own === undefined ? routesAt(path) : [];
  const methods = matches.flatMap(({ route, parts }) => {
    const apart = served?.[parts.type ?? ''];
    return apart === undefined || apart.interactions.includes(route.code) ? [route.method] : [];
  });
  return own ?? [...new Set(methods)].join(', ');
}

/** Of what is in no table of interactions. */
const METHODS_APART: ReadonlyMap<string, string> = new Map([
  ['metadata', 'GET, HEAD'],
  ['$write-status', 'GET, HEAD'],
]);

async function routed(context: FhirContext, request: FhirRequest): Promise<FhirResponse> {
  const match = routeOf(request.method, request.path);
  const { route, parts } = match;
  const type = parts.type ?? parts.member ?? ownType(route.path);
  if (type === undefined) return run(context, request, match);
  context.decision.allow(request.actor, type, route.interaction);
  const handler = context.handlers?.[type];
  if (handler === undefined) return run(context, request, match);
  return handled(context, request, match, { type, handler });
}

/** A request about a type that a domain handles itself. */
async function handled(
  context: FhirContext,
  request: FhirRequest,
  match: Match,
  { type, handler }: { readonly type: string; readonly handler: TypeHandler },
): Promise<FhirResponse> {
  const { route, parts } = match;
  requireServed(request, match, context.served?.[type]);
  // Whoever handles a type takes resources as given.
  if (route.interaction === 'create' || route.interaction === 'update') resourceBody(request);
  if (route.level === 'operation') return readingOperation(context, request, match, type);
  // Whoever handles a type knows searches by patient, not compartments.
  if (route.level === 'compartment') {
    if (!route.path.startsWith('Patient/')) throw new Refusal('invalid', 'not-supported', `search ${type} by patient`);
    return routed(context, byPatient(request, parts));
  }
  return handler(request, route.interaction, (inner) => run(context, inner, match));
}

/** Throws Refusal for what the CapabilityStatement does not name of a type that is handled apart. */
function requireServed({ headers }: FhirRequest, { route }: Match, served: Served | undefined): void {
  if (served === undefined || route.level === 'operation') return;
  const isConditional = route.path === ':type' && ['PUT', 'PATCH', 'DELETE'].includes(route.method);
  if (isConditional || !served.interactions.includes(route.code)) {
    throw new Refusal('invalid', 'method-not-allowed', served.instead);
  }
  if (headers['if-none-exist'] !== undefined) {
    throw new Refusal('invalid', 'not-supported', `If-None-Exist is not served for this type: ${served.instead}`);
  }
}

/** An operation on a type that is handled apart: what would change a resource must not go past its handler. */
function readingOperation(context: FhirContext, request: FhirRequest, match: Match, type: string) {
  const { interaction, code } = match.route;
  if (interaction === 'update') {
    throw new Refusal('invalid', 'method-not-allowed', `${code} is not served for ${type}: PUT it as a whole`);
  }
  return run(context, request, match);
}

/** The type an operation is one of: `Patient/:id/$everything`. A search across types (`Patient/:id/*`) is of none. */
function ownType(path: string): string | undefined {
  return path.includes('/*') ? undefined : /^[A-Z][A-Za-z]+/.exec(path)?.[0];
}

/** `Patient/1/Consent` as `Consent?patient=1`. */
function byPatient(request: FhirRequest, { id = '', member = '' }: Match['parts']): FhirRequest {
  const query = new URLSearchParams(request.query);
  query.append('patient', id);
  return { ...request, path: request.path.endsWith('/_search') ? `${member}/_search` : member, query };
}

async function run(context: FhirContext, request: FhirRequest, { route, parts }: Match): Promise<FhirResponse> {
  return route.run(context, request, parts);
}

/** What is told of the server (R4 http.html#capabilities); a server may answer `normative` by all that it serves. */
const MODES = new Set(['full', 'normative', 'terminology']);

async function metadata(context: FhirContext, request: FhirRequest): Promise<FhirResponse> {
  requireMethod(request, ['GET', 'HEAD']);
  const mode = request.query.get('mode') ?? 'full';
  if (!MODES.has(mode)) throw new Refusal('invalid', 'bad-value', 'mode is full, normative or terminology');
  const resource = mode === 'terminology' ? terminologyCapabilities(context) : await capabilityStatement(context);
  return shaped({ status: 200, headers: {}, resource }, request.query);
}

/** POST of a batch or transaction to the base. */
async function system(context: FhirContext, request: FhirRequest, handle: Handle): Promise<FhirResponse> {
  const { exact } = resourceBody(request);
  if (exact.resourceType !== 'Bundle')
    throw new Refusal('invalid', 'structure', 'the base takes a Bundle: send other resources to their type');
  if (exact.type === 'batch') return batch(request, eachEntryOf(exact, context.baseUrl), handle);
  if (exact.type !== 'transaction') throw new Refusal('invalid', 'structure', 'Bundle.type is batch or transaction');
  const entries = entriesOf(exact, context.baseUrl);
  for (const entry of entries) allowEntry(context, request, entry);
  return transaction(context, request, entries, handle);
}

function allowEntry(context: FhirContext, request: FhirRequest, entry: Entry): void {
  const interaction = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;
  const asked = interaction[entry.method as keyof typeof interaction] as Interaction | undefined;
  if (asked === undefined || !isChange(entry)) return;
  const [type = ''] = entry.url.split(/[/?]/);
  context.decision.allow(request.actor, type, asked);
}

/** How a write ended whose answer was 202. */
async function writeStatus(context: FhirContext, request: FhirRequest): Promise<FhirResponse> {
  requireMethod(request, ['GET', 'HEAD']);
  const key = request.path.slice('$write-status/'.length);
  const status = await context.writeStatus?.(request.actor, key);
  if (status === undefined) throw new Refusal('not-found', 'not-found', 'no such write is known here');
  const told = {
    committed: 'the write is committed',
    failed: 'the write did not take effect',
    unknown: 'not known yet: ask again',
  };
  const issue = { severity: 'information', code: 'informational', diagnostics: told[status.state] } as const;
  return {
    status: status.state === 'unknown' ? 202 : 200,
    headers: status.location === undefined ? {} : { Location: status.location },
    resource: operationOutcome([issue], status.state),
  };
}

function requireMethod(request: FhirRequest, methods: readonly string[]): void {
  if (!methods.includes(request.method)) {
    throw new Refusal(
      'invalid',
      'method-not-allowed',
      `${request.method} is not served here, but ${methods.join(', ')}`,
    );
  }
}

const JSON_FORMATS = new Set([
  'json',
  'application/json',
  'application/fhir+json',
  'application/fhir json',
  'text/json',
]);
const JSON_ACCEPTED = /^\s*(\*\/\*|application\/(\*|json|fhir\+json)|text\/json)\s*(;|$)/;

/** Whether a list of media ranges has one that the answers are of (R4 http.html#version-parameter). */
function takesJson(accept: string): boolean {
  return accept.split(',').some((range) => JSON_ACCEPTED.test(range) && isOfR4(range));
}

/** Answers are JSON: who takes nothing else is told so (R4 http.html#mime-type). */
function requireJsonAnswer({ path, query, headers }: FhirRequest): void {
  if (path.startsWith('$export-file/') || path.startsWith('$import-file/')) return;
  const format = query.get('_format');
  const acceptable =
    format === null ? takesJson(headers.accept ?? '*/*') : JSON_FORMATS.has(format.split(';')[0] ?? '');
  if (!acceptable)
    throw new Refusal(
      'invalid',
      'not-acceptable',
      'answers are application/fhir+json: ask for it in Accept or _format',
    );
}
