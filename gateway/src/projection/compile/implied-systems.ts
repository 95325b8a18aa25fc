/** Code systems that elements without one imply, by their required value set (R4 search.html#token). */
import type { ElementTable, Field } from './elements.js';
import type { Source } from './parameters.js';
import type { WrittenValueSets } from './value-sets.js';

/** What true and false are codes of (R4 search.html#token). */
const BOOLEANS = 'http://terminology.hl7.org/CodeSystem/special-values';

/** Systems of the codes and booleans that a token parameter's paths end at. */
export function impliedSystems(
  table: ElementTable,
  { kind, paths, type }: Pick<Source, 'kind' | 'paths' | 'type'>,
  { valueSets }: WrittenValueSets,
): string[] {
  if (kind !== 'token') return [];
  const ends = paths.flatMap((path) =>
    path.existence ? [{ name: '', type: 'boolean', repeats: false }] : endsOf(table, path.steps, type),
  );
  return [...new Set(ends.flatMap((field) => systemsOf(field, valueSets)))].sort();
}

function endsOf(table: ElementTable, steps: Source['paths'][number]['steps'], type: string): Field[] {
  let ends: Field[] = [{ name: '', type, repeats: false }];
  for (const step of steps) {
    if (step.kind === 'property') ends = ends.flatMap((end) => table.fields(end.type, step.name));
    if (step.kind === 'type') ends = ends.filter((end) => end.type === step.type);
  }
  return ends;
}

function systemsOf({ type, valueSet }: Field, valueSets: WrittenValueSets['valueSets']): string[] {
  if (type === 'boolean') return [BOOLEANS];
  return type === 'code' && valueSet !== undefined ? Object.keys(valueSets[valueSet] ?? {}) : [];
}
