/** Conditions on words: one, the start of one, or several that follow each other. */
import type { DatabaseSync } from 'node:sqlite';

import { WORDS, type WordPlaces } from '../values/words.js';
import { NOTHING, type Condition } from './condition.js';
import type { Filter } from './query.js';
import type { Terms } from './terms.js';

const PHRASE = 'in_a_row';

/** Gives the database the function that looks whether words follow each other: in time that grows with their places alone. */
export function definePhrases(database: DatabaseSync): void {
  database.function(PHRASE, { deterministic: true, varargs: true }, (isNarrative, first, ...rest) => {
    return isInARow(isNarrative !== 0, placesOf(first), rest.map(placesOf)) ? 1 : 0;
  });
}

function isInARow(isNarrative: boolean, first: readonly number[], rest: readonly (readonly number[])[]): boolean {
  const others = rest.map((each) => new Set(each));
  const starts = first.filter((place) => !isNarrative || place < 0);
  return starts.some((place) => others.every((each, at) => each.has(place + at + 1)));
}

function placesOf(value: unknown): number[] {
  return typeof value === 'string' ? (JSON.parse(value) as number[]) : [];
}

/** Whether the words of a resource at hand meet the condition, as the index would say. */
export function hasWords(filter: Extract<Filter, { kind: 'words' }>, places: readonly WordPlaces[]): boolean {
  const { words, scope, isStart } = filter;
  const [start = ''] = words;
  if (isStart) {
    const some = places.filter(({ word }) => word.startsWith(start));
    return some.some(({ at }) => isInARow(scope === 'narrative', at, []));
  }
  const [first = [], ...rest] = words.map((word) => places.find((each) => each.word === word)?.at ?? []);
  return isInARow(scope === 'narrative', first, rest);
}

/** Resources with the word or phrase, anywhere or in the narrative. */
export function wordsCondition(filter: Extract<Filter, { kind: 'words' }>, terms: Terms): Condition {
  const { words, scope, isStart } = filter;
  const within = scope === 'narrative' ? 'x.narrative = 1' : '1 = 1';
  if (isStart) return starting(terms.starting(WORDS, words[0] ?? ''), within);
  const tids = words.flatMap((word) => terms.exactly(WORDS, word));
  const [first, ...rest] = tids;
  if (first === undefined || tids.length < words.length) return NOTHING;
  const others = rest.map(() => ', (SELECT y.at FROM word y WHERE y.tid = ? AND y.rid = x.rid)').join('');
  const phrase = `${PHRASE}(${scope === 'narrative' ? 1 : 0}, x.at${others})`;
  const where = ['x.tid = ?', within, ...(rest.length === 0 ? [] : [phrase])].join(' AND ');
  return { kind: 'rows', from: 'word x', where, values: tids, isInOrder: true };
}

function starting(tids: readonly number[], within: string): Condition {
  if (tids.length === 0) return NOTHING;
  const where = `x.tid IN (SELECT value FROM json_each(?)) AND ${within}`;
  return { kind: 'rows', from: 'word x', where, values: [JSON.stringify(tids)] };
}
