/** Tokens by value sets, by the hierarchy of code systems and by how they compare codes (R4 search.html#token). */
import { Refusal } from '../../ledger/refusal.js';
import { codeSetAt } from './code-set.js';
import type { Filter } from './query.js';
import { escaped, tokenOf, unescaped } from './values.js';
import type { Vocabulary } from './vocabulary.js';

type ValueFilter = Extract<Filter, { kind: 'value' }>;

/**
 * The filter with the codes that `:in`, `:not-in`, `:above` and `:below` stand for, and those that are the same to a code system
 * that is indifferent to case (R4 CodeSystem.caseSensitive). Throws Refusal for unknown ones.
 */
export function withCodes(filter: ValueFilter, vocabulary: Vocabulary): ValueFilter {
  const { entry, modifier, values } = filter;
  const read = Object.hasOwn(READ, modifier) ? READ[modifier] : undefined;
  if (entry.kind !== 'token' || read === undefined || asksMediaTypes(filter)) return filter;
  const wanted = values.flatMap((value) => read(value, vocabulary));
  return split({ ...filter, modifier: modifier.startsWith('not') ? 'not' : '' }, wanted, vocabulary);
}

/** The codes that a value stands for, by modifier. */
const READ: Readonly<Record<string, (value: string, vocabulary: Vocabulary) => Wanted[]>> = {
  '': codingOf,
  not: codingOf,
  in: codingsOf,
  'not-in': codingsOf,
  above: (value, vocabulary) => related(value, 'above', vocabulary),
  below: (value, vocabulary) => related(value, 'below', vocabulary),
};

function asksMediaTypes({ modifier, values }: ValueFilter): boolean {
  return modifier === 'below' && values.every((value) => MEDIA_TYPE.test(value));
}

const MEDIA_TYPE = /^[A-Za-z0-9.+-]{1,100}\/[A-Za-z0-9.+-]{1,100}$/;

/** A code that is asked for; `value` is how a search writes it. */
interface Wanted {
  readonly value: string;
  readonly system?: string;
  readonly code?: string;
}

function codingOf(value: string): Wanted[] {
  return [{ value, ...tokenOf(value) }];
}

/** Codes compared as they are written, and those that are not. */
function split(filter: ValueFilter, wanted: readonly Wanted[], vocabulary: Vocabulary): ValueFilter {
  const systems = new Set(wanted.flatMap(({ system, code }) => (system && code !== undefined ? [system] : [])));
  const indifferent = new Set([...systems].filter((system) => vocabulary.ignoresCase(system)));
  if (indifferent.size === 0) return { ...filter, values: wanted.map(({ value }) => value) };
  const isFolded = ({ system, code }: Wanted): boolean => code !== undefined && indifferent.has(system ?? '');
  const folded = [...indifferent].map((system) => ({
    system,
    codes: wanted.flatMap((each) => (each.system === system && each.code !== undefined ? [each.code] : [])),
  }));
  return { ...filter, values: wanted.filter((each) => !isFolded(each)).map(({ value }) => value), folded };
}

/** Codings of a value set; a system whose codes are not known here stands for all of its codes. */
function codingsOf(value: string, vocabulary: Vocabulary): Wanted[] {
  const { listed, open } = codeSetAt(unescaped(value), vocabulary);
  const tokens = [...listed].map(({ system, code }) => wantedOf(system, code));
  return [...tokens, ...[...open].map((system) => ({ value: `${escaped(system)}|`, system }))];
}

function wantedOf(system: string | undefined, code: string): Wanted {
  if (system === undefined) return { value: escaped(code), code };
  return { value: `${escaped(system)}|${escaped(code)}`, system, code };
}

/** A code with those above or below it in its code system. */
function related(value: string, modifier: 'above' | 'below', vocabulary: Vocabulary): Wanted[] {
  const { system = '', code = '' } = tokenOf(value);
  const concepts = vocabulary.conceptsOf(vocabulary.find('CodeSystem', system));
  if (concepts === undefined) {
    throw new Refusal(
      'invalid',
      'not-supported',
      'the code system is not known here: write system|code, and store it first',
    );
  }
  const codes = modifier === 'above' ? concepts.path(code) : concepts.below(code);
  return codes.map((each) => wantedOf(system, each.code));
}
