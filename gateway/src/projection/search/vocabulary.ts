/** Tokens by value sets and by the hierarchy of code systems that are stored here (R4 search.html#token). */
import { Refusal } from '../../ledger/refusal.js';
import type { Filter } from './query.js';
import { escaped, tokenOf, unescaped } from './values.js';

/** The stored ValueSet or CodeSystem of a URL; undefined where there is none. */
export type Vocabulary = (type: 'ValueSet' | 'CodeSystem', url: string) => unknown;

type ValueFilter = Extract<Filter, { kind: 'value' }>;

interface Concept {
  readonly code: string;
  readonly concept?: readonly Concept[];
}

interface Part {
  readonly system?: string;
  readonly concept?: readonly Concept[];
  readonly valueSet?: readonly string[];
  readonly filter?: readonly unknown[];
}

interface Contained {
  readonly system?: string;
  readonly code?: string;
  readonly contains?: readonly Contained[];
}

interface ValueSet {
  readonly compose?: { readonly include: readonly Part[]; readonly exclude?: readonly Part[] };
  readonly expansion?: { readonly contains?: readonly Contained[] };
}

/** Value sets within value sets. */
const DEPTH = 8;

/** The filter with the codes that `:in`, `:not-in`, `:above` and `:below` stand for. Throws Refusal for unknown ones. */
export function withCodes(filter: ValueFilter, vocabulary: Vocabulary): ValueFilter {
  const { entry, modifier, values } = filter;
  if (entry.kind !== 'token') return filter;
  switch (modifier) {
    case 'in':
    case 'not-in':
      return {
        ...filter,
        modifier: modifier === 'in' ? '' : 'not',
        values: values.flatMap((value) => codesOf(unescaped(value), vocabulary, DEPTH)),
      };
    case 'above':
    case 'below':
      return { ...filter, modifier: '', values: values.flatMap((value) => related(value, modifier, vocabulary)) };
    default:
      return filter;
  }
}

/** Tokens of a value set: its expansion where it has one, else what it is composed of. */
function codesOf(url: string, vocabulary: Vocabulary, depth: number): string[] {
  const set = depth > 0 ? (vocabulary('ValueSet', url.split('|')[0] ?? url) as ValueSet | undefined) : undefined;
  if (set === undefined)
    throw new Refusal('invalid', 'not-supported', 'the value set is not known here: store it first');
  if (set.expansion?.contains !== undefined) return expanded(set.expansion.contains);
  const excluded = new Set(set.compose?.exclude?.flatMap((part) => partCodes(part, vocabulary, depth)));
  const included = (set.compose?.include ?? []).flatMap((part) => partCodes(part, vocabulary, depth));
  return included.filter((token) => !excluded.has(token));
}

function expanded(contains: readonly Contained[]): string[] {
  return contains.flatMap(({ system, code, contains: inner }) => [
    ...(code === undefined ? [] : [token(system, code)]),
    ...expanded(inner ?? []),
  ]);
}

function partCodes({ system, concept, valueSet, filter }: Part, vocabulary: Vocabulary, depth: number): string[] {
  if (filter !== undefined)
    throw new Refusal('invalid', 'not-supported', 'a value set with filters is not expanded here');
  const sets = (valueSet ?? []).map((url) => codesOf(url, vocabulary, depth - 1));
  if (system === undefined) return sets.flat();
  const own = concept?.map(({ code }) => token(system, code)) ?? wholeSystem(system, vocabulary);
  return sets.length === 0 ? own : own.filter((each) => sets.every((set) => set.includes(each)));
}

function wholeSystem(system: string, vocabulary: Vocabulary): string[] {
  const concepts = (vocabulary('CodeSystem', system) as { concept?: Concept[] } | undefined)?.concept;
  return concepts === undefined
    ? [`${escaped(system)}|`]
    : concepts.flatMap((each) => branch(each)).map((code) => token(system, code));
}

function token(system: string | undefined, code: string): string {
  return system === undefined ? escaped(code) : `${escaped(system)}|${escaped(code)}`;
}

/** A code with those above or below it in its code system. */
function related(value: string, modifier: 'above' | 'below', vocabulary: Vocabulary): string[] {
  const { system = '', code = '' } = tokenOf(value);
  const concepts = (vocabulary('CodeSystem', system) as { concept?: Concept[] } | undefined)?.concept;
  if (concepts === undefined) {
    throw new Refusal(
      'invalid',
      'not-supported',
      'the code system is not known here: write system|code, and store it first',
    );
  }
  const path = pathTo(code, concepts);
  const found = path.at(-1);
  const codes = modifier === 'above' || found === undefined ? path.map((each) => each.code) : branch(found);
  return codes.map((each) => token(system, each));
}

/** The concepts from the top down to a code; none where there is no such code. */
function pathTo(code: string, concepts: readonly Concept[]): readonly Concept[] {
  for (const each of concepts) {
    if (each.code === code) return [each];
    const below = pathTo(code, each.concept ?? []);
    if (below.length > 0) return [each, ...below];
  }
  return [];
}

function branch({ code, concept = [] }: Concept): string[] {
  return [code, ...concept.flatMap(branch)];
}
