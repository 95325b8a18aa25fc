/** Prefixes of JSON-LD contexts: what `example:field` stands for. */
import { asList, isMap } from './json.js';

/** Prefix to namespace. */
export type Namespaces = ReadonlyMap<string, string>;

/** Prefixes that the standard's own context gives. */
export const STANDARD: Namespaces = new Map([
  ['gs1', 'https://gs1.org/voc/'],
  ['cbv', 'https://ref.gs1.org/cbv/'],
  ['epcis', 'https://ref.gs1.org/epcis/'],
  ['rdfs', 'http://www.w3.org/2000/01/rdf-schema#'],
]);

/** The prefixes of these contexts over the ones in force: the last that says something of a prefix counts. */
export function withContext(inForce: Namespaces, context: unknown): Namespaces {
  const prefixes = new Map(inForce);
  for (const each of asList(context)) {
    if (!isMap(each)) continue;
    for (const [prefix, namespace] of Object.entries(each)) {
      if (typeof namespace === 'string' && !prefix.startsWith('@')) prefixes.set(prefix, namespace);
    }
  }
  return prefixes;
}

/** A compact URI written out; other texts as they are. */
export function expand(text: string, namespaces: Namespaces): string {
  const [, prefix = '', local = ''] = /^([^:]+):(.*)$/s.exec(text) ?? [];
  const namespace = namespaces.get(prefix);
  return namespace === undefined || local.startsWith('//') ? text : namespace + local;
}

/** A member's name as the event hash writes it: namespace in curly brackets, then the local name. */
export function qualifiedName(name: string, namespaces: Namespaces): string {
  const [, prefix = '', local = ''] = /^([^:]+):(.*)$/s.exec(name) ?? [];
  const namespace = namespaces.get(prefix);
  return namespace === undefined ? name : `{${namespace}}${local}`;
}
