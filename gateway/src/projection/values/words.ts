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

/** The words of a text in their order: without case and accents, whatever stands between them. */
export function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.slice(0, WORD_LENGTH));
}

/** What a person would not look for: content of attachments, and what refers to or names something by a URI. */
const NO_TEXT = new Set(['resourceType', 'id', 'reference', 'system', 'data', 'versionId', 'valueBase64Binary']);
const URI = /^(https?|urn|ftp|mailto|mllp|tel):\S*$/i;
const TIME = /^\d{4}-\d\d(-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?)?$/;

/** Every word of a resource's strings but for ids, references, URIs, dates, base64. Whatever the resource holds. */
export function wordPlaces(resource: JsonObject): WordPlaces[] {
  const found = new Map<string, number[]>();
  let left = INDEXED_WORDS;
  const add = (text: string, start: number): number => {
    let place = start;
    for (const word of wordsOf(text)) {
      if (left === 0) break;
      left -= 1;
      const places = found.get(word);
      if (places === undefined) found.set(word, [place]);
      else places.push(place);
      place += 1;
    }
    // A place that nothing has, between what two elements say.
    return place + 1;
  };
  let place = NARRATIVE_START;
  for (const text of narrativeTexts(resource)) place = add(text, place);
  place = 1;
  for (const text of textsOf(resource)) place = add(text, place);
  return [...found].map(([word, at]) => ({ word, at }));
}

/** Of the resource and of what it contains. */
function narrativeTexts({ text, contained }: JsonObject): string[] {
  const div = (text as JsonObject | undefined)?.div;
  const inner = Array.isArray(contained) ? (contained as unknown[]).filter(isObject) : [];
  return [...(typeof div === 'string' ? [plainOf(div)] : []), ...inner.flatMap(narrativeTexts)];
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** XHTML as it reads: blocks and breaks part words, other tags stand inside them. */
function plainOf(div: string): string {
  return div
    .replace(/<!--.*?-->/gs, '')
    .replace(/<\/?(b|i|em|strong|span|a|sub|sup|small|big|tt|u|code|q)\b[^>]*>/gi, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(
      /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,8}));/gi,
      (whole, decimal?: string, hex?: string, name?: string) => {
        if (name !== undefined) return ENTITIES[name] ?? whole;
        const code = decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal);
        return code > 0x10ffff ? ' ' : String.fromCodePoint(code);
      },
    );
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
