/** Value sets that elements are required to take their codes from, written out (R4 terminologies.html#required). */
import { entries } from './definitions.js';
import type { StructureDefinition } from './elements.js';

interface Concept {
  readonly code: string;
  readonly concept?: readonly Concept[];
}

interface CodeSystem {
  readonly resourceType: 'CodeSystem';
  readonly url: string;
  readonly content: string;
  readonly concept?: readonly Concept[];
}

interface Include {
  readonly system?: string;
  readonly concept?: readonly Concept[];
  readonly valueSet?: readonly string[];
  readonly filter?: readonly unknown[];
}

interface ValueSet {
  readonly resourceType: 'ValueSet';
  readonly url: string;
  readonly compose?: { readonly include: readonly Include[]; readonly exclude?: readonly unknown[] };
}

/** Codes by system. */
export type Codes = Readonly<Record<string, readonly string[]>>;

/** The codes of each required value set by its URL. */
export interface WrittenValueSets {
  readonly valueSets: Readonly<Record<string, Codes>>;
  /** Those whose codes R4's definitions do not list, such as UCUM's: not checked. */
  readonly open: readonly string[];
}

const FILES = ['valuesets', 'v3-codesystems', 'v2-tables'];

/** The required value sets of all definitions. */
export function writeValueSets(definitions: readonly StructureDefinition[]): WrittenValueSets {
  const known = FILES.flatMap((file) => entries<CodeSystem | ValueSet>(`fhir/r4/${file}.json`));
  const writer = new Writer(known);
  const valueSets: Record<string, Codes> = {};
  const open: string[] = [];
  for (const url of requiredSets(definitions)) {
    const codes = writer.codes(url);
    if (codes === undefined) open.push(url);
    else valueSets[url] = Object.fromEntries([...codes].map(([system, own]) => [system, [...own]]));
  }
  return { valueSets, open };
}

function requiredSets(definitions: readonly StructureDefinition[]): string[] {
  const bindings = definitions
    .flatMap((definition) => definition.snapshot.element)
    .flatMap((element) => element.binding ?? []);
  const urls = bindings.flatMap(({ strength, valueSet }) => (strength === 'required' ? (valueSet ?? []) : []));
  return [...new Set(urls.map((url) => url.split('|')[0] ?? url))].sort();
}

type Collected = Map<string, Set<string>>;

class Writer {
  private readonly systems = new Map<string, CodeSystem>();
  private readonly sets = new Map<string, ValueSet>();

  constructor(known: readonly (CodeSystem | ValueSet)[]) {
    for (const each of known) {
      if (each.resourceType === 'CodeSystem') this.systems.set(each.url, each);
      else this.sets.set(each.url, each);
    }
  }

  /** Undefined when some part cannot be written out. */
  codes(url: string): Collected | undefined {
    const compose = this.sets.get(url)?.compose;
    if (compose === undefined || compose.exclude !== undefined) return undefined;
    const collected: Collected = new Map();
    return compose.include.every((include) => this.include(include, collected)) ? collected : undefined;
  }

  private include({ system, concept, valueSet, filter }: Include, into: Collected): boolean {
    if (filter !== undefined) return false;
    if (valueSet !== undefined) return valueSet.every((url) => merge(this.codes(url.split('|')[0] ?? ''), into));
    if (system === undefined) return false;
    const listed = concept ?? this.complete(system);
    if (listed === undefined) return false;
    const codes = into.get(system) ?? new Set();
    into.set(system, codes);
    collect(listed, codes);
    return true;
  }

  private complete(system: string): readonly Concept[] | undefined {
    const found = this.systems.get(system);
    return found?.content === 'complete' ? found.concept : undefined;
  }
}

function merge(from: Collected | undefined, into: Collected): boolean {
  for (const [system, codes] of from ?? []) into.set(system, new Set([...(into.get(system) ?? []), ...codes]));
  return from !== undefined;
}

function collect(concepts: readonly Concept[], into: Set<string>): void {
  for (const { code, concept } of concepts) {
    into.add(code);
    if (concept !== undefined) collect(concept, into);
  }
}
