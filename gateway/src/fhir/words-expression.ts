/** `_text` and `_content` (R4 search.html#text): words, "phrases", starts*, and, or, not, brackets; as filters of words. */
import { Refusal } from '../ledger/refusal.js';
import type { Filter } from '../projection/search/query.js';
import { wordsOf } from '../projection/values/words.js';

/** How much one text may ask for; more is refused with the limit's name. */
export const WORDS_LIMITS = {
  /** Of one value. */
  characters: 4_000,
  /** Words in one value, those of phrases included. */
  words: 50,
  /** Brackets and `not`s within each other. */
  depth: 10,
  /** Letters before `*`, at least. */
  prefix: 3,
} as const;

type Scope = 'narrative' | 'everything';

const TOKENS = /"[^"]*"|[(),]|(?:\\.|[^\s(),"\\])+/gy;

/** The filter that a value says; several values are alternatives. Throws Refusal for what cannot be read. */
export function parseWords(scope: Scope, text: string): Filter {
  if (text.length > WORDS_LIMITS.characters) {
    throw tooMany(`a text has at most ${WORDS_LIMITS.characters} characters`);
  }
  const reader = new Reader(scope, tokensOf(text));
  const filter = reader.alternatives(0);
  if (reader.peek() !== undefined) throw unreadable('a bracket closes that none opened');
  return filter;
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text.charAt(at))) at += 1;
    if (at >= text.length) return tokens;
    TOKENS.lastIndex = at;
    const token = TOKENS.exec(text)?.[0];
    if (token === undefined) throw unreadable('a quotation mark or a backslash stands alone');
    tokens.push(token);
    at += token.length;
  }
}

function unreadable(why: string): Refusal {
  return new Refusal('invalid', 'bad-value', `a text is words, "phrases", starts*, and, or, not, ( ): ${why}`);
}

function tooMany(detail: string): Refusal {
  return new Refusal('invalid', 'too-costly', detail);
}

/** Reads tokens from the left: `or` binds least, then `and` (which may be left out), then `not`. */
class Reader {
  private at = 0;
  private words = 0;

  constructor(
    private readonly scope: Scope,
    private readonly tokens: readonly string[],
  ) {}

  peek(): string | undefined {
    const token = this.tokens[this.at];
    return token !== undefined && /^(and|or|not)$/i.test(token) ? token.toLowerCase() : token;
  }

  alternatives(depth: number): Filter {
    const filters = [this.together(depth)];
    while (this.peek() === 'or' || this.peek() === ',') {
      this.at += 1;
      filters.push(this.together(depth));
    }
    return single('any', filters);
  }

  private together(depth: number): Filter {
    const filters = [this.one(depth)];
    for (let next = this.peek(); next !== undefined && !['or', ',', ')'].includes(next); next = this.peek()) {
      if (next === 'and') this.at += 1;
      filters.push(this.one(depth));
    }
    return single('all', filters);
  }

  private one(depth: number): Filter {
    const token = this.peek();
    this.at += 1;
    if (token === 'not') return { kind: 'not', filter: this.one(deeper(depth)) };
    if (token === '(') return this.bracket(deeper(depth));
    if (token === undefined || ['and', 'or', ')', ','].includes(token)) throw unreadable('a word is missing');
    return this.leaf(token);
  }

  private bracket(depth: number): Filter {
    const filter = this.alternatives(depth);
    if (this.peek() !== ')') throw unreadable('a bracket is not closed');
    this.at += 1;
    return filter;
  }

  private leaf(token: string): Filter {
    const isStart = !token.startsWith('"') && token.endsWith('*');
    const words = [...wordsOf(token.replace(/\\(.)/g, '$1'))];
    const [first] = words;
    if (first === undefined) throw unreadable('a word has letters or digits');
    if (isStart && (words.length > 1 || first.length < WORDS_LIMITS.prefix)) {
      throw unreadable(`before * stands one word's start, of ${WORDS_LIMITS.prefix} letters at least`);
    }
    this.words += words.length;
    if (this.words > WORDS_LIMITS.words) throw tooMany(`a text has at most ${WORDS_LIMITS.words} words`);
    return { kind: 'words', scope: this.scope, words, isStart };
  }
}

function deeper(depth: number): number {
  if (depth < WORDS_LIMITS.depth) return depth + 1;
  throw tooMany(`a text has at most ${WORDS_LIMITS.depth} brackets and nots within each other`);
}

function single(kind: 'all' | 'any', filters: readonly Filter[]): Filter {
  const [only] = filters;
  return only !== undefined && filters.length === 1 ? only : { kind, filters };
}
