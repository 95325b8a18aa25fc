/** What operations are given and what they answer: Parameters (R4 parameters.html). */
import { Refusal } from '../ledger/refusal.js';
import { parseBody, type JsonObject } from './json.js';
import type { FhirResponse } from './request.js';

/** The first parameter of a name in a Parameters resource. */
export function parameterOf(resource: JsonObject, name: string): JsonObject | undefined {
  return named(resource, name)[0];
}

/** The resource of a type that a parameter carries. Throws Refusal invalid where it does not. */
export function demandResource(resource: JsonObject, name: string, type: string): JsonObject {
  const found = parameterOf(resource, name)?.resource as JsonObject | null | undefined;
  if (found?.resourceType === type) return found;
  throw new Refusal('invalid', 'structure', `Parameters needs ${name} with a ${type} as its resource`);
}

/** The parts of every parameter of a name, each as Parameters of its own. */
export function partsOf(resource: JsonObject, name: string): readonly JsonObject[] {
  return named(resource, name).map(({ part }) => ({ resourceType: 'Parameters', parameter: part }));
}

function named({ parameter }: JsonObject, name: string): readonly JsonObject[] {
  const list = Array.isArray(parameter) ? (parameter as readonly (JsonObject | null)[]) : [];
  return list.filter((each): each is JsonObject => each?.name === name);
}

/** A parameter's value by its name and type; undefined where it has none. */
export type ReadParameter = (
  name: string,
  type: 'valueCode' | 'valueString' | 'valueBoolean',
) => string | boolean | undefined;

/** Reader over a body. Throws Refusal when it is no Parameters. */
export function parametersOf(body: string | undefined): ReadParameter {
  const resource = parseBody(body ?? '').plain as JsonObject | null;
  if (resource?.resourceType !== 'Parameters' || !Array.isArray(resource.parameter)) {
    throw new Refusal('invalid', 'structure', 'send Parameters with a list of parameter');
  }
  return (name, type) => {
    const value = parameterOf(resource, name)?.[type];
    return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
  };
}

/** Values by their parameter's name. */
export interface Given {
  /** The one value, a string. Throws Refusal invalid where it is absent. */
  text(name: string): string;
  /** The one value, a whole number. Throws Refusal invalid where it is absent. */
  number(name: string): number;
  /** Every value of a repeating parameter. */
  texts(name: string): readonly string[];
}

/** Reads Parameters whose values are valueString, valueCode or valueInteger. Throws Refusal invalid. */
export function givenOf(resource: JsonObject): Given {
  if (resource.resourceType !== 'Parameters') {
    throw new Refusal('invalid', 'structure', 'the body is a Parameters resource');
  }
  const texts = (name: string): readonly string[] =>
    named(resource, name).flatMap((each) => stringOf(each.valueString ?? each.valueCode));
  return {
    texts,
    text: (name) => demand(texts(name)[0], name, 'valueString'),
    number: (name) => {
      const value = parameterOf(resource, name)?.valueInteger;
      return demand(typeof value === 'number' ? value : undefined, name, 'valueInteger');
    },
  };
}

function stringOf(value: unknown): readonly string[] {
  return typeof value === 'string' ? [value] : [];
}

function demand<T>(value: T | undefined, name: string, as: string): T {
  if (value === undefined) throw new Refusal('invalid', 'structure', `Parameters needs ${name} as ${as}`);
  return value;
}

/** An answer of strings by their names; undefined ones are left out. */
export function parametersAnswer(
  status: number,
  values: Readonly<Record<string, string | undefined>>,
  headers: Readonly<Record<string, string>> = {},
): FhirResponse {
  const parameter = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, valueString]) => ({ name, valueString }));
  return { status, headers, resource: { resourceType: 'Parameters', parameter } };
}
