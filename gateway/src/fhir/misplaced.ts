/** Values of another JSON type than their element has (R4 json.html): the validator lets `{}` stand for anything. */
import { fhirTypeToJsType, type InternalTypeSchema, tryGetDataType } from '@medplum/core';

import type { JsonObject } from './json.js';
import type { Issue } from './outcome.js';

/** An issue for each primitive that is given as anything else. The definitions of its types must be loaded. */
export function misplacedValues(resource: JsonObject): Issue[] {
  const schema = tryGetDataType(String(resource.resourceType));
  return schema === undefined ? [] : inObject(resource, schema, String(resource.resourceType));
}

function inObject(object: JsonObject, schema: InternalTypeSchema, path: string): Issue[] {
  if (Object.keys(object).length === 0) return [misplaced(path, 'object that is not empty')];
  return Object.entries(schema.elements).flatMap(([name, { type, isArray = false }]) =>
    type.flatMap(({ code }) => {
      const key = name.endsWith('[x]') ? name.slice(0, -3) + code.charAt(0).toUpperCase() + code.slice(1) : name;
      const value = object[key];
      const at = `${path}.${name.replace('[x]', '')}`;
      if (value === undefined) return [];
      if (Array.isArray(value) !== isArray) return [misplaced(at, isArray ? 'list' : 'single value')];
      return inElement(value, code, { schema, path: at });
    }),
  );
}

interface Place {
  readonly schema: InternalTypeSchema;
  readonly path: string;
}

function inElement(value: unknown, type: string, { schema, path }: Place): Issue[] {
  if (Array.isArray(value)) {
    return value.flatMap((each, at) => inElement(each, type, { schema, path: `${path}[${at}]` }));
  }
  // An absent one among others, whose extensions stand beside it; elsewhere the validator refuses it.
  if (value === null) return [];
  const wanted = fhirTypeToJsType[type as keyof typeof fhirTypeToJsType] as string | undefined;
  if (wanted !== undefined) return typeof value === wanted ? [] : [misplaced(path, wanted)];
  if (typeof value !== 'object') return [misplaced(path, 'object')];
  const inner = schemaOf(value as JsonObject, type, schema);
  return inner === undefined ? [] : inObject(value as JsonObject, inner, path);
}

function schemaOf(value: JsonObject, type: string, schema: InternalTypeSchema): InternalTypeSchema | undefined {
  if (type === 'Resource') return tryGetDataType(String(value.resourceType));
  return schema.innerTypes.find(({ name }) => name === type) ?? tryGetDataType(type);
}

function misplaced(path: string, wanted: string): Issue {
  return { severity: 'error', code: 'structure', diagnostics: `a value here is a ${wanted}`, expression: [path] };
}
