/** Tokens by value sets and by the hierarchy of code systems that are stored here (R4 search.html#token). */
import { Refusal } from '../../ledger/refusal.js';
import { codeSetAt } from './code-set.js';
import type { Filter } from './query.js';
import { escaped, tokenOf, unescaped } from './values.js';
import type { Vocabulary } from './vocabulary.js';

type ValueFilter = Extract<Filter, { kind: 'value' }>;

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
        values: values.flatMap((value) => tokensOf(unescaped(value), vocabulary)),
      };
    case 'above':
    case 'below':
      return { ...filter, modifier: '', values: values.flatMap((value) => related(value, modifier, vocabulary)) };
    default:
      return filter;
  }
}

/** Tokens of a value set; a system whose codes are not known here stands for all of its codes. */
function tokensOf(url: string, vocabulary: Vocabulary): string[] {
  const { listed, open } = codeSetAt(url, vocabulary);
  const tokens = [...listed].map(({ system, code }) => token(system, code));
  return [...tokens, ...[...open].map((system) => `${escaped(system)}|`)];
}

function token(system: string | undefined, code: string): string {
  return system === undefined ? escaped(code) : `${escaped(system)}|${escaped(code)}`;
}

/** A code with those above or below it in its code system. */
function related(value: string, modifier: 'above' | 'below', vocabulary: Vocabulary): string[] {
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
  return codes.map((each) => token(system, each.code));
}
