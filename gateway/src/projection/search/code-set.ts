/** The codes that a value set comes to (R4 valueset.html#compositions), from value sets and code systems by their URLs. */
import { Refusal } from '../../ledger/refusal.js';
import type { ConceptFilter, Concepts, Entry } from './concepts.js';
import type { Vocabulary } from './vocabulary.js';

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
export interface Listed extends Entry {
  readonly system?: string;
}

/** Value sets within value sets, one below the other. */
export const EXPANSION_DEPTH = 8;
/** Codes of one value set. */
export const EXPANSION_LIMIT = 20_000;

/** Codes, and systems all of whose codes belong to it although they are not listed here. */
export class CodeSet {
  readonly #listed = new Map<string, Listed>();
  readonly open = new Set<string>();

  constructor(private readonly vocabulary: Vocabulary) {}

  get listed(): Iterable<Listed> {
    return this.#listed.values();
  }

  /** Throws Refusal when there are too many. */
  add(each: Listed): void {
    this.#put(this.vocabulary.key(each.system, each.code), each);
  }

  #put(key: string, each: Listed): void {
    this.vocabulary.spend(1);
    this.#listed.set(key, each);
    if (this.#listed.size > EXPANSION_LIMIT) {
      throw new Refusal(
        'invalid',
        'too-costly',
        `a value set with more than ${EXPANSION_LIMIT} codes is not expanded here`,
      );
    }
  }

  /** What is listed of a code. */
  get(system: string | undefined, code: string): Listed | undefined {
    return this.#listed.get(this.vocabulary.key(system, code));
  }

  include(other: CodeSet): void {
    for (const [key, each] of other.#listed) this.#put(key, each);
    for (const each of other.open) this.#open(each);
  }

  #open(system: string): void {
    this.vocabulary.spend(1);
    this.open.add(system);
  }

  /** What both have. */
  and(other: CodeSet): CodeSet {
    const both = new CodeSet(this.vocabulary);
    both.#takeShared(this, other);
    both.#takeShared(other, this);
    for (const each of this.open) if (other.open.has(each)) both.#open(each);
    return both;
  }

  /** What one lists and the other has. */
  #takeShared(one: CodeSet, other: CodeSet): void {
    for (const [key, each] of one.#listed) {
      this.vocabulary.spend(1);
      if (other.#listed.has(key) || other.open.has(each.system ?? '')) this.#put(key, each);
    }
  }

  /** Throws Refusal where what is left cannot be said by a list. */
  exclude(others: Iterable<CodeSet>): void {
    const [named, whole] = [new Set<string>(), new Set<string>()];
    for (const other of others) {
      for (const [key, { system = '' }] of other.#listed) {
        this.vocabulary.spend(1);
        this.#listed.delete(key);
        named.add(system);
      }
      for (const each of other.open) whole.add(each);
    }
    this.#excludeWhole(whole);
    const apart = [...named].find((each) => this.open.has(each));
    if (apart !== undefined) throw unknownSystem(apart);
  }

  #excludeWhole(systems: ReadonlySet<string>): void {
    for (const each of systems) this.open.delete(each);
    for (const [key, { system = '' }] of this.#listed) {
      this.vocabulary.spend(1);
      if (systems.has(system)) this.#listed.delete(key);
    }
  }
}

/** How far a value set is gone into: the URLs of the sets that this one is within. */
interface Frame {
  readonly vocabulary: Vocabulary;
  readonly within: readonly string[];
}

/** The codes of a value set: its expansion where it has one, else what it is composed of. Throws Refusal. */
export function codeSetOf(set: ValueSetContent, vocabulary: Vocabulary): CodeSet {
  return codesOf(set, { vocabulary, within: [] });
}

/** The codes of the value set of a URL. Throws Refusal for an unknown one. */
export function codeSetAt(url: string, vocabulary: Vocabulary): CodeSet {
  return codeSetOf(valueSetAt(url, vocabulary), vocabulary);
}

