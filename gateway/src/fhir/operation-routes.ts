/** Operations of R4 (operations.html) as lines of the table of what is served. */
import { generatedSearch } from '../projection/generated.js';
import type { FhirContext } from './context.js';
import { docref } from './docref.js';
import { encounterEverything } from './encounter-everything.js';
import { byQuery, everything } from './everything.js';
import { match } from './match.js';
import { changeMeta, lastN, meta, metaOfTypes, metaOfVersion, validate } from './operations.js';
import type { FhirRequest, FhirResponse, Interaction } from './request.js';

/** One line of the table: what is asked, and how it is answered. */
export interface Route {
  readonly method: string;
  /** Segments: `:type`, `:id`, `:vid` stand for any, others for themselves. */
  readonly path: string;
  /** Code in CapabilityStatement.rest.resource.interaction or rest.interaction; an operation's name. */
  readonly code: string;
  readonly level: 'system' | 'type' | 'compartment' | 'operation' | 'job';
  /** What the decision is asked for the whole type; absent where each resource is decided alone. */
  readonly interaction: Interaction;
  /** URL of an operation's definition. */
  readonly definition?: string;
  /** What must be there for it to be served. */
  readonly needs?: 'imports' | 'subscriptions';
  run(
    context: FhirContext,
    request: FhirRequest,
    parts: Readonly<Record<string, string>>,
  ): Promise<FhirResponse> | FhirResponse;
}

/** What lines of the table have alike that are operations, defined by R4's `definition`. */
export function operation(method: string, path: string, definition: string): Omit<Route, 'run'> {
  const code = path.slice(path.indexOf('$') + 1);
  return {
    ...{ method, path, code, level: 'operation', interaction: 'operation' },
    definition: `http://hl7.org/fhir/OperationDefinition/${definition}`,
  };
}

/** Operations of R4, but for exports. */
export const OPERATIONS: readonly Route[] = [
  {
    ...operation('GET', 'Patient/:id/$everything', 'Patient-everything'),
    run: (context, request, { id = '' }) => everything(context, request, id),
  },
  {
    ...operation('POST', 'Patient/:id/$everything', 'Patient-everything'),
    run: (context, request, { id = '' }) => everything(context, byQuery(request), id),
  },
  {
    ...operation('GET', 'Encounter/:id/$everything', 'Encounter-everything'),
    run: (context, request, { id = '' }) => encounterEverything(context, request, id),
  },
  {
    ...operation('POST', 'Encounter/:id/$everything', 'Encounter-everything'),
    run: (context, request, { id = '' }) => encounterEverything(context, byQuery(request), id),
  },
  {
    ...operation('POST', 'Patient/$match', 'Patient-match'),
    run: (context, request) => match(context, request),
  },
  {
    ...operation('GET', 'Observation/$lastn', 'Observation-lastn'),
    run: (context, request) => lastN(context, request),
  },
  ...['GET', 'POST'].map((method): Route => ({
    ...operation(method, 'DocumentReference/$docref', 'docref'),
    definition: 'http://hl7.org/fhir/us/core/OperationDefinition/docref',
    interaction: 'search',
    run: (context, request) => docref(context, byQuery(request)),
  })),
  { ...operation('POST', '$validate', 'Resource-validate'), run: (context, request) => validate(context, request) },
  {
    ...operation('POST', ':type/$validate', 'Resource-validate'),
    run: (context, request, { type = '' }) => validate(context, request, type),
  },
  {
    ...operation('POST', ':type/:id/$validate', 'Resource-validate'),
    run: (context, request, { type = '', id = '' }) => validate(context, request, type, id),
  },
  {
    ...operation('GET', ':type/:id/$validate', 'Resource-validate'),
    run: (context, request, { type = '', id = '' }) => validate(context, request, type, id),
  },
  {
    ...operation('POST', 'Observation/$lastn', 'Observation-lastn'),
    run: (context, request) => lastN(context, byQuery(request)),
  },
  ...['GET', 'POST'].flatMap((method): Route[] => [
    {
      ...operation(method, '$meta', 'Resource-meta'),
      run: (context, request) => metaOfTypes(context, request, generatedSearch().types),
    },
    {
      ...operation(method, ':type/$meta', 'Resource-meta'),
      run: (context, request, { type = '' }) => metaOfTypes(context, request, [type]),
    },
    {
      ...operation(method, ':type/:id/_history/:vid/$meta', 'Resource-meta'),
      run: (context, request, { type = '', id = '', vid = '' }) => metaOfVersion(context, request, [type, id, vid]),
    },
    {
      ...operation(method, ':type/:id/$meta', 'Resource-meta'),
      run: (context, request, { type = '', id = '' }) => meta(context, request, type, id),
    },
  ]),
  {
    ...operation('POST', ':type/:id/$meta-add', 'Resource-meta-add'),
    interaction: 'update',
    run: (context, request, { type = '', id = '' }) => changeMeta(context, request, [type, id], 'add'),
  },
  {
    ...operation('POST', ':type/:id/$meta-delete', 'Resource-meta-delete'),
    interaction: 'update',
    run: (context, request, { type = '', id = '' }) => changeMeta(context, request, [type, id], 'delete'),
  },
];
