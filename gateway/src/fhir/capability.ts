/** The CapabilityStatement, written from the tables the router and the search run on (R4 capabilitystatement.html). */
import { securityOf, type SmartServer } from '../identity/smart.js';
import { generatedSearch } from '../projection/generated.js';
import type { Progress, SearchParameters } from '../projection/parameters.js';
import type { FhirContext } from './context.js';
import { ROUTES } from './interactions.js';
import type { JsonObject } from './json.js';
import { FOUND_BY } from './provenance-filter.js';
import type { Served } from './request.js';

interface Written {
  readonly context: FhirContext;
  readonly server: SmartServer | undefined;
  readonly revision: number;
  readonly text: string;
}

let written: Written | undefined;

/** Its JSON text; written again when the issuer of tokens says something else of itself, or search parameters are posted. */
export async function capabilityStatement(context: FhirContext): Promise<string> {
  const server = await context.smart?.();
  const { revision } = context.projection.parameters;
  if (written?.context !== context || written.server !== server || written.revision !== revision) {
    written = { context, server, revision, text: JSON.stringify(statement(context, server)) };
  }
  return written.text;
}

function statement(context: FhirContext, server: SmartServer | undefined): JsonObject {
  const { types } = generatedSearch();
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-11-25',
    kind: 'instance',
    software: { name: 'Salus' },
    implementation: { description: 'A FHIR gateway over a health ledger', url: context.baseUrl },
    fhirVersion: '4.0.1',
    format: ['json', 'application/fhir+json'],
    patchFormat: ['application/json-patch+json', 'application/fhir+json'],
    rest: [
      {
        mode: 'server',
        ...(context.smart === undefined ? {} : { security: securityOf(server) }),
        resource: types.map((type) => resource(context, type)),
        interaction: [{ code: 'transaction' }, { code: 'batch' }, ...codes('system')],
        searchParam: COLUMN_PARAMETERS,
        operation: [...operations(context), ...ownOperations(context, '')],
      },
    ],
  };
}

/** Answered for every type, by no rows of an index of their own. */
const COLUMN_PARAMETERS = [
  { name: '_id', definition: 'http://hl7.org/fhir/SearchParameter/Resource-id', type: 'token' },
  { name: '_lastUpdated', definition: 'http://hl7.org/fhir/SearchParameter/Resource-lastUpdated', type: 'date' },
  { name: '_list', type: 'string' },
  { name: '_filter', type: 'string' },
  { name: '_text', definition: 'http://hl7.org/fhir/SearchParameter/DomainResource-text', type: 'string' },
  { name: '_content', definition: 'http://hl7.org/fhir/SearchParameter/Resource-content', type: 'string' },
];

function codes(level: string): { code: string }[] {
  const served = ROUTES.filter((route) => route.level === level).map((route) => route.code);
  return [...new Set(served)].map((code) => ({ code }));
}

/** Operations: of the server, of one type alone, or of any type (`:type`); those that change nothing where it is said. */
function operations(context: FhirContext, owner?: string, isReadOnly = false): JsonObject[] {
  const served = ROUTES.filter(
    ({ level, path, interaction, needs }) =>
      level === 'operation' &&
      ownerOf(path) === owner &&
      !(isReadOnly && interaction === 'update') &&
      (needs === undefined || context[needs] !== undefined),
  );
  const byName = new Map(served.map(({ code, definition }) => [code, { name: code, definition }]));
  return [...byName.values()];
}

/** A type, `:type` for any, or nothing for the server. */
function ownerOf(path: string): string | undefined {
  return /^([A-Z][A-Za-z]+|:type)/.exec(path)?.[0];
}

/** Those of the domains, which R4 does not define. */
function ownOperations(context: FhirContext, type: string): JsonObject[] {
  const names = context.operations?.[type] ?? [];
  return names.map((name) => ({ name, definition: `urn:salus:operation:${name}`, documentation: 'see docs/fhir.md' }));
}

function resource(context: FhirContext, type: string): JsonObject {
  const served = context.served?.[type];
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    ...served?.declared,
    ...(served === undefined ? everything() : apart(served)),
    ...listed({
      operation: [
        ...operations(context, type),
        ...operations(context, ':type', served !== undefined),
        ...ownOperations(context, type),
      ],
    }),
    ...searches(context.projection.parameters, type, served?.parameters),
    ...(type === 'Provenance' && context.member !== undefined ? { documentation: DERIVED } : {}),
  };
}

const DERIVED = `Of each write one is derived, found by ${FOUND_BY.join(', ')}. The header X-Provenance states a write's reason.`;

function everything(): JsonObject {
  return {
    interaction: codes('type'),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: 'multiple',
  };
}

/** Of a type that a domain handles itself. */
function apart({ interactions }: Served): JsonObject {
  const serves = (code: string): boolean => interactions.includes(code);
  return {
    interaction: codes('type').filter(({ code }) => serves(code)),
    versioning: serves('update') ? 'versioned-update' : 'no-version',
    readHistory: serves('vread'),
    updateCreate: serves('update'),
    conditionalCreate: false,
    conditionalRead: serves('read') ? 'full-support' : 'not-supported',
    conditionalUpdate: false,
    conditionalDelete: 'not-supported',
  };
}

/** Without lists that are empty (R4 json.html). */
function listed(lists: Readonly<Record<string, readonly unknown[]>>): JsonObject {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

/** Every `Type:code` that may refer to the type. */
function referrersOf(parameters: SearchParameters, type: string): string[] {
  return generatedSearch().types.flatMap((from) =>
    Object.entries(parameters.of(from))
      .filter(([, { kind, targets }]) => kind === 'reference' && targets?.includes(type) === true)
      .map(([code]) => `${from}:${code}`),
  );
}

function searches(parameters: SearchParameters, type: string, only: readonly string[] | undefined): JsonObject {
  const all = Object.entries(parameters.of(type));
  const named = only === undefined ? all : all.filter(([name]) => only.includes(name));
  const references = only === undefined ? all.filter(([, { kind }]) => kind === 'reference') : [];
  return listed({
    searchInclude: references.map(([code]) => `${type}:${code}`),
    searchRevInclude: only === undefined ? referrersOf(parameters, type) : [],
    searchParam: [
      ...(only === undefined ? COLUMN_PARAMETERS : []),
      ...named.map(([name, entry]) => ({
        ...{ name, definition: entry.definition, type: entry.kind },
        ...derivedOf(parameters.progress(entry)),
      })),
    ],
  });
}

/** Said of a posted parameter until all that was there can be found by it. */
function derivedOf(progress: Progress | undefined): JsonObject {
  if (progress === undefined) return {};
  return { documentation: `still derived: ${progress.done} of ${progress.of} resources` };
}
