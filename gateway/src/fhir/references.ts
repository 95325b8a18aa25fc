/** References inside a transaction: full URLs of new resources become references to them (R4 bundle.html#references). */
import { getElementDefinition } from '@medplum/core';

import { isResourceType } from '../projection/generated.js';
import { isRaw, type JsonObject } from './json.js';
import { loadType } from './validate.js';

/** What stands in place of a full URL or of a conditional reference. */
export interface Replacement {
  /** `Type/id`. */
  readonly name: string;
  /** The version that a reference to a version is to. */
  readonly version: number;
}

/** Replacement by full URL or conditional reference. */
export type Replacements = ReadonlyMap<string, Replacement>;

/**
 * The resource with every link that is a key of the map replaced: references, uri and its kinds, links of narrative; other
 * strings stay. Relative references are read below `base`, where the resource's full URL has one.
 */
export function rewritten(resource: JsonObject, replacements: Replacements, base?: string): JsonObject {
  if (replacements.size === 0) return resource;
  return new Rewriting(resource, replacements, base).object(resource);
}

/** The part of a full URL before type and id, by which relative references are read (R4 bundle.html#references). */
export function baseOf(fullUrl: string | undefined): string | undefined {
  return /^(https?:\/\/.*\/)[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/.exec(fullUrl ?? '')?.[1];
}

/** One resource on its way through the replacements. */
class Rewriting {
  /** Where in the resource the value at hand lies. */
  private readonly path: (string | number)[] = [];

  constructor(
    private readonly root: JsonObject,
    private readonly replacements: Replacements,
    private readonly base: string | undefined,
  ) {}

  /** The object itself where nothing in it is replaced. */
  object(object: JsonObject): JsonObject {
    let changed: JsonObject | undefined;
    for (const name of Object.keys(object)) {
      const inner = object[name];
      const made = this.at(name, inner);
      if (made === inner) continue;
      changed ??= { ...object };
      changed[name] = made;
    }
    return changed ?? object;
  }

  private at(key: string | number, inner: unknown): unknown {
    this.path.push(key);
    const isNarrative = key === 'div' && typeof inner === 'string';
    const made = isNarrative ? narrative(inner, this.replacements) : this.value(inner);
    this.path.pop();
    return made;
  }

  private value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null || isRaw(value)) return value;
    return Array.isArray(value) ? this.list(value) : this.object(value as JsonObject);
  }

  private list(list: readonly unknown[]): readonly unknown[] {
    const made = list.map((each, index) => this.at(index, each));
    return made.some((each, index) => each !== list[index]) ? made : list;
  }

  private text(text: string): string {
    const whole = this.replacements.get(text)?.name ?? this.part(text);
    return whole !== undefined && isLink(this.root, this.path) ? whole : text;
  }

  /** A relative reference, or one with a fragment or a version after the full URL. */
  private part(text: string): string | undefined {
    const [, start = text, version, fragment = ''] = PARTS.exec(text) ?? [];
    const isRelative = this.base !== undefined && /^[A-Z]/.test(start);
    if (!isRelative && start === text) return undefined;
    const found = this.replacements.get(isRelative ? `${this.base}${start}` : start);
    if (found === undefined) return undefined;
    return `${found.name}${version === undefined ? '' : `/_history/${found.version}`}${fragment}`;
  }
}

const PARTS = /^([^#]*?)(\/_history\/[A-Za-z0-9.-]{1,64})?(#.*)?$/;
/** Types whose values are links; canonical is none (R4 http.html#trules). */
const LINKS = new Set(['uri', 'url', 'oid', 'uuid']);

/** Whether the value at the path is a link by its type. */
function isLink(root: JsonObject, path: readonly (string | number)[]): boolean {
  let [type, owner, value]: [string, string, unknown] = ['Resource', '', root];
  for (const key of path) {
    if (typeof key === 'string') {
      owner = type === 'Resource' ? loadedType(value as JsonObject) : type;
      type = typeAt(owner, key);
    }
    value = (value as Record<string | number, unknown>)[key];
  }
  return LINKS.has(type) || (owner === 'Reference' && path.at(-1) === 'reference');
}

function loadedType({ resourceType }: JsonObject): string {
  const type = String(resourceType);
  if (isResourceType(type)) loadType(type);
  return type;
}

/** Type of an element, that of its JSON name where it has a choice; '' where R4 has none by this name. */
function typeAt(owner: string, key: string): string {
  const [first, ...others] = getElementDefinition(owner, key)?.type ?? [];
  if (others.length === 0) return first?.code ?? '';
  const name = key.toLowerCase();
  return [first, ...others].find((each) => name.endsWith(each?.code.toLowerCase() ?? ''))?.code ?? '';
}

function narrative(div: string, replacements: Replacements): string {
  return div.replace(/\b(href|src)="([^"]+)"/g, (match, attribute: string, url: string) => {
    const target = replacements.get(url);
    return target === undefined ? match : `${attribute}="${target.name}"`;
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

/** A literal reference to a resource here: `Type/id`. */
export const LITERAL = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/;

/** A reference in a resource. */
export interface FoundReference {
  readonly reference: string;
  /** FHIRPath of it. */
  readonly path: string;
}

/** Every reference in the value, literal or not; `path` is the value's own FHIRPath. */
export function referencesIn(value: unknown, path: string): FoundReference[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((each, at) => referencesIn(each, `${path}[${at}]`));
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
    name === 'reference' && typeof inner === 'string'
      ? [{ reference: inner, path: `${path}.reference` }]
      : referencesIn(inner, `${path}.${name}`),
  );
}
