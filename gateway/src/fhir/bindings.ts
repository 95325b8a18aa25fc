/** Codes that an element must take from a value set (R4 terminologies.html#required). */
import type { TypedValueWithPath } from '@medplum/core';

import type { Codes, WrittenValueSets } from '../projection/compile/value-sets.js';
import { generatedDefinitions } from '../projection/generated.js';
import type { Issue } from './outcome.js';

interface Coding {
  readonly system?: string;
  readonly code?: string;
}

class ValueSet {
  private readonly bySystem: ReadonlyMap<string, ReadonlySet<string>>;
  private readonly all: ReadonlySet<string>;

  constructor(codes: Codes) {
    this.bySystem = new Map(Object.entries(codes).map(([system, own]) => [system, new Set(own)]));
    this.all = new Set(Object.values(codes).flat());
  }

  has(value: unknown): boolean {
    if (typeof value === 'string') return this.all.has(value);
    // The validator boxes a code that has an extension beside it.
    if (value instanceof String) return this.all.has(value.valueOf());
    const { coding, system, code } = value as Coding & { coding?: readonly Coding[] };
    const codings = coding ?? [{ ...(system && { system }), ...(code && { code }) }];
    return codings.some((each) => this.bySystem.get(each.system ?? '')?.has(each.code ?? '') === true);
  }
}

const sets = new Map<string, ValueSet>();

function setOf(url: string): ValueSet | undefined {
  if (sets.size === 0) {
    const { valueSets } = generatedDefinitions('value-sets') as WrittenValueSets;
    for (const [name, codes] of Object.entries(valueSets)) sets.set(name, new ValueSet(codes));
  }
  return sets.get(url.split('|')[0] ?? url);
}

/** Whether R4's definitions list the codes of a value set, as they do of most that elements are required to take them from. */
export function isValueSetKnown(url: string): boolean {
  return setOf(url) !== undefined;
}

/** Whether a value may stand where the value set is required; where its codes are not known, every one may. */
export function isInValueSet(value: unknown, url: string): boolean {
  return setOf(url)?.has(value) !== false;
}

/** Issues for values, by value set, that are not in it. */
export function bindingIssues(tokens: Readonly<Record<string, readonly TypedValueWithPath[]>>): Issue[] {
  return Object.entries(tokens).flatMap(([url, values]) => {
    const set = setOf(url);
    if (set === undefined) return [];
    return values.filter((each) => !isAbsent(each) && !set.has(each.value)).map(({ path }) => issue(url, path));
  });
}

/** Whether there are extensions in place of a code (R4 json.html#primitive). */
function isAbsent({ type, value }: TypedValueWithPath): boolean {
  return type === 'code' && typeof value === 'object' && !(value instanceof String);
}

function issue(url: string, path: string): Issue {
  return {
    severity: 'error',
    code: 'code-invalid',
    diagnostics: `the code is not in ${url}, from which this element must take it`,
    // FHIRPath names a choice without its types (R4 fhirpath.html#poly).
    expression: [path.replaceAll('[x]', '')],
  };
}
