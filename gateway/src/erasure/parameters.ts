/** Reads and writes the Parameters of the operations around erasure (R4 parameters.html). */
import { parseBody, type JsonObject } from '../fhir/json.js';
import type { FhirResponse } from '../fhir/request.js';
import { Refusal } from '../ledger/refusal.js';

interface Parameter {
  readonly name?: string;
  readonly valueCode?: unknown;
  readonly valueString?: unknown;
  readonly valueBoolean?: unknown;
}

/** A parameter's value by its name and type; undefined where it has none. */
export type ReadParameter = (
  name: string,
  type: 'valueCode' | 'valueString' | 'valueBoolean',
) => string | boolean | undefined;

/** Reader over a body. Throws Refusal when it is no Parameters. */
export function parametersOf(body: string | undefined): ReadParameter {
  const { resourceType, parameter } = parseBody(body ?? '').plain as JsonObject;
  if (resourceType !== 'Parameters' || !Array.isArray(parameter)) {
    throw new Refusal('invalid', 'structure', 'send Parameters with a list of parameter');
  }
  return (name, type) => {
    const value = (parameter as readonly Parameter[]).find((each) => each.name === name)?.[type];
    return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
  };
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
