/** `_filter` (R4 search_filter.html): its grammar, read into filters of the search. */
import { Refusal } from '../ledger/refusal.js';
import type { Filter } from '../projection/search/query.js';
import { escaped, PREFIXES } from '../projection/search/values.js';

/** Characters of a filter. */
export const FILTER_LIMIT = 4_000;

/** The filter of one parameter of the type searched; undefined where there is no such parameter. */
export type ParameterFilter = (name: string, value: string) => Filter | undefined;

/** Reads the expression. Throws Refusal for what is not in the grammar or names no parameter. */
export function parseFilter(text: string, parameter: ParameterFilter): Filter {
  if (text.length > FILTER_LIMIT) {
    throw new Refusal('invalid', 'too-costly', `a filter has at most ${FILTER_LIMIT} characters`);
  }
  return new Parser(wordsOf(text), parameter).whole();
}

const WORD = /\s*(?:([()])|("(?:[^"\\]|\\.)*")|([^\s()"]+))/y;

function wordsOf(text: string): string[] {
  const words: string[] = [];
  WORD.lastIndex = 0;
  while (text.slice(WORD.lastIndex).trim() !== '') {
    const match = WORD.exec(text);
    if (match === null) throw wrong();
    words.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return words;
}

function wrong(): Refusal {
  return new Refusal('invalid', 'bad-value', '_filter is written: name op value, joined by and, or, not ( )');
}

class Parser {
  private next = 0;

  constructor(
    private readonly words: readonly string[],
    private readonly parameter: ParameterFilter,
  ) {}

  whole(): Filter {
    const filter = this.any();
    if (this.next < this.words.length) throw wrong();
    return filter;
  }

  /** `and` binds closer than `or`. */
  private any(): Filter {
    const filters = [this.all()];
    while (this.takes('or')) filters.push(this.all());
    return filters.length === 1 ? (filters[0] as Filter) : { kind: 'any', filters };
  }

  private all(): Filter {
    const filters = [this.one()];
    while (this.takes('and')) filters.push(this.one());
    return filters.length === 1 ? (filters[0] as Filter) : { kind: 'all', filters };
  }

  private one(): Filter {
    if (this.takes('not')) return { kind: 'not', filter: this.one() };
    if (!this.takes('(')) return this.comparison();
    const filter = this.any();
    if (!this.takes(')')) throw wrong();
    return filter;
  }

  private comparison(): Filter {
    const [name, operator, value] = [this.word(), this.word(), this.word()];
    const text = value.startsWith('"') ? stringOf(value) : value;
    const filter = asked(name, operator, text, this.parameter);
    if (filter === undefined) {
      throw new Refusal(
        'invalid',
        'unknown-parameter',
        `_filter has no '${name.slice(0, 80)} ${operator.slice(0, 10)}'`,
      );
    }
    return filter;
  }

  private takes(word: string): boolean {
    if (this.words[this.next] !== word) return false;
    this.next += 1;
    return true;
  }

  private word(): string {
    const word = this.words[this.next];
    if (word === undefined || word === '(' || word === ')') throw wrong();
    this.next += 1;
    return word;
  }
}

function stringOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch (error) {
    throw new Refusal('invalid', 'bad-value', 'a text in _filter is written as a JSON string', { cause: error });
  }
}

/** Modifiers that operators stand for, where the kind of parameter takes them. */
const MODIFIERS: Readonly<Record<string, string>> = { co: 'contains', in: 'in', ss: 'above', sb: 'below' };
const ORDERS = new Set<string>(PREFIXES);

function asked(name: string, operator: string, value: string, parameter: ParameterFilter): Filter | undefined {
  if (operator === 'pr') return parameter(`${name}:missing`, value === 'true' ? 'false' : 'true');
  const modifier = MODIFIERS[operator];
  if (modifier !== undefined) return parameter(`${name}:${modifier}`, plain(value));
  const filter = parameter(name, plain(value));
  if (filter?.kind === 'value') return ofValue(filter, operator);
  return filter === undefined ? undefined : ofCode(filter, operator);
}

function ofValue(filter: Extract<Filter, { kind: 'value' }>, operator: string): Filter | undefined {
  switch (filter.entry.kind) {
    case 'string':
      return ofText(filter, operator);
    case 'date':
    case 'number':
    case 'quantity':
      return ORDERS.has(operator) ? { ...filter, values: filter.values.map((each) => operator + each) } : undefined;
    default:
      return ofCode(filter, operator);
  }
}

/** A token or quantity has bars that separate; everything else that would separate is part of the value. */
function plain(value: string): string {
  return escaped(value).replaceAll('\\|', '|');
}

function ofText(filter: Extract<Filter, { kind: 'value' }>, operator: string): Filter | undefined {
  switch (operator) {
    case 'eq':
      return { ...filter, modifier: 'equals' };
    case 'ne':
      return { kind: 'not', filter: { ...filter, modifier: 'equals' } };
    case 'sw':
      return filter;
    case 'ew':
      return { ...filter, modifier: 'ends' };
    default:
      return undefined;
  }
}

function ofCode(filter: Filter, operator: string): Filter | undefined {
  if (operator === 'eq' || operator === 're') return filter;
  return operator === 'ne' ? { kind: 'not', filter } : undefined;
}
