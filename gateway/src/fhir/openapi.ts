/** The FHIR interface as an OpenAPI document (https://spec.openapis.org/oas/v3.0.3), from the table the router runs on. */
import { ASKED_RECORD } from './asked-record.js';
import { generatedSearch } from '../projection/generated.js';
import { ROUTES } from './interactions.js';
import type { JsonObject } from './json.js';
import type { Route } from './operation-routes.js';

/** Answers to good requests and to bad ones; 5xx is none of them. */
const STATUSES = [
  '200',
  '201',
  '202',
  '204',
  '304',
  '400',
  '401',
  '403',
  '404',
  '405',
  '406',
  '409',
  '410',
  '412',
].concat(['413', '415', '422', '429']);

/** The document; `url` is the FHIR base that its paths are below. */
export function openApiDocument(url: string): JsonObject {
  const paths: Record<string, JsonObject> = { '/metadata': { get: operationOf('metadata', []) } };
  for (const route of ROUTES) {
    const path = `/${route.path.replaceAll(/:(\w+)/g, '{$1}')}`;
    (paths[path] ??= {})[route.method.toLowerCase()] = described(route);
  }
  (paths['/'] ??= {}).post = { ...operationOf('batch or transaction', []), requestBody: body(bundle) };
  return {
    openapi: '3.0.3',
    info: { title: 'Salus FHIR R4', version: '4.0.1' },
    servers: [{ url }],
    security: [{ bearer: [] }],
    paths,
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
  };
}

function described(route: Route): JsonObject {
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const inPath = names.map((name) => ({ name, in: 'path', required: true, schema: partOf(name) }));
  const operation = operationOf(`${route.method} ${route.path}`, [...inPath, ...queryOf(route)]);
  const content = bodyOf(route);
  return content === undefined ? operation : { ...operation, requestBody: content };
}

function operationOf(summary: string, parameters: readonly JsonObject[]): JsonObject {
  const answer = { description: 'FHIR JSON, or nothing' };
  return { summary, parameters, responses: Object.fromEntries(STATUSES.map((status) => [status, answer])) };
}

function partOf(name: string): JsonObject {
  if (name === 'type' || name === 'member') return { type: 'string', enum: generatedSearch().types };
  if (name === 'vid') return { type: 'integer', minimum: 1, maximum: 9 };
  return { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' };
}

/** Parameters that say how to answer, on whatever reads; and those of searches that every type has. */
const RESULT = ['_count', '_summary', '_elements', '_format', '_pretty'];
const SEARCH = [
  ...RESULT,
  '_id',
  '_lastUpdated',
  '_sort',
  '_include',
  '_revinclude',
  '_total',
  '_filter',
  '_list',
  '_text',
  '_content',
].concat([
  '_tag',
  '_profile',
  '_has:Observation:patient:code',
  'patient',
  'date',
  'code',
  'value-quantity',
  'near',
  'name',
]);

/** What may say in whose record the resource is. */
const IN_A_RECORD = ['read', 'vread', 'history-instance'];

function queryOf({ method, code, level }: Route): JsonObject[] {
  const own = code.startsWith('history') ? [...RESULT, '_since', '_at'] : RESULT;
  const names = code.startsWith('search') ? SEARCH : IN_A_RECORD.includes(code) ? [...own, ASKED_RECORD] : own;
  const taken = method === 'GET' && level !== 'job' ? names : method === 'GET' ? [] : ['_format'];
  return taken.map((name) => ({ name, in: 'query', required: false, schema: OF_CHOICE[name] ?? { type: 'string' } }));
}

/** Those of few values, so that most requests get as far as the others. */
const OF_CHOICE: Readonly<Record<string, JsonObject>> = {
  _format: { type: 'string', enum: ['json', 'application/fhir+json'] },
  _pretty: { type: 'string', enum: ['true', 'false'] },
  _summary: { type: 'string', enum: ['true', 'false', 'text', 'data', 'count'] },
  _count: { type: 'integer', minimum: 0, maximum: 100 },
};

const resource = { type: 'object', properties: { resourceType: { type: 'string' } }, required: ['resourceType'] };
const operation = {
  type: 'object',
  properties: { op: { type: 'string' }, path: { type: 'string' }, value: {} },
  required: ['op', 'path'],
};
const bundle = {
  type: 'object',
  properties: {
    resourceType: { type: 'string', enum: ['Bundle'] },
    type: { type: 'string', enum: ['batch', 'transaction'] },
    entry: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          fullUrl: { type: 'string' },
          resource,
          request: {
            type: 'object',
            properties: { method: { type: 'string', enum: ['GET', 'POST', 'PUT', 'DELETE'] }, url: { type: 'string' } },
            required: ['method', 'url'],
          },
        },
      },
    },
  },
  required: ['resourceType', 'type'],
};

const kickOff = {
  type: 'object',
  properties: {
    inputFormat: { type: 'string', enum: ['application/fhir+ndjson'] },
    inputSource: { type: 'string' },
    storageDetail: { type: 'object', properties: { type: { type: 'string', enum: ['https'] } }, required: ['type'] },
    input: {
      type: 'array',
      items: {
        type: 'object',
        properties: { type: { type: 'string' }, url: { type: 'string' } },
        required: ['type', 'url'],
      },
    },
  },
  required: ['inputFormat', 'inputSource', 'input'],
};

function body(schema: JsonObject, mediaType = 'application/fhir+json'): JsonObject {
  return { required: true, content: { [mediaType]: { schema } } };
}

function bodyOf({ method, path, level }: Route): JsonObject | undefined {
  if (path === '$import') return body(kickOff, 'application/json');
  if (method === 'PATCH') return body({ type: 'array', items: operation }, 'application/json-patch+json');
  if (path.endsWith('_search')) {
    const fields = Object.fromEntries(SEARCH.map((name) => [name, { type: 'string' }]));
    return body({ type: 'object', properties: fields }, 'application/x-www-form-urlencoded');
  }
  return ['POST', 'PUT'].includes(method) && level !== 'job' ? body(resource) : undefined;
}
