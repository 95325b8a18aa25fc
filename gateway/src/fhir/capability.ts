/** The CapabilityStatement, written from the tables the router and the search run on (R4 capabilitystatement.html). */
import { generatedSearch } from '../projection/generated.js';
import type { FhirContext } from './context.js';
import { ROUTES } from './interactions.js';
import type { JsonObject } from './json.js';

let written: { readonly context: FhirContext; readonly text: string } | undefined;

/** Its JSON text; written once. */
export function capabilityStatement(context: FhirContext): string {
  if (written?.context !== context) written = { context, text: JSON.stringify(statement(context)) };
  return written.text;
}

function statement(context: FhirContext): JsonObject {
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
    patchFormat: ['application/json-patch+json'],
    rest: [
      {
        mode: 'server',
        resource: types.map(resource),
        interaction: [{ code: 'transaction' }, { code: 'batch' }, ...codes('system')],
        searchParam: COLUMN_PARAMETERS,
        operation: operations(),
      },
    ],
  };
}

/** Answered from columns, for every type. */
const COLUMN_PARAMETERS = [
  { name: '_id', definition: 'http://hl7.org/fhir/SearchParameter/Resource-id', type: 'token' },
  { name: '_lastUpdated', definition: 'http://hl7.org/fhir/SearchParameter/Resource-lastUpdated', type: 'date' },
];

function codes(level: string): { code: string }[] {
  const served = ROUTES.filter((route) => route.level === level).map((route) => route.code);
  return [...new Set(served)].map((code) => ({ code }));
}

/** Operations on any type stand at the server's level, those of one type with it. */
function operations(type?: string): JsonObject[] {
  const served = ROUTES.filter((route) => route.level === 'operation' && ownerOf(route.path) === type);
  const byName = new Map(served.map(({ code, definition }) => [code, { name: code, definition }]));
  return [...byName.values()];
}

function ownerOf(path: string): string | undefined {
  return /^[A-Z][A-Za-z]+/.exec(path)?.[0];
}

function resource(type: string): JsonObject {
  const parameters = Object.entries(generatedSearch().parameters[type] ?? {});
  const references = parameters.filter(([, entry]) => entry.kind === 'reference');
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    interaction: codes('type'),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: 'multiple',
    operation: operations(type),
    searchInclude: references.map(([code]) => `${type}:${code}`),
    searchParam: [
      ...COLUMN_PARAMETERS,
      ...parameters.map(([name, { definition, kind }]) => ({ name, definition, type: kind })),
    ],
  };
}
