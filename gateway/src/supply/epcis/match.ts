/** How query parameters compare values: EPCIS 2.0 section 8.2.7. */
import { canonicalEpc, epcUrn } from '../gs1/epc.js';
import { instantMs } from '../event/instant.js';
import { isMap, type JsonMap } from '../event/json.js';
import { expand, type Namespaces, qualifiedName } from '../event/namespaces.js';
import { type Vocabulary, webOfUrn, webTerm } from '../event/vocabulary.js';

/** One spelling for all of an identifier's. */
export function identity(text: string): string {
  return canonicalEpc(text) ?? text;
}

/** One spelling for all of a vocabulary's term. */
export function termIdentity(vocabulary: Vocabulary, text: string, namespaces: Namespaces): string {
  return webOfUrn(vocabulary, expand(webTerm(vocabulary, text), namespaces));
}

/** Whether an identifier is the one given, or of the pattern given (`urn:epc:idpat:sgtin:4012345.*.*`). */
export function matchesEpc(pattern: string, epc: string): boolean {
  if (identity(pattern) === identity(epc)) return true;
  const [, scheme, body] = /^urn:epc:idpat:([a-z]+):(.+)$/.exec(pattern) ?? [];
  if (scheme === undefined || body === undefined) return false;
  const wanted = body.split('.');
  const [prefix = ''] = wanted;
  const urn = epcUrn(epc, (digits) => (digits.startsWith(prefix) ? prefix.length : undefined));
  const [, found, parts] = /^urn:epc:(?:id|class|idpat):([a-z]+):(.+)$/.exec(urn ?? epc) ?? [];
  return found === scheme && parts !== undefined && matchesParts(wanted, parts);
}

/** A `*` at the end takes all that follows: serials may hold dots. */
function matchesParts(wanted: readonly string[], body: string): boolean {
  const parts = body.split('.');
  return wanted.every((each, index) => each === '*' || each === parts[index]) && parts.length >= wanted.length;
}

/** A relation of a value found to the one asked for. */
export type Relation = 'EQ' | 'GT' | 'GE' | 'LT' | 'LE';

/** Whether an order (-1, 0, 1) satisfies the relation. */
export function satisfies(relation: Relation, order: number): boolean {
  switch (relation) {
    case 'EQ':
      return order === 0;
    case 'GT':
      return order > 0;
    case 'GE':
      return order >= 0;
    case 'LT':
      return order < 0;
    case 'LE':
      return order <= 0;
  }
}

/** Compares a value of an extension: numbers and instants by size, texts for equality alone. */
export function relates(relation: Relation, found: unknown, asked: string): boolean {
  const [left, right] = [sizeOf(String(found)), sizeOf(asked)];
  if (left !== undefined && right !== undefined) return satisfies(relation, Math.sign(left - right));
  return relation === 'EQ' && String(found) === asked;
}

function sizeOf(text: string): number | undefined {
  if (/^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return Number(text);
  return instantMs(text);
}

/** Values of a member of this name in these objects, and with `inner` at any depth below their own members. */
export function valuesOf(
  places: readonly unknown[],
  name: string,
  { namespaces, inner }: { readonly namespaces: Namespaces; readonly inner: boolean },
): readonly unknown[] {
  return places.filter(isMap).flatMap((place) => memberValues(place, name, namespaces, inner ? 'below' : 'here'));
}

function memberValues(
  place: JsonMap,
  name: string,
  namespaces: Namespaces,
  where: 'here' | 'below',
): readonly unknown[] {
  return Object.entries(place).flatMap(([key, value]) => {
    const own = where === 'here' && nameOf(key, namespaces) === name ? flat(value) : [];
    const below =
      where === 'below'
        ? flat(value)
            .filter(isMap)
            .flatMap((each) => anyDepth(each, name, namespaces))
        : [];
    return [...own, ...below];
  });
}

function anyDepth(place: JsonMap, name: string, namespaces: Namespaces): readonly unknown[] {
  return [...memberValues(place, name, namespaces, 'here'), ...memberValues(place, name, namespaces, 'below')];
}

/** `{namespace}local` of a member's name; asked for as `prefix:local` or `namespace#local`. */
export function nameOf(name: string, namespaces: Namespaces): string {
  const qualified = qualifiedName(name, namespaces);
  return qualified.replace(/[{}]/g, '').replace('#', '');
}

function flat(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.flatMap(flat) : [value];
}
