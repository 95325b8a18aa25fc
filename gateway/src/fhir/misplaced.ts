/**
 * What the validator lets pass: values of another JSON type than their element has, or empty (R4 json.html), several of a
 * choice (formats.html#choice), times without a zone (datatypes.html#dateTime), references that lead where they may not
 * (references.html), and broken constraints of data types, those of an element's profile on quantities among them.
 */
import { fhirTypeToJsType, type InternalTypeSchema, isPrimitiveType, tryGetDataType } from '@medplum/core';

import type { JsonObject } from './json.js';
import type { Issue } from './outcome.js';
import { targetRule } from './reference-targets.js';
import { simpleRule } from './simple-quantity.js';
import { brokenBy, brokenByContained, type Broken } from './type-rules.js';

/** An issue for each. The definitions of the resource's types must be loaded. */
export function misplacedValues(resource: JsonObject): Issue[] {
  const type = String(resource.resourceType);
  const schema = tryGetDataType(type);
  return schema === undefined ? [] : inObject(resource, { schema, path: type, root: resource });
}

interface Place {
  readonly schema: InternalTypeSchema;
  readonly path: string;
  /** The resource that holds contained ones. */
  readonly root: JsonObject;
}

function inObject(object: JsonObject, place: Place): Issue[] {
  const { schema, path, root } = place;
  if (Object.keys(object).length === 0) return [misplaced(path, 'object that is not empty')];
  const broken = [brokenBy(schema.name, object, root), object === root ? brokenByContained(object) : undefined];
  return [
    ...broken.flatMap((each) => (each === undefined ? [] : [constraint(each, path)])),
    ...besidePrimitives(object, place),
    ...Object.entries(schema.elements).flatMap(([name, element]) => inElements(object, name, element, place)),
  ];
}

/** `_name` holds id and extensions of a primitive alone, and in a list where that is one (R4 json.html#primitive). */
function besidePrimitives(object: JsonObject, { schema, path }: Place): Issue[] {
  const names = Object.keys(object).filter((name) => name.startsWith('_'));
  if (names.length === 0) return [];
  const primitives = new Map<string, boolean>(
    Object.entries(schema.elements).flatMap(([name, { type, isArray = false }]) =>
      type.filter(({ code }) => isPrimitiveType(code)).map(({ code }) => [`_${keyOf(name, code)}`, isArray] as const),
    ),
  );
  return names.flatMap((name) => {
    const [isArray, value] = [primitives.get(name), object[name]];
    if (isArray === undefined) return [misplaced(`${path}.${name}`, 'property that R4 does not have')];
    if (Array.isArray(value) !== isArray) return [misplaced(`${path}.${name}`, isArray ? 'list' : 'single object')];
    return isBeside(value, isArray) ? [] : [misplaced(`${path}.${name}`, 'object with an id or extensions')];
  });
}

function isBeside(value: unknown, isArray: boolean): boolean {
  if (Array.isArray(value)) return isArray && value.every((each) => each === null || isBeside(each, false));
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** The values of an element, under each name that one with a choice of types may have. */
function inElements(
  object: JsonObject,
  name: string,
  element: InternalTypeSchema['elements'][string],
  { schema, path, root }: Place,
): Issue[] {
  const { type, isArray = false } = element;
  const at = `${path}.${name.replace('[x]', '')}`;
  const given = type.flatMap(({ code }) => {
    const key = keyOf(name, code);
    return object[key] === undefined ? [] : [{ code, value: object[key] }];
  });
  const issues = given.flatMap(({ code, value }) => {
    if (Array.isArray(value) !== isArray) return [misplaced(at, isArray ? 'list' : 'single value')];
    const container = name === 'contained' ? root : undefined;
    const inner = inElement(value, code, { schema, path: at, root: container, owner: root });
    return [...inner, ...astray(value, code, element, { path: at, root })];
  });
  return name.endsWith('[x]') && given.length > 1 ? [misplaced(at, 'value of one type alone'), ...issues] : issues;
}

/** References and quantities that may not stand in their element. */
function astray(
  value: unknown,
  code: string,
  element: InternalTypeSchema['elements'][string],
  { path, root }: Pick<Place, 'path' | 'root'>,
): Issue[] {
  const leads = code === 'Reference' ? targetRule(element) : undefined;
  const isSimple = simpleRule(code, element);
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.flatMap((each, at) => {
    if (typeof each !== 'object' || each === null) return [];
    const place = `${path}${Array.isArray(value) ? `[${at}]` : ''}`;
    const [why, broken] = [leads?.(each, root), isSimple(each)];
    const astrayIssue: Issue[] =
      why === undefined
        ? []
        : [{ severity: 'error', code: 'value', diagnostics: why, expression: [`${place}.reference`] }];
    return broken === undefined ? astrayIssue : [...astrayIssue, constraint(broken, place)];
  });
}

/** The JSON name of an element, that of one type where it has a choice. */
export function keyOf(name: string, type: string): string {
  return name.endsWith('[x]') ? name.slice(0, -3) + type.charAt(0).toUpperCase() + type.slice(1) : name;
}

interface ElementPlace {
  readonly schema: InternalTypeSchema;
  readonly path: string;
  /** What a resource in this place is contained in; undefined where it stands for itself. */
  readonly root: JsonObject | undefined;
  readonly owner: JsonObject;
}

function inElement(value: unknown, type: string, place: ElementPlace): Issue[] {
  const { schema, path, root, owner } = place;
  if (Array.isArray(value)) {
    return value.flatMap((each, at) => inElement(each, type, { ...place, path: `${path}[${at}]` }));
  }
  // An absent one among others, whose extensions stand beside it; elsewhere the validator refuses it.
  if (value === null) return [];
  const wanted = fhirTypeToJsType[type as keyof typeof fhirTypeToJsType] as string | undefined;
  if (wanted !== undefined) return inPrimitive(value, type, { wanted, path });
  if (typeof value !== 'object') return [misplaced(path, 'object')];
  const inner = schemaOf(value as JsonObject, type, schema);
  if (inner === undefined) return [];
  const own = type === 'Resource' ? (root ?? (value as JsonObject)) : owner;
  return inObject(value as JsonObject, { schema: inner, path, root: own });
}

function inPrimitive(value: unknown, type: string, { wanted, path }: { wanted: string; path: string }): Issue[] {
  if (typeof value !== wanted) return [misplaced(path, wanted)];
  if (value === '') return [misplaced(path, 'string that is not empty')];
  return type === 'dateTime' && !isZoned(value as string) ? [misplaced(path, 'time to the second with a zone')] : [];
}

/** Whether a dateTime that has a time has it whole. */
export function isZoned(text: string): boolean {
  return !text.includes('T') || /T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/.test(text);
}

function schemaOf(value: JsonObject, type: string, schema: InternalTypeSchema): InternalTypeSchema | undefined {
  if (type === 'Resource') return tryGetDataType(String(value.resourceType));
  return schema.innerTypes.find(({ name }) => name === type) ?? tryGetDataType(type);
}

function misplaced(path: string, wanted: string): Issue {
  return { severity: 'error', code: 'structure', diagnostics: `a value here is a ${wanted}`, expression: [path] };
}

function constraint({ key, why }: Broken, path: string): Issue {
  return { severity: 'error', code: 'invariant', diagnostics: `Constraint ${key} not met: ${why}`, expression: [path] };
}
