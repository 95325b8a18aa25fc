/** patch by FHIRPath (R4 fhirpatch.html): Parameters with operations, applied one after the other. */
import { evalFhirPathTyped, getElementDefinition, parseFhirPath, type TypedValue } from '@medplum/core';

import { Refusal } from '../ledger/refusal.js';
import type { JsonObject } from './json.js';
import { loadType } from './validate.js';

/** Characters of a path. */
const PATH_LENGTH = 1_000;

/** Applies the operations to the resource in place. Throws Refusal 422 naming the one that cannot be applied. */
export function applyFhirPathPatch(resource: JsonObject, operations: readonly JsonObject[]): void {
  loadType(String(resource.resourceType));
  for (const [at, operation] of operations.entries()) {
    try {
      apply(resource, argumentsOf(operation));
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const reason = error instanceof Misfit ? error.message : 'its path is no FHIRPath';
      throw new Refusal('invalid', 'unprocessable', `operation ${at} of the patch fails: ${reason}`, { cause: error });
    }
  }
}

/** The operation does not fit the resource. */
class Misfit extends Error {}

/** A value with the type its name says, as in `valueQuantity`. */
interface Given {
  readonly type: string;
  readonly value: unknown;
}

interface Arguments {
  readonly texts: ReadonlyMap<string, string>;
  readonly numbers: ReadonlyMap<string, number>;
  readonly given?: Given;
}

function argumentsOf({ part }: JsonObject): Arguments {
  const parts = Array.isArray(part) ? (part as JsonObject[]) : [];
  const values = parts.map((each) => [String(each.name), givenOf(each)] as const);
  const given = values.find(([name]) => name === 'value')?.[1];
  const others = values.filter(([name]) => name !== 'value').map(([name, { value }]) => [name, value] as const);
  return {
    texts: new Map(others.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []))),
    numbers: new Map(others.flatMap(([name, value]) => (typeof value === 'number' ? [[name, value] as const] : []))),
    ...(given === undefined ? {} : { given }),
  };
}

/** `value[x]`, or an element put together of parts. */
function givenOf(parameter: JsonObject): Given {
  const key = Object.keys(parameter).find((name) => name.startsWith('value'));
  if (key !== undefined) return { type: key.slice('value'.length), value: parameter[key] };
  const inner = Array.isArray(parameter.part) ? (parameter.part as JsonObject[]) : [];
  return { type: '', value: Object.fromEntries(inner.map((each) => [String(each.name), givenOf(each).value])) };
}

function apply(resource: JsonObject, asked: Arguments): void {
  const path = text(asked, 'path');
  if (path.length > PATH_LENGTH) throw new Misfit(`a path has at most ${PATH_LENGTH} characters`);
  const operation = OPERATIONS.get(asked.texts.get('type') ?? '');
  if (operation === undefined) throw new Misfit('its type is add, insert, delete, replace or move');
  operation(resource, path, asked);
}

type Apply = (resource: JsonObject, path: string, asked: Arguments) => void;

const OPERATIONS: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  [
    'add',
    (resource, path, asked) => {
      add(onlyOne(evaluated(resource, path)), text(asked, 'name'), asked.given);
    },
  ],
  [
    'insert',
    (resource, path, asked) => {
      listAt(resource, path).splice(index(asked, 'index'), 0, valueOf(asked.given).value);
    },
  ],
  [
    'delete',
    (resource, path) => {
      remove(resource, path);
    },
  ],
  [
    'replace',
    (resource, path, asked) => {
      replace(placeAt(resource, path), valueOf(asked.given));
    },
  ],
  [
    'move',
    (resource, path, asked) => {
      move(listAt(resource, path), index(asked, 'source'), index(asked, 'destination'));
    },
  ],
]);

function text({ texts }: Arguments, name: string): string {
  const value = texts.get(name);
  if (value === undefined) throw new Misfit(`it has no ${name}`);
  return value;
}

function index({ numbers }: Arguments, name: string): number {
  const value = numbers.get(name);
  if (value === undefined || !Number.isInteger(value) || value < 0) throw new Misfit(`it has no ${name}`);
  return value;
}

function valueOf(given: Given | undefined): Given {
  if (given === undefined) throw new Misfit('it has no value');
  return given;
}

