/** The codes that a value set comes to (R4 valueset.html#compositions), from value sets and code systems by their URLs. */
import { Refusal } from '../../ledger/refusal.js';
import { branches, conceptsOf, filtered, isInactive, valuesOf, type Concept, type ConceptFilter } from './concepts.js';

/** The ValueSet or CodeSystem of a URL; undefined where it is not known. */
export type Vocabulary = (type: 'ValueSet' | 'CodeSystem', url: string) => unknown;

interface CodeSystem {
  readonly content?: string;
  readonly version?: string;
  readonly concept?: readonly Concept[];
}

interface Part {
  readonly system?: string;
  readonly concept?: readonly { readonly code: string; readonly display?: string }[] | undefined;
  readonly valueSet?: readonly string[];
  readonly filter?: readonly ConceptFilter[] | undefined;
}

interface Contained {
  readonly system?: string;
  readonly version?: string;
  readonly code?: string;
  readonly display?: string;
  readonly abstract?: boolean;
  readonly inactive?: boolean;
  readonly contains?: readonly Contained[];
}

/** R4 ValueSet, as far as it is read. */
export interface ValueSetContent {
  readonly compose?: { readonly include?: readonly Part[]; readonly exclude?: readonly Part[] };
  readonly expansion?: { readonly contains?: readonly Contained[] };
}

/** One code of a value set (R4 ValueSet.expansion.contains). */
export interface Listed {
  readonly system?: string;
  readonly code: string;
  readonly display?: string;
  readonly inactive?: true;
  readonly abstract?: true;
}

/** Value sets within value sets. */
const DEPTH = 8;
/** Codes of one value set. */
export const EXPANSION_LIMIT = 20_000;
/** Concepts looked at for one value set, each once for each include and filter, and once more where it is taken. */
export const EXPANSION_WORK = 500_000;

/** Codes, and systems all of whose codes belong to it although they are not listed here. */
export class CodeSet {
  readonly listed = new Map<string, Listed>();
  readonly open = new Set<string>();

  add(each: Listed): void {
    this.listed.set(keyOf(each.system, each.code), each);
    if (this.listed.size > EXPANSION_LIMIT) {
      throw new Refusal(
        'invalid',
        'too-costly',
        `a value set with more than ${EXPANSION_LIMIT} codes is not expanded here`,
      );
    }
  }

  /** Whether the code is in it; of an open system every code is. */
  has(system: string | undefined, code: string): boolean {
    return this.listed.has(keyOf(system, code)) || this.open.has(system ?? '');
  }

  include(other: CodeSet): void {
    for (const each of other.listed.values()) this.add(each);
    for (const each of other.open) this.open.add(each);
  }

  /** What both have. */
  and(other: CodeSet): CodeSet {
    const both = new CodeSet();
    for (const each of this.listed.values()) if (other.has(each.system, each.code)) both.add(each);
    for (const each of other.listed.values()) if (this.open.has(each.system ?? '')) both.add(each);
    for (const each of this.open) if (other.open.has(each)) both.open.add(each);
    return both;
  }

  /** Throws Refusal where what is left cannot be said by a list. */
  exclude(other: CodeSet): void {
    for (const [key, each] of this.listed) if (other.has(each.system, each.code)) this.listed.delete(key);
    for (const each of other.open) this.open.delete(each);
    const isApart = [...other.listed.values()].some(({ system }) => this.open.has(system ?? ''));
    if (isApart) throw unknownSystem([...this.open][0] ?? '');
  }
}

function keyOf(system: string | undefined, code: string): string {
  return `${system ?? ''}|${code}`;
}

/** How far a value set is gone into: sets within sets, and concepts looked at, which stand for time. */
interface Frame {
  readonly vocabulary: Vocabulary;
  readonly depth: number;
  /** Throws Refusal when there is too much to look at. */
  readonly spend: (concepts: number) => void;
}

function frameOf(vocabulary: Vocabulary): Frame {
  let left = EXPANSION_WORK;
  const spend = (concepts: number): void => {
    left -= concepts;
    if (left < 0) throw new Refusal('invalid', 'too-costly', 'the value set is made of too much to be expanded here');
  };
  return { vocabulary, depth: DEPTH, spend };
}

