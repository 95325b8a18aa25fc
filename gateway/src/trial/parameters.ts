/** FHIR Parameters as the trials' operations read them. */
import type { JsonObject } from '../fhir/json.js';
import { Refusal } from '../ledger/refusal.js';

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
export function parametersOf(resource: JsonObject): Given {
  if (resource.resourceType !== 'Parameters') {
    throw new Refusal('invalid', 'structure', 'the body is a Parameters resource');
  }
  const list = Array.isArray(resource.parameter) ? (resource.parameter as readonly JsonObject[]) : [];
  const texts = (name: string): readonly string[] =>
    list.filter((each) => each.name === name).flatMap((each) => stringOf(each.valueString ?? each.valueCode));
  return {
    texts,
    text: (name) => demand(texts(name)[0], name, 'valueString'),
    number: (name) => {
      const value = list.find((each) => each.name === name)?.valueInteger;
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
