/** What the build compiled from R4's definitions: search parameters and index functions by resource type. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { JsonObject } from '../fhir/json.js';
import type { ParameterEntry } from './compile/parameters.js';
import type { IndexRows } from './values/rows.js';

/** The compiled parameters as the gateway runs them. */
export interface GeneratedSearch {
  /** Changes whenever index rows would come out differently. */
  readonly stamp: string;
  /** Concrete resource types. */
  readonly types: readonly string[];
  readonly parameters: Readonly<Record<string, Readonly<Record<string, ParameterEntry>>>>;
  /** Codes of the parameters by which a type lies in a patient's compartment. */
  readonly compartments: Readonly<Record<string, readonly string[]>>;
  readonly unserved: readonly string[];
  readonly unindexed: readonly string[];
}

/** The compiled functions of one resource type. */
export interface Indexer {
  /** Collects the rows of a resource, whatever it holds: where one cannot be made the rows are not whole. */
  index(resource: JsonObject, rows: IndexRows): void;
  /** Ids of the patients in whose compartments it lies. */
  patients(resource: JsonObject): readonly string[];
}

const folder = new URL('../generated/', import.meta.url);
const load = createRequire(import.meta.url);

function read(file: string): string {
  try {
    return readFileSync(new URL(file, folder), 'utf8');
  } catch (error) {
    throw new Error(`gateway/dist/generated/${file} is missing: run npm run build`, { cause: error });
  }
}

let search: GeneratedSearch | undefined;

/** The list of parameters; read once. */
export function generatedSearch(): GeneratedSearch {
  return (search ??= JSON.parse(read('search.json')) as GeneratedSearch);
}

const types = new Set<string>();

/** Whether R4 has such a resource type. */
export function isResourceType(type: string): boolean {
  if (types.size === 0) for (const each of generatedSearch().types) types.add(each);
  return types.has(type);
}

const indexers = new Map<string, Indexer>();

/** The index functions of a type, loaded at first use; `type` must be a resource type. */
export function indexerOf(type: string): Indexer {
  let indexer = indexers.get(type);
  if (indexer === undefined) {
    if (!isResourceType(type)) throw new Error(`${type} is no resource type of R4`);
    indexer = load(new URL(`search/${type}.js`, folder).pathname) as Indexer;
    indexers.set(type, indexer);
  }
  return indexer;
}

/** A generated file of StructureDefinitions: a resource type's, or `types` for the data types. */
export function generatedDefinitions(name: string): unknown {
  return JSON.parse(read(`definitions/${name}.json`));
}
