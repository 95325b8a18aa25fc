/** EPC URNs (EPC Tag Data Standard 2.0, sections 6 to 8) and canonical Digital Links, both ways. */
import { percentDecoded } from '../../percent.js';
import { checkDigit } from './check-digit.js';
import { formatLink, type Link, parseLink, percent } from './digital-link.js';
import { MOST_REFERENCE, type Scheme, SCHEMES } from './schemes.js';

/** Digits of the company prefix that some digits start with; undefined where no known prefix fits. */
export type PrefixLength = (digits: string) => number | undefined;

/** GS1 company prefixes have this many digits. */
const PREFIX_DIGITS = /^[0-9]{6,12}$/;
/** `*` in an idpat: every instance of the class. */
const EVERY = '*';

const BY_NAME = new Map(SCHEMES.map((scheme) => [scheme.name, scheme]));

/** The canonical Digital Link of an EPC in any spelling; undefined where the text is no right EPC. */
export function canonicalEpc(uri: string): string | undefined {
  const link = parseEpc(uri);
  return link === undefined ? undefined : formatLink(link);
}

/** A right EPC's key, in any spelling. */
export function parseEpc(uri: string): Link | undefined {
  return uri.startsWith('urn:epc:') ? parseUrn(uri) : parseLink(uri);
}

/** The URN of an EPC; undefined without a known company prefix, or where no URN stands for it. */
export function epcUrn(uri: string, prefixLength: PrefixLength): string | undefined {
  const link = parseEpc(uri);
  if (link === undefined) return undefined;
  const scheme = SCHEMES.find((each) => each.ai === link.ai && each.serial?.qualifier === link.qualifier?.ai);
  if (scheme !== undefined) return urnOf(scheme, link, prefixLength);
  const whole = SCHEMES.find((each) => each.ai === link.ai);
  return whole === undefined ? undefined : urnOf(whole, link, prefixLength);
}

/** The length of the longest of these company prefixes that the digits start with. */
export function prefixLengthAmong(prefixes: readonly string[]): PrefixLength {
  const longest = [...prefixes].sort((a, b) => b.length - a.length);
  return (digits) => longest.find((prefix) => digits.startsWith(prefix))?.length;
}

function parseUrn(urn: string): Link | undefined {
  const [, form, name, body] = /^urn:epc:(id|class|idpat):([a-z]+):(.+)$/.exec(urn) ?? [];
  const scheme = BY_NAME.get(name ?? '');
  if (scheme === undefined || body === undefined) return undefined;
  if (form === 'idpat' ? scheme.serial === undefined : scheme.form !== form) return undefined;
  const [prefix = '', ...rest] = body.split('.');
  if (!PREFIX_DIGITS.test(prefix)) return undefined;
  return scheme.digits === undefined
    ? parseReference(scheme, prefix, rest, form === 'idpat')
    : parseDigits({ ...scheme, digits: scheme.digits }, prefix, rest, form === 'idpat');
}

/** Keys without check digit: GIAI, GINC, CPI. */
function parseReference(scheme: Scheme, prefix: string, rest: readonly string[], isPattern: boolean): Link | undefined {
  const parts = scheme.serial === undefined ? [rest.join('.')] : [rest.slice(0, -1).join('.'), rest.at(-1) ?? ''];
  const reference = decode(parts[0] ?? '');
  if (reference === undefined || reference === '' || prefix.length + reference.length > MOST_REFERENCE)
    return undefined;
  return withSerial(scheme, prefix + reference, parts[1], isPattern);
}

