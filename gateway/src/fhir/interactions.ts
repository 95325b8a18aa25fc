/** The table of what the router serves; the router runs it and the CapabilityStatement is written from it. */
import { Refusal } from '../ledger/refusal.js';
import { isResourceType } from '../projection/generated.js';
import { formRequest } from './body.js';
import { COMPARTMENTS } from './compartments.js';
import type { FhirContext } from './context.js';
import { exportAll, exportEnd, exportFile, exportGroup, exportStatus } from './export.js';
import { history } from './history.js';
import { operation, OPERATIONS, type Route } from './operation-routes.js';
import { read, vread } from './read.js';
import type { Imports } from './request.js';
import { search, searchCompartment, searchWithin } from './search.js';
import { searchCompartmentWhole, searchSystem } from './system-search.js';
import { SUBSCRIPTIONS } from './subscription/routes.js';
import { TERMINOLOGY } from './terminology/routes.js';
import { create, patch, patchMatch, remove, removeMatches, update, updateMatch } from './write.js';

/** Kick-offs, by GET and by POST. */
const EXPORTS: readonly Route[] = ['GET', 'POST'].flatMap((method): Route[] => [
  {
    ...exportOperation(method, '$export', 'export'),
    run: (context, request) => exportAll(context, request, 'system'),
  },
  {
    ...exportOperation(method, 'Patient/$export', 'patient-export'),
    run: (context, request) => exportAll(context, request, 'patient'),
  },
  {
    ...exportOperation(method, 'Group/:id/$export', 'group-export'),
    run: (context, request, { id = '' }) => exportGroup(context, request, id),
  },
]);

function exportOperation(method: string, path: string, name: string): Omit<Route, 'run'> {
  const definition = `http://hl7.org/fhir/uv/bulkdata/OperationDefinition/${name}`;
  return { ...operation(method, path, ''), definition };
}

const JOB = { code: 'export', level: 'job', interaction: 'operation' } as const;

/** What a kick-off leads to. */
const EXPORT_JOBS: readonly Route[] = [
  {
    ...{ ...JOB, method: 'GET', path: '$export-status/:job' },
    run: (context, request, { job = '' }) => exportStatus(context, request, job),
  },
  {
    ...{ ...JOB, method: 'DELETE', path: '$export-status/:job' },
    run: (context, request, { job = '' }) => exportEnd(context, request, job),
  },
  {
    ...{ ...JOB, method: 'GET', path: '$export-file/:job/:file' },
    run: (context, request, { job = '', file = '' }) => exportFile(context, request, job, file),
  },
];

/** Bulk imports: their kick-off, and what it leads to. */
const IMPORTS: readonly Route[] = [
  {
    ...{ ...operation('POST', '$import', ''), definition: 'urn:salus:operation:import', interaction: 'update' },
    needs: 'imports',
    run: (context, request) => importsOf(context).begin(request),
  },
  {
    ...{ ...JOB, code: 'import', method: 'GET', path: '$import-status' },
    run: (context, request) => importsOf(context).list(request),
  },
  {
    ...{ ...JOB, code: 'import', method: 'GET', path: '$import-status/:job' },
    run: (context, request, { job = '' }) => importsOf(context).status(request, job),
  },
  {
    ...{ ...JOB, code: 'import', method: 'DELETE', path: '$import-status/:job' },
    run: (context, request, { job = '' }) => importsOf(context).end(request, job),
  },
  {
    ...{ ...JOB, code: 'import', method: 'GET', path: '$import-file/:job/:file' },
    run: (context, request, { job = '', file = '' }) => importsOf(context).problems(request, job, file),
  },
];

function importsOf({ imports }: FhirContext): Imports {
  if (imports === undefined) throw new Refusal('invalid', 'not-supported', 'this gateway imports nothing');
  return imports;
}

const COMPARTMENT = { code: 'search-type', level: 'compartment', interaction: 'search' } as const;

/** Of encounters, practitioners, related persons and devices. */
const OTHER_COMPARTMENTS: readonly Route[] = Object.keys(COMPARTMENTS).flatMap((name) => [
  {
    ...{ ...COMPARTMENT, method: 'GET', path: `${name}/:id/:member` },
    run: (context, request, { id = '', member = '' }) => searchWithin(context, request, [name, id], member),
  },
  {
    ...{ ...COMPARTMENT, method: 'POST', path: `${name}/:id/:member/_search` },
    run: (context, request, { id = '', member = '' }) =>
      searchWithin(context, formRequest(request), [name, id], member),
  },
]);

/** Of all types at once: `Patient/1/*`. */
const WHOLE_COMPARTMENTS: readonly Route[] = ['Patient', ...Object.keys(COMPARTMENTS)].flatMap((name) => [
  {
    ...{ ...COMPARTMENT, method: 'GET', path: `${name}/:id/*` },
    run: (context, request, { id = '' }) => searchCompartmentWhole(context, request, [name, id]),
  },
  {
    ...{ ...COMPARTMENT, method: 'POST', path: `${name}/:id/*/_search` },
    run: (context, request, { id = '' }) => searchCompartmentWhole(context, formRequest(request), [name, id]),
  },
]);

