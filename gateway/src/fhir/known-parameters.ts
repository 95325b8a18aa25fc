/** The search parameters that one search may name: looked up, and refused or left out while one is still derived. */
import { Refusal } from '../ledger/refusal.js';
import { generatedSearch } from '../projection/generated.js';
import type { SearchParameters } from '../projection/parameters.js';
import type { Include, ParameterEntry } from '../projection/search/query.js';

/** What becomes of what cannot be searched by (R4 search.html#errors): refused, or left out and said so. */
export type Handling = 'strict' | 'lenient';

/** Looks parameters up for one search. */
export class KnownParameters {
  /** Sentences on what was left out. */
  readonly told: string[] = [];

  constructor(
    private readonly parameters: SearchParameters,
    readonly handling: Handling,
  ) {}

  /**
   * A parameter of a type; undefined when there is none, and where handling is lenient also when it is still derived.
   * Throws Refusal 503 `deriving` where it is strict: what would be found is not all there is.
   */
  find(type: string, code: string): ParameterEntry | undefined {
    const own = this.parameters.of(type);
    const entry = Object.hasOwn(own, code) ? own[code] : undefined;
    const derived = entry && this.#derivedOf(type, code, entry);
    if (derived === undefined) return entry;
    if (this.handling === 'strict') throw new Refusal('unavailable', 'deriving', `${derived}: ask again later`);
    this.told.push(`${derived}, and was left out`);
    return undefined;
  }

  /** Refuses what `look` did not find, or leaves it out and says so. Throws Refusal 400. */
  withoutUnknown<T>(type: string, name: string, look: () => T | undefined): T | undefined {
    const before = this.told.length;
    const found = look();
    if (found !== undefined) return found;
    if (this.handling === 'strict') throw unknown(type, name);
    if (this.told.length === before) this.told.push(`the search parameter '${name}' is not known and was left out`);
    return undefined;
  }

  /** A parameter of a type that cannot be left out. Throws Refusal 503 where it is still derived. */
  require(type: string, code: string): ParameterEntry | undefined {
    return new KnownParameters(this.parameters, 'strict').find(type, code);
  }

  /** Every reference of a type; those that are still derived are left out, and told. */
  referencesOf(type: string): ParameterEntry[] {
    return Object.entries(this.parameters.of(type)).flatMap(([code, entry]) => {
      if (entry.kind !== 'reference') return [];
      const derived = this.#derivedOf(type, code, entry);
      if (derived === undefined) return [entry];
      this.told.push(`${derived}, and was left out`);
      return [];
    });
  }

  /** `*`: all that a type refers to, or all that refers to it. */
  everyInclude(type: string, reverse: boolean, iterate: boolean): Include[] {
    return (reverse ? generatedSearch().types : [type]).flatMap((each) =>
      this.referencesOf(each)
        .filter(({ targets }) => !reverse || targets?.includes(type) === true)
        .map((entry) => ({ reverse, type: each, entry, iterate })),
    );
  }

  #derivedOf(type: string, code: string, entry: ParameterEntry): string | undefined {
    const progress = this.parameters.progress(entry);
    if (progress === undefined) return undefined;
    return `the search parameter '${code}' of ${type} is still derived (${progress.done} of ${progress.of} resources)`;
  }
}

/** A name that no parameter of the type has. */
export function unknown(type: string, name: string): Refusal {
  return new Refusal(
    'invalid',
    'unknown-parameter',
    `${type} has no search parameter '${name.slice(0, 80)}': see /metadata`,
  );
}