function parseDigits(
  scheme: Scheme & { readonly digits: number },
  prefix: string,
  rest: readonly string[],
  isPattern: boolean,
): Link | undefined {
  const [reference = '', ...more] = rest;
  if (prefix.length + reference.length !== scheme.digits || !/^[0-9]*$/.test(reference)) return undefined;
  const digits = `${scheme.pad ?? ''}${scheme.leads === true ? reference.slice(0, 1) + prefix + reference.slice(1) : prefix + reference}`;
  const pieces = scheme.pieces === true ? more.splice(0, 2).join('') : '';
  if (scheme.pieces === true && !/^[0-9]{4}$/.test(pieces)) return undefined;
  const serial = more.length === 0 ? undefined : more.join('.');
  return withSerial(scheme, `${digits}${checkDigit(digits)}${pieces}`, serial, isPattern);
}

function withSerial(scheme: Scheme, key: string, raw: string | undefined, isPattern: boolean): Link | undefined {
  const { ai, serial } = scheme;
  if (serial === undefined) return raw === undefined ? { ai, key } : undefined;
  if (isPattern) return raw === EVERY ? { ai, key } : undefined;
  const value = serialText(serial, raw ?? '');
  if (value === undefined) return undefined;
  if (value === serial.absent) return { ai, key };
  const { qualifier } = serial;
  return qualifier === undefined ? { ai, key: key + value } : { ai, key, qualifier: { ai: qualifier, value } };
}

/** A serial decoded; undefined where it is empty, too long, or holds what it may not. */
function serialText({ most, digits }: NonNullable<Scheme['serial']>, raw: string): string | undefined {
  const value = decode(raw);
  if (value === undefined || value === '' || value.length > most) return undefined;
  return digits === true && !/^[0-9]+$/.test(value) ? undefined : value;
}

function urnOf(scheme: Scheme, link: Link, prefixLength: PrefixLength): string | undefined {
  const { pad = '', leads, digits } = scheme;
  const key = link.key.slice(pad.length);
  const lead = leads === true ? key.slice(0, 1) : '';
  const body = key.slice(lead.length);
  const length = prefixLength(body);
  if (length === undefined || length < 6 || length > 12) return undefined;
  const prefix = body.slice(0, length);
  if (digits === undefined) {
    const serial = scheme.serial === undefined ? [] : [link.qualifier?.value];
    return spell(scheme, [prefix, body.slice(length), ...serial]);
  }
  const reference = lead + body.slice(length, digits - lead.length);
  const after = key.slice(digits + 1);
  return spell(scheme, [prefix, reference, ...serialParts(scheme, link, after)]);
}

/** What follows the reference in a URN: piece and total, and the serial or what stands for none. */
function serialParts({ serial, pieces }: Scheme, { qualifier }: Link, after: string): readonly Part[] {
  const counted = pieces === true ? [after.slice(0, 2), after.slice(2, 4)] : [];
  if (serial === undefined) return counted;
  const within = pieces === true ? '' : after;
  const value = serial.qualifier === undefined ? within : (qualifier?.value ?? serial.absent ?? '');
  return [...counted, value === '' ? undefined : value];
}

/** A part of a URN; undefined stands for every serial, which the serial `*` is not. */
type Part = string | undefined;

function spell({ name, form }: Scheme, parts: readonly Part[]): string {
  const isPattern = parts.includes(undefined);
  return `urn:epc:${isPattern ? 'idpat' : form}:${name}:${parts.map((each) => (each === undefined ? EVERY : encodeUrn(each))).join('.')}`;
}

/** Percent-encodes what an EPC URN may not hold: TDS 2.0, section 6.3.1 and Table A-1. */
function encodeUrn(text: string): string {
  return Array.from(text)
    .map((character) => (/[!'()*+,.0-9:;=A-Z_a-z-]/.test(character) ? character : percent(character)))
    .join('');
}

/** A part of a URN decoded; undefined where it holds a character that must be encoded. */
function decode(text: string): string | undefined {
  if (/^[!'()*+,.0-9:;=A-Z_a-z-]*$/.test(text)) return text;
  if (!/^(?:%[0-9A-Fa-f]{2}|[!'()*+,.0-9:;=A-Z_a-z-])*$/.test(text)) return undefined;
  return percentDecoded(text);
}
