import type { JsonObject } from '@salus/gateway/fhir/json';
import type { FhirResponse } from '@salus/gateway/fhir/request';
import type { Actor } from '@salus/gateway/ports';

import type { Hospital } from '../support/sharing-world.js';

const base = { role: 'physician', scopes: ['user/*.cruds'] };
/** Staff of stmary who write Ann's record. */
export const adams: Actor = { ...base, member: 'stmary', user: 'u-adams', purpose: 'TREAT' };
/** A physician of northside in an emergency. */
export const baker: Actor = { ...base, member: 'northside', user: 'u-baker', purpose: 'BTG' };
export const officer: Actor = { ...adams, user: 'u-olsen', role: 'privacy-officer', purpose: 'HCOMPL' };
export const ann: Actor = { ...adams, user: 'p-ann', role: 'patient', purpose: 'PATRQT', patient: 'ann' };

export interface Said {
  readonly status: number;
  readonly resource: JsonObject;
}

/** Asks a hospital's own operations, Parameters by their values. */
export async function ask(
  hospital: Hospital,
  line: string,
  actor: Actor,
  values: Readonly<Record<string, string | boolean>> = {},
): Promise<Said> {
  const [method = '', path = ''] = line.split(' ');
  const codes = ['reason', 'outcome'];
  const nameOf = (name: string, value: unknown): string =>
    typeof value === 'boolean' ? 'valueBoolean' : codes.includes(name) ? 'valueCode' : 'valueString';
  const parameter = Object.entries(values).map(([name, value]) => ({ name, [nameOf(name, value)]: value }));
  const body = JSON.stringify({ resourceType: 'Parameters', parameter });
  const fhir = hospital.sharing.logged(() => Promise.resolve<FhirResponse>({ status: 599, headers: {} }));
  const asked = { method, path, query: new URLSearchParams(), headers: {}, actor };
  const { status, resource = {} } = await fhir(method === 'POST' ? { ...asked, body } : asked);
  return { status, resource: typeof resource === 'string' ? (JSON.parse(resource) as JsonObject) : resource };
}

/** `Type/id` of a Bundle's resources. */
export const namesIn = ({ resource }: Said): string[] =>
  ((resource.entry ?? []) as { resource: { resourceType: string; id?: string } }[])
    .filter((entry) => entry.resource.id !== undefined)
    .map((entry) => `${entry.resource.resourceType}/${entry.resource.id ?? ''}`);
