/**
 * A quick yes for resources that are plainly valid (R4 validation.html), compiled once per type from the definitions
 * that Medplum's validator reads. It never says what is wrong: what it does not accept goes to the validator, which
 * says so or accepts it after all. Whatever is accepted here, the validator finds no error in.
 */
import {
  evalFhirPathTyped,
  fhirTypeToJsType,
  getDataType,
  type InternalSchemaElement,
  type InternalTypeSchema,
  isPrimitiveType,
  isValidCalendarDate,
  parseFhirPath,
  tryGetDataType,
  type TypedValue,
  validationRegexes,
} from '@medplum/core';

import { isInValueSet } from './bindings.js';
import type { JsonObject } from './json.js';
import { isZoned, keyOf } from './misplaced.js';
import { targetRule } from './reference-targets.js';
import { simpleRule } from './simple-quantity.js';
import { brokenBy, brokenByContained, hasRule } from './type-rules.js';

/** The resource that a value lies in, and the one that holds everything. */
interface Scope {
  readonly resource: TypedValue;
  readonly root: TypedValue;
}

/** Whether a value is plainly valid. */
type Check = (value: unknown, scope: Scope) => boolean;

/** Constraints that the validator does not look at. */
const UNCHECKED = new Set(['ele-1', 'dom-3', 'org-1', 'sdf-19']);

/** Constraints of so many values that FHIRPath would take most of the time. */
const QUICK: Readonly<Record<string, (value: JsonObject) => boolean>> = {
  'ext-1': (value) => 'extension' in value !== Object.keys(value).some((name) => name.startsWith('value')),
  'dom-2': (value) => !('contained' in value),
  'dom-4': (value) => !('contained' in value),
  'dom-5': (value) => !('contained' in value),
};

const MAX_STRING = 1024 * 1024;
const INTEGERS: Readonly<Record<string, number>> = { integer: -(2 ** 31), positiveInt: 1, unsignedInt: 0 };
const DATES = new Set(['date', 'dateTime', 'instant']);
/** Types of elements that may be bound to a value set. */
const BOUND = new Set(['CodeableConcept', 'Coding', 'code', 'Quantity', 'string', 'uri']);

/** Whether a resource is plainly valid. The definitions of its type and those contained must be loaded. */
export function isPlainlyValid(resource: JsonObject): boolean {
  const type = resource.resourceType as string;
  const root: TypedValue = { type, value: resource };
  return rootCheck(getDataType(type))(resource, { resource: root, root });
}

const objectChecks = new WeakMap<InternalTypeSchema, Check>();
const rootChecks = new WeakMap<InternalTypeSchema, Check>();

function objectCheck(schema: InternalTypeSchema): Check {
  return once(objectChecks, schema, () => compileObject(schema));
}

/** An object, and the constraints of its type: they bind a resource of its own only, as the validator reads them. */
function rootCheck(schema: InternalTypeSchema): Check {
  const { name, constraints } = schema;
  return once(rootChecks, schema, () => both(both(objectCheck(schema), ruleCheck(name)), holds(constraints, name)));
}

/** Constraints that the validator does not find broken. */
function ruleCheck(type: string): Check {
  return (value, { root }) => {
    const resource = value as JsonObject;
    return (
      brokenBy(type, resource, root.value as JsonObject) === undefined && brokenByContained(resource) === undefined
    );
  };
}

function once(made: WeakMap<InternalTypeSchema, Check>, schema: InternalTypeSchema, make: () => Check): Check {
  let check = made.get(schema);
  if (check === undefined) made.set(schema, (check = make()));
  return check;
}

const both =
  (one: Check, other: Check): Check =>
  (value, scope) =>
    one(value, scope) && other(value, scope);

/** An object with nothing but elements of the schema, at least one, and every one that must be there. */
function compileObject(schema: InternalTypeSchema): Check {
  const isResource = schema.kind === 'resource';
  const elements = Object.entries(schema.elements).map(([name, element]) => ({
    min: element.min,
    checks: compileElement(name, element, schema),
  }));
  const checks = new Map(elements.flatMap((element) => element.checks));
  const named = elements.map(({ min, checks: own }) => ({ min, names: own.map(([name]) => name) }));
  const required = named.filter(({ min }) => min > 0).map(({ names }) => names);
  const choices = named.flatMap(({ names }) => (names.length > 1 ? [names] : []));
  return (value, scope) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const object = value as JsonObject;
    const names = Object.keys(object).filter((name) => !(isResource && name === 'resourceType'));
    if (names.length === 0 || !names.every((name) => checks.get(name)?.(object[name], scope) === true)) return false;
    return required.every((any) => any.some((name) => name in object)) && choices.every((any) => isOne(any, object));
  };
}

