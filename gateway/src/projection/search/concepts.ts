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

/** How codes of a code system are compared (R4 CodeSystem.caseSensitive). */
type Fold = (code: string) => string;

const asWritten: Fold = (code) => code;

/** The concepts of one code system, found by their codes as the system compares them. */
export class Concepts {
  /** In the order of the definition, each before what is below it. */
  readonly all: readonly Concept[];
  /** What is the same for codes that the system holds for the same. */
  readonly fold: Fold;
  readonly #byCode = new Map<string, Concept>();
  readonly #parents = new Map<Concept, Concept>();
  readonly #texts = new Map<Concept, string>();
  readonly #entries = new Map<Concept, Entry>();

  /** `spend` is told of each concept, as a text as long as what is looked at; it may throw. */
  constructor(
    { concept, caseSensitive }: { readonly concept?: unknown; readonly caseSensitive?: unknown },
    private readonly spend: (text: string) => void,
  ) {
    this.fold = caseSensitive === false ? (code) => code.toLowerCase() : asWritten;
    const all: Concept[] = [];
    this.#take(concept as readonly Concept[], undefined, all);
    this.all = all;
  }

  #take(concepts: readonly Concept[], parent: Concept | undefined, all: Concept[]): void {
    for (const each of concepts) {
      const { code, display, property } = each;
      const text = JSON.stringify([code, display, property]);
      this.spend(text);
      all.push(each);
      this.#texts.set(each, text);
      if (!this.#byCode.has(this.fold(code))) this.#byCode.set(this.fold(code), each);
      if (parent !== undefined) this.#parents.set(each, parent);
      this.#take(each.concept ?? [], each, all);
    }
  }

  find(code: string): Concept | undefined {
    return this.#byCode.get(this.fold(code));
  }

  /** From the top down to a code; none where there is no such code. */
  path(code: string): Concept[] {
    const path: Concept[] = [];
    for (let each = this.find(code); each !== undefined; each = this.#parents.get(each)) path.unshift(each);
    return path;
  }

  /** The concept of a code with all that are below it; none where there is no such code. */
  below(code: string): Concept[] {
    const found = this.find(code);
    const below = found === undefined ? [] : branches([found]);
    for (const { code: each } of below) this.spend(each);
    return below;
  }

  /** What an expansion says of a concept, made once. */
  entry(concept: Concept): Entry {
    const known = this.#entries.get(concept);
    if (known !== undefined) return known;
    const entry = entryOf(concept);
    this.#entries.set(concept, entry);
    return entry;
  }

  /** The concepts that every filter takes (R4 valueset-filter-operator). Throws Refusal for an operator that is not served. */
  filtered(filters: readonly ConceptFilter[]): readonly Concept[] {
    return filters.reduce((left: readonly Concept[], filter) => {
      this.spend(filter.value);
      for (const each of left) this.spend(this.#texts.get(each) ?? '');
      return left.filter(takesOf(this, filter));
    }, this.all);
  }
}

/** One concept in R4 ValueSet.expansion.contains. */
export interface Entry {
  readonly code: string;
  readonly display?: string;
  readonly inactive?: true;
  readonly abstract?: true;
}

function entryOf(concept: Concept): Entry {
  const { code, display } = concept;
  return {
    code,
    ...(display === undefined ? {} : { display }),
    ...(isInactive(concept) ? { inactive: true as const } : {}),
    ...(valuesOf(concept, 'notSelectable').includes('true') ? { abstract: true as const } : {}),
  };
}

/** Whether the concept is not to be used any more (R4 codesystem.html#status). */
export function isInactive(concept: Concept): boolean {
  return valuesOf(concept, 'inactive').includes('true') || valuesOf(concept, 'status').includes('retired');
}

/** A concept's values of a property, as texts. */
function valuesOf({ property = [] }: Concept, code: string): string[] {
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

type Takes = (concepts: Concepts, property: string, value: string) => (concept: Concept) => boolean;

function takesOf(concepts: Concepts, { property, op, value }: ConceptFilter): (concept: Concept) => boolean {
  const takes = Object.hasOwn(OPERATORS, op) ? OPERATORS[op] : undefined;
  if (takes !== undefined) return takes(concepts, property, value);
  throw new Refusal('invalid', 'not-supported', `value sets with filters by ${op.slice(0, 20)} are not expanded here`);
}

const isA: Takes = (concepts, _property, value) => {
  const below = new Set(concepts.below(value));
  return (concept) => below.has(concept);
};
const equals: Takes = (concepts, property, value) => {
  const fold = foldOf(concepts, property);
  return (concept) => propertyOf(concept, property).some((each) => fold(each) === fold(value));
};
const among: Takes = (concepts, property, value) => {
  const fold = foldOf(concepts, property);
  const values = new Set(value.split(',').map(fold));
  return (concept) => propertyOf(concept, property).some((each) => values.has(fold(each)));
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
  'descendent-of': (concepts, property, value) => {
    const takes = isA(concepts, property, value);
    const top = concepts.find(value);
    return (concept) => concept !== top && takes(concept);
  },
  generalizes: (concepts, _property, value) => {
    const path = new Set(concepts.path(value));
    return (concept) => path.has(concept);
  },
  '=': equals,
  in: among,
  'not-in': not(among),
  exists: (_concepts, property, value) => (concept) => String(propertyOf(concept, property).length > 0) === value,
};

function isCode(property: string): boolean {
  return property === 'code' || property === 'concept';
}

function foldOf(concepts: Concepts, property: string): Fold {
  return isCode(property) ? concepts.fold : asWritten;
}

function propertyOf(concept: Concept, property: string): string[] {
  if (isCode(property)) return [concept.code];
  if (property === 'display') return concept.display === undefined ? [] : [concept.display];
  return valuesOf(concept, property);
}

function branches(concepts: readonly Concept[]): Concept[] {
  return concepts.flatMap((each) => [each, ...branches(each.concept ?? [])]);
}
