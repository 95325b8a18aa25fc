/** Concepts of code systems: where they stand, what they have, and which of them a value set's filters take. */
import { Refusal } from '../../ledger/refusal.js';

/** R4 CodeSystem.concept, as far as it is read. */
export interface Concept {
  readonly code: string;
  readonly display?: string;
  readonly definition?: string;
  readonly designation?: readonly object[];
  readonly property?: readonly ConceptProperty[];
  readonly concept?: readonly Concept[];
}

/** One property of a concept; its value is under `valueCode`, `valueString` and the like. */
export interface ConceptProperty extends Readonly<Record<string, unknown>> {
  readonly code: string;
}

/** R4 ValueSet.compose.include.filter. */
export interface ConceptFilter {
  readonly property: string;
  readonly op: string;
  readonly value: string;
}

/** The concepts of a code system that lists them; undefined for another, or none. */
export function conceptsOf(system: unknown): readonly Concept[] | undefined {
  const { concept, content } = (system ?? {}) as { readonly concept?: readonly Concept[]; readonly content?: string };
  return content === 'not-present' || content === 'supplement' ? undefined : concept;
}

/** Whether the concept is not to be used any more (R4 codesystem.html#status). */
export function isInactive(concept: Concept): boolean {
  return valuesOf(concept, 'inactive').includes('true') || valuesOf(concept, 'status').includes('retired');
}

/** A concept's values of a property, as texts. */
export function valuesOf({ property = [] }: Concept, code: string): string[] {
  return property
    .filter((each) => each.code === code)
    .flatMap((each) =>
      Object.entries(each).flatMap(([name, value]) => (name.startsWith('value') ? [textOf(value)] : [])),
    );
}

function textOf(value: unknown): string {
  const { code } = (value ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : JSON.stringify(value).replace(/^"(.*)"$/s, '$1');
}

/** Leaves the concepts that a filter takes (R4 valueset-filter-operator). Throws Refusal for an operator that is not served. */
export function filtered(all: readonly Concept[]) {
  return (left: readonly Concept[], { property, op, value }: ConceptFilter): Concept[] => {
    const takes = OPERATORS[op];
    if (takes === undefined) {
      throw new Refusal(
        'invalid',
        'not-supported',
        `value sets with filters by ${op.slice(0, 20)} are not expanded here`,
      );
    }
    return left.filter(takes(all, property, value));
  };
}

type Takes = (all: readonly Concept[], property: string, value: string) => (concept: Concept) => boolean;

const isA: Takes = (all, _property, value) => {
  const codes = new Set(branches(pathTo(value, all).slice(-1)).map(({ code }) => code));
  return ({ code }) => codes.has(code);
};
const equals: Takes = (_all, property, value) => (concept) => propertyOf(concept, property).includes(value);
const among: Takes = (_all, property, value) => {
  const values = new Set(value.split(','));
  return (concept) => propertyOf(concept, property).some((each) => values.has(each));
};
const not =
  (takes: Takes): Takes =>
  (...given) => {
    const taken = takes(...given);
    return (concept) => !taken(concept);
  };

const OPERATORS: Readonly<Record<string, Takes | undefined>> = {
  'is-a': isA,
  'is-not-a': not(isA),
  'descendent-of': (all, property, value) => {
    const takes = isA(all, property, value);
    return (concept) => concept.code !== value && takes(concept);
  },
  generalizes: (all, _property, value) => {
    const path = new Set(pathTo(value, all));
    return (concept) => path.has(concept);
  },
  '=': equals,
  in: among,
  'not-in': not(among),
  exists: (_all, property, value) => (concept) => String(propertyOf(concept, property).length > 0) === value,
};

function propertyOf(concept: Concept, property: string): string[] {
  if (property === 'code' || property === 'concept') return [concept.code];
  if (property === 'display') return concept.display === undefined ? [] : [concept.display];
  return valuesOf(concept, property);
}

/** The concepts from the top down to a code; none where there is no such code. */
export function pathTo(code: string, concepts: readonly Concept[]): readonly Concept[] {
  for (const each of concepts) {
    if (each.code === code) return [each];
    const below = pathTo(code, each.concept ?? []);
    if (below.length > 0) return [each, ...below];
  }
  return [];
}

/** Concepts with all that are below them. */
export function branches(concepts: readonly Concept[]): Concept[] {
  return concepts.flatMap((each) => [each, ...branches(each.concept ?? [])]);
}
