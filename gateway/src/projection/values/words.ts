/** Words of a whole resource, for `_text` and `_content` (R4 search.html#text): where each stands, the narrative apart. */
import type { JsonObject } from '../../fhir/json.js';

/** Dictionary number of words: no parameter's, which are above 0. */
export const WORDS = -4;

/** Words of one resource that are indexed, those of its narrative first; what stands behind them is not found by words. */
export const INDEXED_WORDS = 20_000;

/** Longer words are indexed and looked for by their start. */
const WORD_LENGTH = 64;

/** Narratives lie before 0, all other text from 1 on. */
const NARRATIVE_START = -1_000_000;

/** The places of a word in one resource. */
export interface WordPlaces {
  readonly word: string;
  /** Ascending; below 0 in the narrative; neighbours are one apart, and no two elements have neighbours. */
  readonly at: readonly number[];
}

const START = /[\p{L}\p{N}]/gu;
const END = /[^\p{L}\p{N}\p{Mn}]/gu;

/** Characters of a word that are read, accents among them, for WORD_LENGTH without. */
const READ = 4 * WORD_LENGTH;

/**
 * The words of a text in their order: without case and accents, whatever stands between them. Read as they are asked
 * for, in time that grows with the text: whoever asks for no more has looked at no more.
 */
export function* wordsOf(text: string): Generator<string> {
  for (let start = found(START, text, 0); start < text.length;) {
    const end = found(END, text, start);
    // Normalized by the word: marks without end on one letter cost their square.
    const plain = text
      .slice(start, Math.min(end, start + READ))
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '')
      .toLowerCase();
    // Some scripts' letters come apart into what parts words.
    for (const word of plain.match(/[\p{L}\p{N}]+/gu) ?? []) yield word.slice(0, WORD_LENGTH);
    start = found(START, text, end);
  }
}

/** Where the next such character is; the text's length where there is none. */
function found(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

/** What a person would not look for: content of attachments, and what refers to or names something by a URI. */
const NO_TEXT = new Set(['resourceType', 'id', 'reference', 'system', 'data', 'versionId', 'valueBase64Binary']);
const URI = /^(https?|urn|ftp|mailto|mllp|tel):\S*$/i;
const TIME = /^\d{4}-\d\d(-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?)?$/;

/** Every word of a resource's strings but for ids, references, URIs, dates, base64. Whatever the resource holds. */
export function wordPlaces(resource: JsonObject): WordPlaces[] {
  const all = new Map<string, number[]>();
  let left = INDEXED_WORDS;
  const add = (text: string, start: number): number => {
    let place = start;
    for (const word of wordsOf(text)) {
      const places = all.get(word);
      if (places === undefined) all.set(word, [place]);
      else places.push(place);
      place += 1;
      left -= 1;
      if (left === 0) break;
    }
    // A place that nothing has, between what two elements say.
    return place + 1;
  };
  let place = NARRATIVE_START;
  for (const div of narratives(resource)) if (left > 0) place = add(plainOf(div), place);
  place = 1;
  for (const text of textsOf(resource)) {
    if (left === 0) break;
    place = add(text, place);
  }
  return [...all].map(([word, at]) => ({ word, at }));
}

/** Of the resource and of what it contains. */
function narratives({ text, contained }: JsonObject): string[] {
  const div = (text as JsonObject | undefined)?.div;
  const inner = Array.isArray(contained) ? (contained as unknown[]).filter(isObject) : [];
  return [...(typeof div === 'string' ? [div] : []), ...inner.flatMap(narratives)];
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** Tags that stand inside words. */
const INSIDE = /<\/?(?:b|i|em|strong|span|a|sub|sup|small|big|tt|u|code|q)\b/iy;

/** XHTML as it reads: blocks and breaks part words, other tags and comments stand inside them. */
function plainOf(div: string): string {
  return withoutTags(div).replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,8}));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const code = decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal);
      return code > 0x10ffff ? ' ' : String.fromCodePoint(code);
    },
  );
}

/** Each character is looked at once, however many tags and comments do not end. */
function withoutTags(div: string): string {
  const parts: string[] = [];
  let at = 0;
  // Behind the last of a kind nothing ends so any more.
  const lastComment = div.lastIndexOf('-->');
  const last = div.lastIndexOf('>');
  for (let open = div.indexOf('<'); open !== -1 && open < last; open = div.indexOf('<', at)) {
    const isComment = div.startsWith('<!--', open) && open + 4 <= lastComment;
    parts.push(div.slice(at, open), isComment || isInside(div, open) ? '' : ' ');
    at = isComment ? div.indexOf('-->', open + 4) + 3 : div.indexOf('>', open) + 1;
  }
  return parts.join('') + div.slice(at);
}

function isInside(div: string, open: number): boolean {
  INSIDE.lastIndex = open;
  return INSIDE.test(div);
}

function* textsOf(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    if (!URI.test(value) && !TIME.test(value)) yield value;
  } else if (Array.isArray(value)) {
    for (const each of value as unknown[]) yield* textsOf(each);
  } else if (isObject(value)) {
    for (const [name, each] of Object.entries(value)) {
      if (!NO_TEXT.has(name) && !isNarrative(name, each)) yield* textsOf(each);
    }
  }
}

function isNarrative(name: string, value: unknown): boolean {
  return name === 'text' && isObject(value) && typeof value.div === 'string';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