function valueSetAt(url: string, vocabulary: Vocabulary): ValueSetContent {
  const set = vocabulary.find('ValueSet', url) as ValueSetContent | undefined;
  if (set !== undefined) return set;
  throw new Refusal('invalid', 'not-supported', 'the value set is not known here: store it first');
}

function codesOf({ expansion, compose = {} }: ValueSetContent, frame: Frame): CodeSet {
  const codes = new CodeSet(frame.vocabulary);
  if (expansion?.contains !== undefined) {
    addExpanded(codes, expansion.contains, frame);
    return codes;
  }
  const { include = [], exclude = [] } = compose;
  for (const part of include) codes.include(partCodes(part, frame));
  if (exclude.length > 0) codes.exclude(eachOf(exclude, frame));
  return codes;
}

/** One after the other, so that no more than one is held. */
function* eachOf(parts: readonly Part[], frame: Frame): Generator<CodeSet> {
  for (const part of parts) yield partCodes(part, frame);
}

function codesWithin(url: string, { vocabulary, within }: Frame): CodeSet {
  vocabulary.spendOn(url);
  if (within.includes(url)) {
    throw new Refusal('invalid', 'not-supported', 'a value set that is composed of itself is not expanded here');
  }
  if (within.length >= EXPANSION_DEPTH) {
    throw new Refusal(
      'invalid',
      'too-costly',
      `value sets more than ${EXPANSION_DEPTH} deep within a value set are not expanded here`,
    );
  }
  return codesOf(valueSetAt(url, vocabulary), { vocabulary, within: [...within, url] });
}

function addExpanded(codes: CodeSet, contains: readonly Contained[], frame: Frame): void {
  for (const { system, code, display, abstract, inactive, contains: inner = [] } of contains) {
    frame.vocabulary.spend(1);
    if (code !== undefined) {
      codes.add({
        ...(system === undefined ? {} : { system }),
        code,
        ...(display === undefined ? {} : { display }),
        ...(abstract === true ? { abstract } : {}),
        ...(inactive === true ? { inactive } : {}),
      });
    }
    addExpanded(codes, inner, frame);
  }
}

/** What one include says holds together: codes of the system that every one of the sets has. */
function partCodes({ system, concept, valueSet = [], filter }: Part, frame: Frame): CodeSet {
  frame.vocabulary.spend(1);
  let codes = system === undefined ? undefined : ofSystem(system, { concept, filter }, frame);
  for (const url of valueSet) {
    const set = codesWithin(url, frame);
    codes = codes === undefined ? set : codes.and(set);
  }
  return codes ?? new CodeSet(frame.vocabulary);
}

function ofSystem(
  system: string,
  { concept, filter }: Pick<Part, 'concept' | 'filter'>,
  { vocabulary }: Frame,
): CodeSet {
  const stored = vocabulary.find('CodeSystem', system);
  const known = vocabulary.conceptsOf(stored);
  const codes = new CodeSet(vocabulary);
  if (concept !== undefined) addNamed(codes, system, concept, known);
  else if (known !== undefined && stored?.content === 'complete') {
    for (const each of known.filtered(filter ?? [])) codes.add({ system, ...known.entry(each) });
  } else if (filter === undefined) codes.open.add(system);
  else throw unknownSystem(system);
  return codes;
}

/** Codes that a value set names itself, with what the code system says of them; a display of its own comes first. */
function addNamed(
  codes: CodeSet,
  system: string,
  named: NonNullable<Part['concept']>,
  known: Concepts | undefined,
): void {
  for (const { code, display } of named) {
    const found = known?.find(code);
    const told = found === undefined ? {} : known?.entry(found);
    codes.add({ system, ...told, code, ...(display === undefined ? {} : { display }) });
  }
}

function unknownSystem(system: string): Refusal {
  return new Refusal(
    'invalid',
    'not-supported',
    `the codes of ${system.slice(0, 200)} are not known here: store the code system first`,
  );
}