function evaluated(resource: JsonObject, path: string): TypedValue[] {
  return evalFhirPathTyped(parseFhirPath(path), [{ type: String(resource.resourceType), value: resource }]);
}

function onlyOne(found: readonly TypedValue[]): TypedValue {
  const [only, ...more] = found;
  if (only === undefined || more.length > 0) throw new Misfit('its path finds no element, or more than one');
  return only;
}

function add(owner: TypedValue, name: string, given: Given | undefined): void {
  const { type, value } = valueOf(given);
  const element = getElementDefinition(owner.type, name);
  if (element === undefined) throw new Misfit('R4 has no element of this name there');
  const object = owner.value as JsonObject;
  const key = element.path.endsWith('[x]') ? `${name}${type}` : name;
  if (element.isArray === true) object[key] = [...listOf(object[key]), value];
  else if (key in object) throw new Misfit('there is such an element already: replace it');
  else object[key] = value;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** Where a value stands: in an object, or in a list of it. */
interface Place {
  readonly owner: JsonObject;
  readonly key: string;
  /** The element's name without the type of a choice. */
  readonly name: string;
  readonly index?: number;
}

/** The place of the one element a path finds. */
function placeAt(resource: JsonObject, path: string): Place {
  const value = onlyOne(evaluated(resource, path)).value as unknown;
  const [, before = '', name = '', position] = /^(.*)\.(\w+)(?:\[(\d+)\])?$/s.exec(path) ?? [];
  const place =
    name === '' ? undefined : placeIn(onlyOne(evaluated(resource, before)).value as JsonObject, name, position);
  const found = place ?? (typeof value === 'object' && value !== null ? placeOf(resource, value) : undefined);
  if (found === undefined) throw new Misfit('its path names no place: end it with an element or an index');
  return found;
}

function placeIn(owner: JsonObject, name: string, position: string | undefined): Place | undefined {
  const isIt = (key: string): boolean =>
    key === name || (key.startsWith(name) && /^[A-Z]/.test(key.slice(name.length)));
  const key = Object.keys(owner).find(isIt);
  if (key === undefined) return undefined;
  if (!Array.isArray(owner[key])) return { owner, key, name };
  return { owner, key, name, index: Number(position ?? 0) };
}

/** Looks for the object itself in the resource. */
function placeOf(owner: object, wanted: object): Place | undefined {
  for (const [key, inner] of Object.entries(owner)) {
    const list = listOf(inner);
    if (inner === wanted) return { owner: owner as JsonObject, key, name: key };
    const at = list.indexOf(wanted);
    if (at >= 0) return { owner: owner as JsonObject, key, name: key, index: at };
    for (const each of Array.isArray(inner) ? list : [inner as unknown]) {
      const found = typeof each === 'object' && each !== null ? placeOf(each, wanted) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function listAt(resource: JsonObject, path: string): unknown[] {
  const { owner, key } = listPlace(resource, path);
  return owner[key] as unknown[];
}

function listPlace(resource: JsonObject, path: string): Place {
  const [, before = '', name = ''] = /^(.*)\.(\w+)$/s.exec(path) ?? [];
  const place =
    name === '' ? undefined : placeIn(onlyOne(evaluated(resource, before)).value as JsonObject, name, undefined);
  if (place?.index === undefined) throw new Misfit('its path names no list');
  return place;
}

/** Nothing to delete is no failure. */
function remove(resource: JsonObject, path: string): void {
  if (evaluated(resource, path).length === 0) return;
  const { owner, key, index: at } = placeAt(resource, path);
  if (at !== undefined) (owner[key] as unknown[]).splice(at, 1);
  if (at === undefined || listOf(owner[key]).length === 0) Reflect.deleteProperty(owner, key);
}

function replace({ owner, key, name, index: at }: Place, { type, value }: Given): void {
  if (at !== undefined) {
    (owner[key] as unknown[])[at] = value;
    return;
  }
  const isChoice = key !== name;
  if (isChoice) Reflect.deleteProperty(owner, key);
  owner[isChoice ? `${name}${type}` : key] = value;
}

function move(list: unknown[], source: number, destination: number): void {
  if (source >= list.length || destination >= list.length) throw new Misfit('the list has no such place');
  list.splice(destination, 0, ...list.splice(source, 1));
}