/** Whether at most one of the names is there. */
function isOne(names: readonly string[], object: JsonObject): boolean {
  return names.filter((name) => name in object).length < 2;
}

/** The JSON names of an element, one for each type it may have, each with the check of what stands there. */
function compileElement(name: string, element: InternalSchemaElement, schema: InternalTypeSchema): [string, Check][] {
  if (element.fixed !== undefined || element.pattern !== undefined || element.slicing !== undefined) return [];
  return element.type.map(({ code }) => {
    const key = keyOf(name, code);
    const one = compileValue(code, element, schema);
    if (element.isArray !== true) return [key, one];
    return [key, (value, scope) => isList(value, element) && value.every((each) => one(each, scope))];
  });
}

function isList(value: unknown, { min, max }: InternalSchemaElement): value is unknown[] {
  return Array.isArray(value) && value.length > 0 && value.length >= min && value.length <= max;
}

function compileValue(type: string, element: InternalSchemaElement, schema: InternalTypeSchema): Check {
  const ofType = isPrimitiveType(type) ? compilePrimitive(type) : compileComplex(type, schema);
  const sound = both(both(ofType, standsWhereItMay(type, element)), holds(element.constraints, type));
  const { strength, valueSet } = element.binding ?? {};
  if (strength !== 'required' || valueSet === undefined || !BOUND.has(type)) return sound;
  return both(sound, (value) => isInValueSet(value, valueSet));
}

function standsWhereItMay(type: string, element: InternalSchemaElement): Check {
  if (type === 'Quantity') {
    const isSimple = simpleRule(type, element);
    return (value) => isSimple(value) === undefined;
  }
  const rule = type === 'Reference' ? targetRule(element) : undefined;
  return rule === undefined ? () => true : (value, { root }) => rule(value, root.value as JsonObject) === undefined;
}

function compileComplex(type: string, schema: InternalTypeSchema): Check {
  if (type === 'Resource') return isPlainResource;
  // Types refer to each other in circles: each is compiled when a value first needs it.
  let check: Check | undefined;
  const isRuled = hasRule(type);
  return (value, scope) => {
    check ??= objectCheck(schema.innerTypes.find(({ name }) => name === type) ?? getDataType(type));
    if (!check(value, scope)) return false;
    return !isRuled || brokenBy(type, value as JsonObject, scope.root.value as JsonObject) === undefined;
  };
}

/** A resource within another. */
const isPlainResource: Check = (value, { root }) => {
  const type = (value as JsonObject | null)?.resourceType;
  const schema = typeof type === 'string' ? tryGetDataType(type) : undefined;
  if (schema?.kind !== 'resource') return false;
  return objectCheck(schema)(value, { root, resource: { type: schema.name, value } });
};

function compilePrimitive(type: string): Check {
  const kind = fhirTypeToJsType[type as keyof typeof fhirTypeToJsType];
  if (kind === 'boolean') return (value) => typeof value === 'boolean';
  if (kind === 'number') return compileNumber(INTEGERS[type]);
  // Its alphabet and size are for the validator alone.
  if (type === 'base64Binary') return () => false;
  const form = validationRegexes[type];
  const isDate = DATES.has(type);
  return (value) =>
    typeof value === 'string' &&
    value.length <= MAX_STRING &&
    /\S/.test(value) &&
    form?.test(value) !== false &&
    (!isDate || (isValidCalendarDate(value) && isZoned(value)));
}

function compileNumber(least: number | undefined): Check {
  if (least === undefined) return (value) => Number.isFinite(value);
  return (value) => Number.isInteger(value) && (value as number) >= least && (value as number) < 2 ** 31;
}

/** The constraints that make a value wrong, in FHIRPath unless they are quickly told. */
function holds(constraints: InternalSchemaElement['constraints'], type: string): Check {
  const checks = (constraints ?? [])
    .filter(({ key, severity }) => severity === 'error' && !UNCHECKED.has(key))
    .map(({ key, expression }): Check => {
      const slow = compileExpression(expression, type);
      const quick = QUICK[key];
      return quick === undefined ? slow : (value, scope) => quick(value as JsonObject) || slow(value, scope);
    });
  return (value, scope) => checks.every((check) => check(value, scope));
}

function compileExpression(expression: string, type: string): Check {
  const parsed = parseFhirPath(expression);
  return (value, { resource, root }) => {
    const typed = { type, value };
    const variables = { '%context': typed, '%resource': resource, '%rootResource': root };
    try {
      const [only, ...more] = evalFhirPathTyped(parsed, [typed], variables);
      return more.length === 0 && only?.value === true;
    } catch {
      // What cannot be evaluated is for the validator to judge.
      return false;
    }
  };
}