/** The codes of a value set: its expansion where it has one, else what it is composed of. Throws Refusal. */
export function codeSetOf(set: ValueSetContent, vocabulary: Vocabulary): CodeSet {
  return codesOf(set, frameOf(vocabulary));
}

/** The codes of the value set of a URL. Throws Refusal for an unknown one. */
export function codeSetAt(url: string, vocabulary: Vocabulary): CodeSet {
  return codesAt(url, frameOf(vocabulary));
}

function codesOf({ expansion, compose = {} }: ValueSetContent, frame: Frame): CodeSet {
  const codes = new CodeSet();
  if (expansion?.contains !== undefined) {
    for (const each of expanded(expansion.contains)) codes.add(each);
    return codes;
  }
  const { include = [], exclude = [] } = compose;
  for (const part of include) codes.include(partCodes(part, frame));
  for (const part of exclude) codes.exclude(partCodes(part, frame));
  return codes;
}

function codesAt(url: string, frame: Frame): CodeSet {
  const set = frame.depth > 0 ? (frame.vocabulary('ValueSet', url) as ValueSetContent | undefined) : undefined;
  if (set === undefined)
    throw new Refusal('invalid', 'not-supported', 'the value set is not known here: store it first');
  return codesOf(set, { ...frame, depth: frame.depth - 1 });
}

function expanded(contains: readonly Contained[]): Listed[] {
  return contains.flatMap(({ system, code, display, abstract, inactive, contains: inner = [] }) => {
    const own = {
      ...(system === undefined ? {} : { system }),
      ...(display === undefined ? {} : { display }),
      ...(abstract === true ? { abstract } : {}),
      ...(inactive === true ? { inactive } : {}),
    };
    return [...(code === undefined ? [] : [{ ...own, code }]), ...expanded(inner)];
  });
}

/** What one include says holds together: codes of the system that every one of the sets has. */
function partCodes({ system, concept, valueSet = [], filter }: Part, frame: Frame): CodeSet {
  const sets = valueSet.map((url) => codesAt(url, frame));
  const own = system === undefined ? [] : [ofSystem(system, { concept, filter }, frame)];
  const [first = new CodeSet(), ...others] = [...own, ...sets];
  for (const each of [first, ...others]) frame.spend(each.listed.size + 1);
  return others.reduce((both, each) => both.and(each), first);
}

function ofSystem(system: string, { concept, filter }: Pick<Part, 'concept' | 'filter'>, frame: Frame): CodeSet {
  const stored = frame.vocabulary('CodeSystem', system) as CodeSystem | undefined;
  const known = conceptsOf(stored);
  const codes = new CodeSet();
  const all = branches(known ?? []);
  frame.spend(all.length * (1 + (filter ?? []).length));
  if (concept !== undefined) addNamed(codes, system, concept, all);
  else if (known !== undefined && stored?.content === 'complete') {
    for (const each of (filter ?? []).reduce(filtered(known), all)) codes.add(listedOf(system, each));
  } else if (filter === undefined) codes.open.add(system);
  else throw unknownSystem(system);
  return codes;
}

/** Codes that a value set names itself, with what the code system says of them; a display of its own comes first. */
function addNamed(codes: CodeSet, system: string, named: NonNullable<Part['concept']>, all: readonly Concept[]): void {
  const told = new Map(all.map((each) => [each.code, each]));
  for (const { code, display } of named) {
    codes.add(listedOf(system, { ...told.get(code), code, ...(display === undefined ? {} : { display }) }));
  }
}

function unknownSystem(system: string): Refusal {
  return new Refusal(
    'invalid',
    'not-supported',
    `the codes of ${system.slice(0, 200)} are not known here: store the code system first`,
  );
}

function listedOf(system: string, concept: Concept): Listed {
  const { code, display } = concept;
  return {
    ...{ system, code },
    ...(display === undefined ? {} : { display }),
    ...(isInactive(concept) ? { inactive: true as const } : {}),
    ...(valuesOf(concept, 'notSelectable').includes('true') ? { abstract: true as const } : {}),
  };
}
