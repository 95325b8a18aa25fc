/** Terminology as one asker knows it while one request is answered: what is stored here and what R4 itself defines. */
import type { JsonObject } from '../../fhir/json.js';
import { Refusal } from '../../ledger/refusal.js';
import type { StoredVersion } from '../../ports.js';
import type { Terminology } from '../compile/terminology.js';
import { generatedDefinitions } from '../generated.js';
import { Concepts } from './concepts.js';

/**
 * Steps of work for the terminology of one request, each a code that is looked at, taken, compared or left out, or a
 * hundred characters that are read.
 */
export const EXPANSION_WORK = 500_000;
/** Steps that looking for a URL and reading one resource are worth. */
const LOOK_UP = 50;
const CHARACTERS = 100;

/** Types that terminology is in. */
export type TerminologyType = 'CodeSystem' | 'ValueSet' | 'ConceptMap';

/** Stored resources of a type with a URL, the last written first; undefined in place of one that the asker may not see. */
export type StoredTerminology = (type: TerminologyType, url: string) => Iterable<StoredVersion | undefined>;

let own: Terminology | undefined;

/** What is known, each looked for once, and the work that is left: whatever is done for one request spends of it. */
export class Vocabulary {
  readonly #found = new Map<string, JsonObject | undefined>();
  readonly #concepts = new WeakMap<JsonObject, Concepts>();
  #left = EXPANSION_WORK;

  constructor(private readonly stored: StoredTerminology) {}

  /** Throws Refusal when there is no work left. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) {
      throw new Refusal('invalid', 'too-costly', 'the terminology that is asked for takes too much work to go through');
    }
  }

  /** The same by the length of a text, one step at least. */
  spendOn(text: string): void {
    this.spend(1 + Math.floor(text.length / CHARACTERS));
  }

  /**
   * The one of a canonical URL, with `|version` where one is meant (R4 references.html#canonical): the last written that
   * the asker may see, else what R4 defines. Throws Refusal.
   */
  find(type: TerminologyType, canonical: string): JsonObject | undefined {
    this.spendOn(canonical);
    const name = `${type} ${canonical}`;
    if (!this.#found.has(name)) this.#found.set(name, this.#lookedFor(type, canonical));
    return this.#found.get(name);
  }

  #lookedFor(type: TerminologyType, canonical: string): JsonObject | undefined {
    const [url = '', version] = canonical.split('|');
    const isMeant = (each: JsonObject): boolean => version === undefined || each.version === version;
    this.spend(LOOK_UP);
    for (const each of this.stored(type, url)) {
      this.spend(LOOK_UP);
      if (each === undefined) continue;
      this.spendOn(each.text);
      const resource = JSON.parse(each.text) as JsonObject;
      if (isMeant(resource)) return resource;
    }
    own ??= generatedDefinitions('terminology') as Terminology;
    const defined = own[type];
    const found = defined !== undefined && Object.hasOwn(defined, url) ? defined[url] : undefined;
    return found !== undefined && isMeant(found) ? found : undefined;
  }

  /** The concepts of a code system that lists them; undefined for another, or none. Throws Refusal. */
  conceptsOf(system: JsonObject | undefined): Concepts | undefined {
    if (system === undefined) return undefined;
    const known = this.#concepts.get(system);
    if (known !== undefined) return known;
    const { concept, content } = system;
    if (!Array.isArray(concept) || content === 'not-present' || content === 'supplement') return undefined;
    const concepts = new Concepts(system, (text) => {
      this.spendOn(text);
    });
    this.#concepts.set(system, concepts);
    return concepts;
  }

  /** Whether a stored code system is indifferent to case, as the asker sees it. */
  ignoresCase(system: string): boolean {
    this.spend(LOOK_UP);
    for (const each of this.stored('CodeSystem', system)) {
      if (each !== undefined) return (this.find('CodeSystem', system) ?? {}).caseSensitive === false;
    }
    return false;
  }

  /** A code with its system, the same for codes that the code system holds for the same (R4 CodeSystem.caseSensitive). */
  key(system: string | undefined, code: string): string {
    this.spendOn(code);
    const isFolded = system !== undefined && this.find('CodeSystem', system)?.caseSensitive === false;
    return `${system ?? ''} ${isFolded ? code.toLowerCase() : code}`;
  }
}