/** Interactions on types and resources, in order of precedence. */
export const ROUTES: readonly Route[] = [
  ...OPERATIONS,
  ...TERMINOLOGY,
  ...SUBSCRIPTIONS,
  ...EXPORTS,
  ...EXPORT_JOBS,
  ...IMPORTS,
  ...WHOLE_COMPARTMENTS,
  {
    ...{ ...COMPARTMENT, method: 'GET', path: 'Patient/:id/:member' },
    run: (context, request, { id = '', member = '' }) => searchCompartment(context, request, id, member),
  },
  {
    ...{ ...COMPARTMENT, method: 'POST', path: 'Patient/:id/:member/_search' },
    run: (context, request, { id = '', member = '' }) => searchCompartment(context, formRequest(request), id, member),
  },
  ...OTHER_COMPARTMENTS,
  {
    ...{ method: 'GET', path: '', code: 'search-system', level: 'system', interaction: 'search' },
    run: (context, request) => searchSystem(context, request),
  },
  {
    ...{ method: 'POST', path: '_search', code: 'search-system', level: 'system', interaction: 'search' },
    run: (context, request) => searchSystem(context, formRequest(request)),
  },
  {
    ...{ method: 'GET', path: '_history', code: 'history-system', level: 'system', interaction: 'history' },
    run: (context, request) => history(context, request),
  },
  {
    ...{ method: 'GET', path: ':type', code: 'search-type', level: 'type', interaction: 'search' },
    run: (context, request, { type = '' }) => search(context, request, type),
  },
  {
    ...{ method: 'POST', path: ':type/_search', code: 'search-type', level: 'type', interaction: 'search' },
    run: (context, request, { type = '' }) => search(context, formRequest(request), type),
  },
  {
    ...{ method: 'GET', path: ':type/_history', code: 'history-type', level: 'type', interaction: 'history' },
    run: (context, request, { type = '' }) => history(context, request, type),
  },
  {
    ...{ method: 'POST', path: ':type', code: 'create', level: 'type', interaction: 'create' },
    run: (context, request, { type = '' }) => create(context, request, type),
  },
  {
    ...{ method: 'GET', path: ':type/:id', code: 'read', level: 'type', interaction: 'read' },
    run: (context, request, { type = '', id = '' }) => read(context, request, type, id),
  },
  {
    ...{ method: 'PUT', path: ':type/:id', code: 'update', level: 'type', interaction: 'update' },
    run: (context, request, { type = '', id = '' }) => update(context, request, type, id),
  },
  {
    ...{ method: 'DELETE', path: ':type/:id', code: 'delete', level: 'type', interaction: 'delete' },
    run: (context, request, { type = '', id = '' }) => remove(context, request, type, id),
  },
  {
    ...{ method: 'PATCH', path: ':type/:id', code: 'patch', level: 'type', interaction: 'patch' },
    run: (context, request, { type = '', id = '' }) => patch(context, request, type, id),
  },
  {
    ...{ method: 'PUT', path: ':type', code: 'update', level: 'type', interaction: 'update' },
    run: (context, request, { type = '' }) => updateMatch(context, request, type),
  },
  {
    ...{ method: 'PATCH', path: ':type', code: 'patch', level: 'type', interaction: 'patch' },
    run: (context, request, { type = '' }) => patchMatch(context, request, type),
  },
  {
    ...{ method: 'DELETE', path: ':type', code: 'delete', level: 'type', interaction: 'delete' },
    run: (context, request, { type = '' }) => removeMatches(context, request, type),
  },
  {
    ...{ method: 'GET', path: ':type/:id/_history', code: 'history-instance', level: 'type', interaction: 'history' },
    run: (context, request, { type = '', id = '' }) => history(context, request, type, id),
  },
  {
    ...{ method: 'GET', path: ':type/:id/_history/:vid', code: 'vread', level: 'type', interaction: 'vread' },
    run: (context, request, { type = '', id = '', vid = '' }) => vread(context, request, [type, id, vid]),
  },
];

/** The line that a request meets, and what stands in it for `:type`, `:id` and `:vid`. */
export interface Match {
  readonly route: Route;
  readonly parts: Readonly<Record<string, string>>;
}

/** The lines by the number of segments in their paths, in the order of the table. */
const BY_LENGTH = Map.groupBy(
  ROUTES.map((route) => ({ route, pattern: route.path.split('/') })),
  ({ pattern }) => pattern.length,
);

/** The lines of a path, whatever the method. */
export function routesAt(path: string): Match[] {
  const segments = path.split('/');
  const matches: Match[] = [];
  for (const { route, pattern } of BY_LENGTH.get(segments.length) ?? []) {
    const parts = partsOf(pattern, segments);
    if (parts !== undefined) matches.push({ route, parts });
  }
  return matches;
}

/** The route of a request. Throws Refusal 404 for an unknown path or type, 405 where only the method is wrong. */
export function routeOf(method: string, path: string): Match {
  const matches = routesAt(path);
  const match = matches.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method));
  const type = match?.parts.type ?? match?.parts.member;
  if (match !== undefined && isServedType(type)) return match;
  if (matches.length === 0 || !matches.some(({ parts }) => isServedType(parts.type ?? parts.member))) {
    throw new Refusal('not-found', 'unknown-type', 'no such resource type or operation: see /metadata');
  }
  const allowed = [...new Set(matches.map(({ route }) => route.method))].join(', ');
  throw new Refusal('invalid', 'method-not-allowed', `${method} is not served here, but ${allowed}`);
}

function isServedType(type: string | undefined): boolean {
  return type === undefined || isResourceType(type);
}

/** Of a path with as many segments. */
function partsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const parts: Record<string, string> = {};
  for (const [at, name] of pattern.entries()) {
    const segment = segments[at] ?? '';
    if (name.startsWith(':')) {
      // Words that start with _ or $ are operations, never types or ids.
      if (/^[_$]|^$/.test(segment)) return undefined;
      parts[name.slice(1)] = segment;
    } else if (name !== segment) return undefined;
  }
  return parts;
}
