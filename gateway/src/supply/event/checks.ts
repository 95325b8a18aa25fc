/** Small checks of JSON values that an event's shape is put together from. */
import { canonicalEpc } from '../gs1/epc.js';
import { claimsToBeLink } from '../gs1/digital-link.js';
import { instantMs } from './instant.js';
import { isMap, type JsonMap } from './json.js';
import type { Vocabulary } from './vocabulary.js';

/** What is wrong with a value at a path, in the field's terms; empty when nothing is. */
export type Check = (value: unknown, path: string) => readonly string[];

const RIGHT: readonly string[] = [];
const matching =
  (isRight: (value: unknown) => boolean, what: string): Check =>
  (value, path) =>
    isRight(value) ? RIGHT : [`${path} must be ${what}`];

const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+$/;

/** Whether a text is an absolute URI or a compact one. */
export function isUri(value: unknown): value is string {
  return typeof value === 'string' && URI.test(value);
}

/** Takes an absolute or compact URI. */
export const uri: Check = matching(isUri, 'a URI');
/** Takes a dateTimeStamp: an offset from UTC must be there (EPCIS 2.0 section 7.4). */
export const instant: Check = matching(
  (value) => typeof value === 'string' && instantMs(value) !== undefined,
  'a date and time with its offset from UTC, such as 2005-04-03T20:33:31.116-06:00',
);
/** Takes a finite JSON number. */
export const decimal: Check = matching((value) => typeof value === 'number' && Number.isFinite(value), 'a number');
/** Takes any text, an empty one too. */
export const text: Check = matching((value) => typeof value === 'string', 'text');
/** Takes a JSON boolean. */
export const truth: Check = matching((value) => typeof value === 'boolean', 'true or false');
/** Takes hexadecimal digits, at least one. */
export const hexBinary: Check = matching(
  (value) => typeof value === 'string' && /^[A-Fa-f0-9]+$/.test(value),
  'hexadecimal digits',
);
/** Takes what has the form of a unit code; whether UN/ECE lists it is not looked up. */
export const unit: Check = matching(
  (value) => typeof value === 'string' && /^[A-Z0-9]{2,3}$/.test(value),
  'a unit code of UN/ECE Recommendation 20, such as KGM',
);
/** Takes an offset from -14:00 to +14:00. */
export const zone: Check = matching(
  (value) => typeof value === 'string' && /^[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)$/.test(value),
  'an offset from UTC such as +02:00',
);
/** Takes EPCIS's three actions (section 7.3.2). */
export const action: Check = matching(
  (value) => value === 'ADD' || value === 'OBSERVE' || value === 'DELETE',
  'ADD, OBSERVE or DELETE',
);

/** An identifier: any URI, but one that claims to be a GS1 key must be one, check digit and prefix length right. */
export const identifier: Check = (value, path) => {
  if (!isUri(value)) return [`${path} must be a URI`];
  const isGs1 = /^urn:epc:(?:id|class|idpat):/.test(value) || claimsToBeLink(value);
  if (!isGs1 || canonicalEpc(value) !== undefined || isForeignScheme(value)) return RIGHT;
  return [`${path} is no right GS1 key: look at its check digit, its length and its company prefix`];
};

/** EPC schemes without a GS1 key (GID, ADI, BIC, IMOVN, USDOD) are taken as they are. */
function isForeignScheme(value: string): boolean {
  return /^urn:epc:id(?:pat)?:(?:gid|adi|bic|imovn|usdod):/.test(value);
}

/** A bare word of the vocabulary, or a URI of another. */
export function term(vocabulary: Vocabulary): Check {
  return matching(
    (value) => isUri(value) || (typeof value === 'string' && vocabulary.terms.has(value)),
    'a term of its standard vocabulary, or a URI of yours',
  );
}

/** A list of at least so many, each by one check. */
export function listOf(check: Check, least = 0): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length < least) return [`${path} must be a list of at least ${least}`];
    return value.flatMap((each, index) => check(each, `${path}[${index}]`));
  };
}

/** A list without repeats. */
export function setOf(check: Check, least = 0): Check {
  return (value, path) => {
    const problems = listOf(check, least)(value, path);
    const isRepeating = Array.isArray(value) && new Set(value).size !== value.length;
    return isRepeating ? [...problems, `${path} holds an item twice`] : problems;
  };
}

/** One value, or a list of them. */
export function oneOrMore(check: Check): Check {
  return (value, path) => (Array.isArray(value) ? listOf(check)(value, path) : check(value, path));
}

/** How an object's members are checked. */
export interface Shape {
  readonly members: Readonly<Record<string, Check>>;
  readonly required?: readonly string[];
  /** Members of other names are refused, even with a namespace. */
  readonly isClosed?: true;
}

/** An object of this shape; members of other names must have a namespace. */
export function shaped({ members, required = [], isClosed }: Shape): Check {
  return (value, path) => {
    if (!isMap(value)) return [`${path} must be an object`];
    const missing = required.filter((name) => value[name] === undefined).map((name) => `${path}.${name} is missing`);
    return [...missing, ...membersOf(value, members, isClosed === true, path)];
  };
}

function membersOf(value: JsonMap, members: Shape['members'], isClosed: boolean, path: string): readonly string[] {
  return Object.entries(value).flatMap(([name, each]) => {
    const check = Object.hasOwn(members, name) ? members[name] : undefined;
    if (check !== undefined) return each === undefined ? RIGHT : check(each, `${path}.${name}`);
    const isExtension = !isClosed && isUri(name);
    return isExtension ? RIGHT : [`${path}.${name} is no member here; a member of your own needs a namespace prefix`];
  });
}
