/** What a scanner reads from a pack's DataMatrix (GS1 General Specifications section 7.8), and what scanners do to it. Pure. */
import { Refusal } from '../../ledger/refusal.js';
import { hasCheckDigit } from './check-digit.js';
import { dayOf } from './day.js';

/** A pack as its code says. */
export interface ReadCode {
  readonly gtin: string;
  readonly serial: string;
  readonly batch?: string;
  /** YYYY-MM-DD. */
  readonly expiry?: string;
}

/** Longest code, characters: a DataMatrix on a pack holds fewer. */
export const MAX_CODE_LENGTH = 200;
const SEPARATOR = '\u001d';
/** Lengths of the elements that end without a separator, by the first digits of their identifier (figure 7.8.5-2). */
const FIXED: Readonly<Record<string, number>> = { '00': 18, '01': 14, '02': 14, '20': 2 };
const DATES = ['11', '12', '13', '15', '16', '17'];
/** Longest values of the others that packs carry, by identifier or its first digits; of what is none of them, 90. */
const MOST: Readonly<Record<string, number>> = {
  ...{ '10': 20, '21': 20, '22': 20, '30': 8, '37': 8, '71': 20, '90': 30 },
  ...{ '240': 30, '241': 30, '242': 6, '243': 20, '250': 30, '251': 30, '253': 30, '254': 20, '255': 25 },
};
const MOST_OF_ANY = 90;
/** What a value that swallowed one of these elements goes on with. */
const SWALLOWED: Readonly<Record<string, RegExp>> = {
  '17': /.17\d\d(?:0[1-9]|1[0-2])[0-3]\d/,
  '21': /.21./,
  '10': /.10./,
};
/** The row of digits as a French keyboard types it without the shift key. */
const AZERTY = /^(?:\][A-Za-z]\d)?[&é"'(\-è_çà]{4}/;

/** Reads an element string, with separators or with identifiers in brackets. Throws Refusal in words that help. */
export function readCode(text: string): ReadCode {
  const elements = elementsOf(text);
  const gtin = elements.get('01');
  if (gtin === undefined || !hasCheckDigit(gtin)) throw bad('no GTIN (01) of 14 digits with a right check digit');
  if (hasLostSeparator(elements, text.startsWith('('))) {
    throw bad('elements run into each other: the scanner drops the group separator (ASCII 29); set it to send it');
  }
  const serial = elements.get('21');
  if (serial === undefined) throw bad('no serial (21): it is not the code of a single pack');
  const batch = elements.get('10');
  return { gtin, serial, ...(batch === undefined ? {} : { batch }), ...expiryOf(elements) };
}

function elementsOf(text: string): ReadonlyMap<string, string> {
  if (text.length > MAX_CODE_LENGTH) throw bad(`a code has at most ${MAX_CODE_LENGTH} characters`);
  if (AZERTY.test(text)) {
    throw bad('digits arrive as signs: the scanner types for another keyboard layout; set it to this computer’s');
  }
  const bare = text.replace(/^\](?:d2|C1|Q3|e0)/, '').replace(new RegExp(`^${SEPARATOR}`), '');
  return bare.startsWith('(') ? bracketed(bare) : separated(bare);
}

function expiryOf(elements: ReadonlyMap<string, string>): { readonly expiry?: string } {
  const day = elements.get('17');
  if (day === undefined) return {};
  const expiry = dayOf(day);
  if (expiry === undefined) throw bad('the expiry (17) is no day as YYMMDD');
  return { expiry };
}

function bracketed(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/\((\d{2,4})\)([^(]*)/g)].map(([, identifier = '', value = '']) => [identifier, value.trim()]),
  );
}

function separated(text: string): ReadonlyMap<string, string> {
  const elements = new Map<string, string>();
  let rest = text;
  while (rest !== '') {
    const identifier = identifierOf(rest);
    const after = rest.slice(identifier.length);
    const fixed = DATES.includes(identifier) ? 6 : FIXED[identifier];
    const end = fixed ?? (after.indexOf(SEPARATOR) < 0 ? after.length : after.indexOf(SEPARATOR));
    elements.set(identifier, after.slice(0, end));
    rest = after.slice(end).replace(new RegExp(`^${SEPARATOR}`), '');
  }
  return elements;
}

/** Two digits, but for the national numbers (710 to 715) and what else packs carry with three. */
function identifierOf(text: string): string {
  const [found] = /^(?:71[0-9]|24[0-3]|25[0-5]|\d\d)/.exec(text) ?? [];
  if (found === undefined) throw bad('it does not begin with a GS1 application identifier: it is no GS1 code');
  return found;
}

/** Whether a value is too long, or goes on with what looks like one of a pack's elements that is missing. */
function hasLostSeparator(elements: ReadonlyMap<string, string>, isBracketed: boolean): boolean {
  const open = [...elements].filter(([identifier]) => isOpen(identifier));
  if (open.some(([identifier, value]) => value.length > mostOf(identifier))) return true;
  // Nothing runs into each other between brackets: so a serial with any digits can be typed.
  if (isBracketed) return false;
  const missing = Object.entries(SWALLOWED).filter(([identifier]) => !elements.has(identifier));
  return open.some(([, value]) => missing.some(([, like]) => like.test(value)));
}

function mostOf(identifier: string): number {
  return MOST[identifier] ?? MOST[identifier.slice(0, 2)] ?? MOST_OF_ANY;
}

function isOpen(identifier: string): boolean {
  return FIXED[identifier] === undefined && !DATES.includes(identifier);
}

function bad(detail: string): Refusal {
  return new Refusal('invalid', 'invalid-request', detail);
}
