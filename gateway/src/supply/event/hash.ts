/**
 * The EPCIS event hash: GS1 CBV 2.0 section 8.9. Where its text and its published vectors differ (the type of a
 * transaction, source or destination comes first; destinations come before sources), the vectors are followed.
 */
import { createHash } from 'node:crypto';

import { canonicalEpc } from '../gs1/epc.js';
import { utcInstant } from './instant.js';
import { asList, isMap, type JsonMap } from './json.js';
import { expand, type Namespaces, qualifiedName, STANDARD, withContext } from './namespaces.js';
import { type Field, FIELDS, IGNORED, LAST_FIELDS } from './order.js';
import {
  bizSteps,
  dispositions,
  errorReasons,
  sourceTypes,
  transactionTypes,
  webOfUrn,
  webTerm,
} from './vocabulary.js';

const URN_SPELT = [bizSteps, dispositions, transactionTypes, sourceTypes, errorReasons];

/** `ni:///sha-256;<hex>?ver=CBV2.0` of an event, its own context over its document's. */
export function eventHash(event: JsonMap, namespaces: Namespaces = STANDARD): string {
  return `ni:///sha-256;${createHash('sha256').update(preHash(event, namespaces)).digest('hex')}?ver=CBV2.0`;
}

/** The text that is hashed. */
function preHash(event: JsonMap, outer: Namespaces = STANDARD): string {
  const namespaces = withContext(outer, event['@context']);
  const type = typeof event.type === 'string' ? event.type : '';
  const known = new Set([...FIELDS, ...LAST_FIELDS].map(({ name }) => name));
  const own = extensions(event, known, namespaces);
  // What the order of the standard's properties does not name, ILMD and user extensions among it, sorts as one list.
  const last = [...LAST_FIELDS.flatMap((field) => fieldText(field, event[field.name], namespaces)), ...own].sort();
  return [
    `eventType=${type}`,
    ...FIELDS.flatMap((field) => fieldText(field, event[field.name], namespaces)),
    ...last,
  ].join('');
}

/** A field's text, none when it holds nothing. */
function fieldText(field: Field, value: unknown, namespaces: Namespaces): readonly string[] {
  const parts = asList(value).flatMap((each) => valueText(field, each, namespaces));
  if (parts.length === 0) return [];
  parts.sort();
  return field.list === true ? [`${field.name}${parts.join('')}`] : [parts.join('')];
}

function valueText(field: Field, value: unknown, namespaces: Namespaces): readonly string[] {
  const { item, name } = field;
  const head = field.list === true ? (item ?? '') : name;
  if (field.parts !== undefined && isMap(value)) {
    const text = partsText(field, value, namespaces);
    return text === '' ? [] : [head + text];
  }
  if (field.generic === true && isMap(value)) return [head + nested(value, namespaces)];
  const text = scalar(value, field, namespaces);
  return text === '' ? [] : [`${head}=${text}`];
}

function partsText(field: Field, value: JsonMap, namespaces: Namespaces): string {
  const parts = field.parts ?? [];
  const known = new Set(parts.map(({ name }) => name));
  const own = extensions(value, known, namespaces).sort();
  return [...parts.flatMap((part) => fieldText(part, value[part.name], namespaces)), ...own].join('');
}

/** Members outside the standard, each with all below it. */
function extensions(value: JsonMap, known: ReadonlySet<string>, namespaces: Namespaces): string[] {
  return Object.entries(value)
    .filter(([name]) => !known.has(name) && !IGNORED.has(name))
    .flatMap(([name, each]) => genericText(name, each, namespaces));
}

function genericText(name: string, value: unknown, namespaces: Namespaces): string[] {
  const head = qualifiedName(name, namespaces);
  return asList(value).map((each) => {
    if (isMap(each)) return head + nested(each, namespaces);
    const text = scalar(each, undefined, namespaces);
    return text === '' ? head : `${head}=${text}`;
  });
}

function nested(value: JsonMap, outer: Namespaces): string {
  const namespaces = withContext(outer, value['@context']);
  const below = Object.entries(value)
    .filter(([name]) => name !== '#text' && !name.startsWith('@') && name !== 'rdfs:comment')
    .flatMap(([name, each]) => genericText(name, each, namespaces))
    .sort();
  const text = scalar(value['#text'], undefined, namespaces);
  return (text === '' ? '' : `=${text}`) + below.join('');
}

/** A value's canonical text. */
function scalar(value: unknown, field: Field | undefined, namespaces: Namespaces): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return '';
  const text = value.trim();
  if (field?.isTime === true) return utcInstant(text) ?? text;
  return canonicalText(field?.vocabulary === undefined ? text : webTerm(field.vocabulary, text), namespaces);
}

function canonicalText(text: string, namespaces: Namespaces): string {
  // Events name thousands of packs, and no term of a vocabulary begins so.
  const epc = text.startsWith('urn:epc:') ? canonicalEpc(text) : undefined;
  if (epc !== undefined) return epc;
  const expanded = expand(text, namespaces);
  const term = URN_SPELT.reduce((each, vocabulary) => webOfUrn(vocabulary, each), expanded);
  return numberText(term) ?? canonicalEpc(term) ?? term;
}

/** A number without leading or trailing zeros; undefined where the text is none. */
function numberText(text: string): string | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? plain(text) : undefined;
}

/** Whole numbers are written out however long they are, as a serial number must keep its digits. */
function plain(text: string): string {
  const [, sign = '', digits = '', fraction = ''] = /^([+-]?)(\d+)\.?(\d*)$/.exec(text) ?? [];
  if (digits === '') return String(Number(text));
  const whole = digits.replace(/^0+(?=\d)/, '');
  const decimals = fraction.replace(/0+$/, '');
  const unsigned = decimals === '' ? whole : `${whole}.${decimals}`;
  return sign === '-' && unsigned !== '0' ? `-${unsigned}` : unsigned;
}
