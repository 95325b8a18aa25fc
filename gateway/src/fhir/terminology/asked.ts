/** What a terminology operation is given, by GET or as Parameters by POST (R4 operations.html#request). */
import { Refusal } from '../../ledger/refusal.js';
import { resourceBody } from '../body.js';
import type { JsonObject } from '../json.js';
import type { FhirRequest } from '../request.js';
import { handlingOf } from '../search.js';
import { requireValid } from '../validate.js';

/** R4 Coding, as far as it is read. */
export interface Coding {
  readonly system?: string;
  readonly version?: string;
  readonly code?: string;
  readonly display?: string;
}

/** What says how an answer is written, and is no parameter of an operation. */
const RESULT = new Set(['_format', '_pretty', '_summary', '_elements']);

/** Reads the parameters of one request. */
export class Asked {
  readonly #given: readonly JsonObject[];

  /** Throws Refusal for a parameter that is none of these, unless it is to be handled leniently. */
  constructor(request: FhirRequest, names: readonly string[]) {
    this.#given = [...inQuery(request), ...inBody(request)];
    const known = new Set(names);
    const unknown = this.#given.map(({ name }) => String(name)).find((name) => !known.has(name));
    if (unknown !== undefined && handlingOf(request) === 'strict') {
      throw new Refusal(
        'invalid',
        'unknown-parameter',
        `the operation has no parameter '${unknown.slice(0, 80)}' here`,
      );
    }
  }

  /** The first value of a name, whatever its type. Throws Refusal where it is no text. */
  text(name: string): string | undefined {
    return this.texts(name)[0];
  }

  texts(name: string): string[] {
    return this.#valuesOf(name).map((value) => {
      if (typeof value === 'string') return value;
      if (typeof value === 'number' || typeof value === 'boolean') return String(value);
      throw new Refusal('invalid', 'bad-value', `${name} is a text`);
    });
  }

  /** A whole number that is not negative. Throws Refusal. */
  number(name: string): number | undefined {
    const value = this.text(name);
    if (value !== undefined && !/^\d{1,9}$/.test(value))
      throw new Refusal('invalid', 'bad-value', `${name} is a whole number`);
    return value === undefined ? undefined : Number(value);
  }

  flag(name: string): boolean {
    const value = this.text(name) ?? 'false';
    if (value !== 'true' && value !== 'false') throw new Refusal('invalid', 'bad-value', `${name} is true or false`);
    return value === 'true';
  }

  /** The resource of a type that a parameter carries. Throws Refusal for another, or one that is not valid. */
  resource(name: string, type: string): JsonObject | undefined {
    const found = this.#given.find((each) => each.name === name);
    if (found === undefined) return undefined;
    const { resource } = found as { readonly resource?: JsonObject | null };
    if (resource?.resourceType !== type) {
      throw new Refusal('invalid', 'structure', `${name} has a ${type} as its resource`);
    }
    requireValid(resource);
    return resource;
  }

  /** The codings that code and system, coding, or codeableConcept give. Throws Refusal where nothing does. */
  codings(systemName = 'system', versionName = 'version'): readonly Coding[] {
    const [coding] = this.#valuesOf('coding') as readonly Coding[];
    if (coding !== undefined) return [coded(coding)];
    const [concept] = this.#valuesOf('codeableConcept') as readonly { readonly coding?: readonly Coding[] }[];
    if (concept !== undefined) return (Array.isArray(concept.coding) ? (concept.coding as Coding[]) : []).map(coded);
    const [code, system, version, display] = ['code', systemName, versionName, 'display'].map((name) =>
      this.text(name),
    );
    if (code === undefined) throw new Refusal('invalid', 'structure', 'give code, coding or codeableConcept');
    const given = { code, system, version, display };
    return [Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))];
  }

  /** The coding under one name, or the code under another. Throws Refusal where neither is given. */
  coding(name: string, codeName: string): Coding {
    const [coding] = this.#valuesOf(name);
    if (coding !== undefined) return coded(coding);
    const code = this.text(codeName);
    if (code === undefined) throw new Refusal('invalid', 'structure', `give ${codeName} or ${name}`);
    return { code };
  }

  #valuesOf(name: string): unknown[] {
    return this.#given
      .filter((each) => each.name === name)
      .flatMap((each) => Object.entries(each).flatMap(([key, value]) => (key.startsWith('value') ? [value] : [])));
  }
}

/** Throws Refusal for what is no Coding with a code. */
function coded(value: unknown): Coding {
  const coding = (value ?? {}) as Coding;
  const texts = [coding.code, coding.system ?? '', coding.version ?? '', coding.display ?? ''] as unknown[];
  if (texts.every((each) => typeof each === 'string')) return coding;
  throw new Refusal('invalid', 'structure', 'a coding has a code, and texts alone');
}

function inQuery({ query }: FhirRequest): JsonObject[] {
  return [...query].filter(([name]) => !RESULT.has(name)).map(([name, valueString]) => ({ name, valueString }));
}

function inBody(request: FhirRequest): JsonObject[] {
  if (request.method !== 'POST' || (request.body ?? '') === '') return [];
  const { resourceType, parameter = [] } = resourceBody(request).plain;
  const isList = Array.isArray(parameter) && parameter.every((each) => typeof each === 'object' && each !== null);
  if (resourceType !== 'Parameters' || !isList)
    throw new Refusal('invalid', 'structure', 'send Parameters with a list of parameter');
  return parameter as JsonObject[];
}
