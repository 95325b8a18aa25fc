/** What malformed requests are made of. */

/** One request, byte for byte. */
export interface Garbage {
  readonly method: string;
  /** Below the FHIR base; `{patient}` stands for the id of one. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Uniform in [0, 1). */
export type Random = () => number;
/** Makes requests that are wrong in one way. */
export type Kind = (random: Random) => Garbage;

export const pick = <T>(random: Random, list: readonly T[]): T => {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
};

export const JSON_TYPE = { 'content-type': 'application/fhir+json' };
export const PATCH_TYPE = { 'content-type': 'application/json-patch+json' };
export const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

export const patientText = '{"resourceType":"Patient","name":[{"family":"GARBAGE"}],"birthDate":"1970-01-01"}';
export const post = (path: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Garbage => ({
  ...{ method: 'POST', path, body },
  headers: { ...JSON_TYPE, ...headers },
});

/** JSON values of every kind, some deep, some of them sharp. */
export function anything(random: Random, depth = 0): unknown {
  const flat = [null, true, 0, -1, 1e308, '', 'x', '\u0000', '../..', '${x}', "'; DROP", 'é'.repeat(50), {}, []];
  if (depth > 3 || random() < 0.6) return pick(random, flat);
  if (random() < 0.5) return Array.from({ length: Math.floor(random() * 4) }, () => anything(random, depth + 1));
  const names = ['id', 'meta', 'text', 'extension', 'contained', 'resourceType', 'reference', 'constructor', 'value'];
  return Object.fromEntries(names.filter(() => random() < 0.3).map((name) => [name, anything(random, depth + 1)]));
}
