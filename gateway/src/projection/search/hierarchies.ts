/** `:above` and `:below` of references: what a resource is part of, or what is part of it (R4 search.html#recursive). */
import { Refusal } from '../../ledger/refusal.js';
import type { StoredVersion } from '../../ports.js';
import { generatedSearch } from '../generated.js';
import { literalOf } from '../values/reference.js';
import type { Filter, ParameterEntry } from './query.js';
import { unescaped } from './values.js';

/** The parameter by which resources of a type are part of another (R4 references.html#circular). */
const PARENTS: Readonly<Record<string, string>> = {
  CarePlan: 'part-of',
  DeviceDefinition: 'parent',
  Encounter: 'part-of',
  Location: 'partof',
  Organization: 'partof',
  Procedure: 'part-of',
  ResearchStudy: 'partof',
  Specimen: 'parent',
  Task: 'part-of',
};

/** How resources are looked for, as the asker may see them. */
export interface Looked {
  /** The server's own base, with a slash at its end. */
  readonly base: string;
  /** How many a hierarchy may have. */
  readonly most: number;
  matching(type: string, filter: Filter): readonly StoredVersion[];
  /** `Type/id` that a resource refers to by a parameter. */
  referencesOf(stored: StoredVersion, parameter: number): readonly string[];
}

type ValueFilter = Extract<Filter, { kind: 'value' }>;

/** Whether a filter asks for a hierarchy of resources: canonical URLs have none. */
export function asksHierarchy({ entry, modifier, values }: ValueFilter, base: string): boolean {
  if (entry.kind !== 'reference' || (modifier !== 'above' && modifier !== 'below')) return false;
  return !values.every((value) => literalOf(unescaped(value), base).target.includes('://'));
}

/** `Type/id` of the resources named, with those above or below them. Throws Refusal where there is no hierarchy. */
export function hierarchyOf({ entry, modifier, values }: ValueFilter, looked: Looked): string[] {
  const known = Object.keys(PARENTS).filter((type) => entry.targets?.includes(type) === true);
  return values.flatMap((value) => {
    const { target } = literalOf(unescaped(value), looked.base);
    const [type = ''] = target.split('/');
    const names = target.includes('/') ? [target] : known.map((each) => `${each}/${target}`);
    if (names.length === 0 || (target.includes('/') && !known.includes(type))) throw noHierarchy(modifier);
    return names.flatMap((name) => related(name, modifier, looked));
  });
}

function noHierarchy(modifier: string): Refusal {
  const types = Object.keys(PARENTS).join(', ');
  return new Refusal(
    'invalid',
    'not-supported',
    `:${modifier} of a reference is for what is part of another: ${types}`,
  );
}

function related(name: string, modifier: string, looked: Looked): string[] {
  const [type = ''] = name.split('/');
  const parent = generatedSearch().parameters[type]?.[PARENTS[type] ?? ''];
  if (parent === undefined) return [name];
  const step = modifier === 'below' ? children : parents;
  const found = new Set([name]);
  let last = [name];
  while (last.length > 0) {
    last = step(type, parent, last, looked).filter((each) => !found.has(each));
    for (const each of last) found.add(each);
    if (found.size > looked.most) {
      throw new Refusal('invalid', 'too-costly', 'the hierarchy has too many resources: start further down');
    }
  }
  return [...found];
}

function children(type: string, parent: ParameterEntry, targets: readonly string[], looked: Looked): string[] {
  const found = looked.matching(type, { kind: 'references', entries: [parent], targets });
  return found.map(({ id }) => `${type}/${id}`);
}

function parents(type: string, parent: ParameterEntry, names: readonly string[], looked: Looked): string[] {
  const values = names.map((name) => name.slice(type.length + 1));
  const found = looked.matching(type, { kind: 'id', values });
  const above = found.flatMap((each) => looked.referencesOf(each, parent.number));
  return above.filter((each) => each.startsWith(`${type}/`));
}
