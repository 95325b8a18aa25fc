/** References inside a transaction: full URLs of new resources become references to them (R4 bundle.html#references). */
import { isRaw, type JsonObject } from './json.js';

/** Replacement by full URL or conditional reference. */
export type Replacements = ReadonlyMap<string, string>;

/** The resource with every string that is a key of the map replaced, in narrative links too. */
export function rewritten(resource: JsonObject, replacements: Replacements): JsonObject {
  return replacements.size === 0 ? resource : (rewrite(resource, replacements) as JsonObject);
}

function rewrite(value: unknown, replacements: Replacements): unknown {
  if (typeof value === 'string') return replaced(value, replacements);
  if (typeof value !== 'object' || value === null || isRaw(value)) return value;
  if (Array.isArray(value)) return rewriteList(value, replacements);
  return rewriteObject(value as JsonObject, replacements);
}

function rewriteList(list: readonly unknown[], replacements: Replacements): readonly unknown[] {
  const made = list.map((each) => rewrite(each, replacements));
  return made.some((each, index) => each !== list[index]) ? made : list;
}

/** The object itself where nothing in it is replaced. */
function rewriteObject(object: JsonObject, replacements: Replacements): JsonObject {
  let changed: JsonObject | undefined;
  for (const name of Object.keys(object)) {
    const inner = object[name];
    const isNarrative = name === 'div' && typeof inner === 'string';
    const made = isNarrative ? narrative(inner, replacements) : rewrite(inner, replacements);
    if (made === inner) continue;
    changed ??= { ...object };
    changed[name] = made;
  }
  return changed ?? object;
}

function replaced(text: string, replacements: Replacements): string {
  const whole = replacements.get(text);
  if (whole !== undefined) return whole;
  // A fragment or version after the full URL stays.
  const cut = text.startsWith('urn:') ? text.indexOf('#') : -1;
  const start = cut > 0 ? replacements.get(text.slice(0, cut)) : undefined;
  return start === undefined ? text : start + text.slice(cut);
}

function narrative(div: string, replacements: Replacements): string {
  return div.replace(/\b(href|src)="([^"]+)"/g, (match, attribute: string, url: string) => {
    const target = replacements.get(url);
    return target === undefined ? match : `${attribute}="${target}"`;
  });
}

const CONDITIONAL = /^([A-Z][A-Za-z]+)\?(.+)$/;

/** `Type?criteria` in a transaction, to be replaced by the one resource it finds. */
export interface ConditionalReference {
  readonly text: string;
  readonly type: string;
  readonly criteria: string;
}

/** References of the form `Patient?identifier=x` anywhere in the value, by their text. */
export function conditionalReferences(value: unknown): Map<string, ConditionalReference> {
  const found = new Map<string, ConditionalReference>();
  collect(value, found);
  return found;
}

function collect(value: unknown, found: Map<string, ConditionalReference>): void {
  if (typeof value !== 'object' || value === null || isRaw(value)) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'reference' && typeof inner === 'string') addConditional(inner, found);
    else collect(inner, found);
  }
}

function addConditional(text: string, found: Map<string, ConditionalReference>): void {
  const match = CONDITIONAL.exec(text);
  if (match !== null) found.set(text, { text, type: match[1] ?? '', criteria: match[2] ?? '' });
}
