/** Canonical GS1 Digital Link URIs (URI Syntax 1.2 section 4.11), constrained to the finest key: CBV 2.0 section 8.9. */
import { percentDecoded } from '../../percent.js';
import { hasCheckDigit } from './check-digit.js';
import { AI_NAMES } from './schemes.js';

const CANONICAL = 'https://id.gs1.org';
/** Lengths a GTIN may have in a link; all mean the one of 14 digits. */
const GTIN_LENGTHS = [8, 12, 13, 14];

/** A primary key with, at most, the one qualifier that says most. */
export interface Link {
  readonly ai: string;
  /** Decoded. */
  readonly key: string;
  readonly qualifier?: { readonly ai: string; readonly value: string };
}

/** Form of each primary key, with how many of its first digits end in a check digit. */
const KEYS: Readonly<
  Record<string, { readonly pattern: RegExp; readonly checked?: number; readonly finest?: readonly string[] }>
> = {
  '00': { pattern: /^\d{18}$/, checked: 18 },
  '01': { pattern: /^\d{14}$/, checked: 14, finest: ['21', '235', '10'] },
  '253': { pattern: /^\d{13}.{0,17}$/, checked: 13 },
  '255': { pattern: /^\d{13}\d{0,12}$/, checked: 13 },
  '401': { pattern: /^\d{4}.{0,26}$/ },
  '402': { pattern: /^\d{17}$/, checked: 17 },
  '414': { pattern: /^\d{13}$/, checked: 13, finest: ['254'] },
  '417': { pattern: /^\d{13}$/, checked: 13 },
  '8003': { pattern: /^\d{14}.{0,16}$/, checked: 14 },
  '8004': { pattern: /^\d{4}.{0,26}$/ },
  '8006': { pattern: /^\d{18}$/, checked: 14, finest: ['21', '10'] },
  '8010': { pattern: /^\d{4}[#\-/0-9A-Z]{0,26}$/, finest: ['8011'] },
  '8017': { pattern: /^\d{18}$/, checked: 18 },
  '8018': { pattern: /^\d{18}$/, checked: 18 },
};

/** Takes a Digital Link of any domain apart; undefined where the URI is none or its check digit is wrong. */
export function parseLink(uri: string): Link | undefined {
  const steps = stepsOf(uri);
  const start = primaryAt(steps);
  if (start === undefined) return undefined;
  const [name = '', raw = '', ...rest] = steps.slice(start);
  const ai = AI_NAMES[name] ?? name;
  const key = keyText(ai, percentDecoded(raw));
  if (key === undefined || !isRightKey(ai, key)) return undefined;
  const qualifier = finestOf(KEYS[ai]?.finest ?? [], rest);
  return { ai, key, ...(qualifier === undefined ? {} : { qualifier }) };
}

function stepsOf(uri: string): readonly string[] {
  const [, path = ''] = /^https?:\/\/[^/?#]+(\/[^?#]*)/i.exec(uri) ?? [];
  return path.replace(/\/$/, '').split('/').slice(1);
}

function isRightKey(ai: string, key: string): boolean {
  const form = KEYS[ai];
  if (form?.pattern.test(key) !== true) return false;
  return form.checked === undefined || hasCheckDigit(key.slice(0, form.checked));
}

/** Whether a URI claims to be a GS1 Digital Link, right or wrong: its path ends in a primary key's identifier and value. */
export function claimsToBeLink(uri: string): boolean {
  return /^https?:\/\/id\.gs1\.org\/\d{2,4}\//i.test(uri);
}

/** The canonical URI. */
export function formatLink({ ai, key, qualifier }: Link): string {
  const tail = qualifier === undefined ? '' : `/${qualifier.ai}/${encode(qualifier.value)}`;
  return `${CANONICAL}/${ai}/${encode(key)}${tail}`;
}

/** The last pair of steps that names a primary key: a custom domain may have a path before it. */
function primaryAt(steps: readonly string[]): number | undefined {
  const found = steps.findIndex((step, index) => {
    const next = steps[index + 1];
    return next !== undefined && Object.hasOwn(KEYS, AI_NAMES[step] ?? step) && /^\d{4}/.test(next);
  });
  return found < 0 ? undefined : found;
}

function keyText(ai: string, text: string | undefined): string | undefined {
  if (ai !== '01' || text === undefined) return text;
  return GTIN_LENGTHS.includes(text.length) ? text.padStart(14, '0') : undefined;
}

function finestOf(order: readonly string[], steps: readonly string[]): Link['qualifier'] {
  const pairs = new Map<string, string>();
  for (let at = 0; at + 1 < steps.length; at += 2) {
    const [name = '', raw = ''] = steps.slice(at, at + 2);
    const value = percentDecoded(raw);
    if (value !== undefined) pairs.set(AI_NAMES[name] ?? name, value);
  }
  const ai = order.find((each) => pairs.has(each));
  return ai === undefined ? undefined : { ai, value: pairs.get(ai) ?? '' };
}

/** Percent-encodes what Table 7-1 of the URI Syntax lists, and what no URI may hold. */
function encode(text: string): string {
  if (/^[A-Za-z0-9._~;='-]*$/.test(text)) return text;
  return Array.from(text)
    .map((character) => (/[A-Za-z0-9._~;='-]/.test(character) ? character : percent(character)))
    .join('');
}

/** The UTF-8 bytes of a character as %XX. */
export function percent(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
