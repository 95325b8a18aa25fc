import type { JsonObject } from './canonical';
import { refuseCall } from './refusal';

/** Turns unknown input into a T or throws `invalid-request` naming the field; never repeats the value. */
export type Parser<T> = (value: unknown, path: string) => T;

/** Largest JSON text of one request, in UTF-16 code units. */
export const MAX_REQUEST_CHARACTERS = 16 * 1024 * 1024;

/** JSON text to value; the text is never repeated in the refusal, as JSON.parse would. */
export function parseJson(text: string, path: string): unknown {
  if (text.length > MAX_REQUEST_CHARACTERS) throw invalid(path, `is longer than ${MAX_REQUEST_CHARACTERS} characters`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalid(path, 'is not JSON');
  }
}

/** JSON text to a T: an argument, or an entry of the transient map. */
export function parseText<T>(parser: Parser<T>, text: string, path = 'request'): T {
  return parser(parseJson(text, path), path);
}

/** An object with exactly these members; an unknown one is refused, an absent optional one stays absent. */
export function object<T extends object>(fields: { readonly [K in keyof T]-?: Parser<T[K]> }): Parser<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, path) => {
    const input = plainObject(value, path);
    if (Object.keys(input).some((key) => !names.includes(key as keyof T & string))) {
      throw invalid(path, `has a member that is none of ${names.join(', ')}`);
    }
    const output: Partial<T> = {};
    for (const name of names) {
      const parsed = fields[name](input[name], `${path}.${name}`);
      if (parsed !== undefined) output[name] = parsed;
    }
    return output as T;
  };
}

/** A member that may be absent (not null). */
export function optional<T>(parser: Parser<T>): Parser<T | undefined> {
  return (value, path) => (value === undefined ? undefined : parser(value, path));
}

/** A string matching the pattern, which `what` says in words. */
export function text(pattern: RegExp, what: string): Parser<string> {
  return (value, path) => {
    if (typeof value !== 'string' || !pattern.test(value)) throw invalid(path, `must be ${what}`);
    return value;
  };
}

/** One of a closed list of strings. */
export function oneOf<const T extends string>(...choices: readonly T[]): Parser<T> {
  return (value, path) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw invalid(path, `must be one of ${choices.join(', ')}`);
    return found;
  };
}

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number): Parser<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw invalid(path, `must be a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

/** A list of `least` to `most` items. */
export function list<T>(item: Parser<T>, least: number, most: number): Parser<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) {
      throw invalid(path, `must be a list of ${least} to ${most} items`);
    }
    return value.map((entry, index) => item(entry, `${path}[${index}]`));
  };
}

/** Any JSON object whose text has at most `most` characters. */
export function document(most: number): Parser<JsonObject> {
  return (value, path) => {
    const found = plainObject(value, path);
    if (JSON.stringify(found).length > most) throw invalid(path, `is longer than ${most} characters`);
    return found as JsonObject;
  };
}

/** true or false. */
export const flag: Parser<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw invalid(path, 'must be true or false');
  return value;
};
/** 256 random or hashed bits, as 64 lower-case hexadecimal digits. */
export const hex256 = text(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');
/** A member's short name. */
export const memberName = text(/^[a-z][a-z0-9-]{0,31}$/, "a member's name: lower-case letters, digits, hyphens");
/** FHIR id. */
export const fhirId = text(/^[A-Za-z0-9.-]{1,64}$/, 'a FHIR id');
/** A code of a code system: no white space, no free text. */
export const code = text(/^[A-Za-z0-9._:-]{1,64}$/, 'a code of at most 64 letters, digits, dots, hyphens');
/** FHIR instant in UTC, milliseconds: as text in the order of time. */
export const instant = text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'an instant such as 2026-01-31T09:30:00.000Z');
/** A key's identifier in a JSON Web Key. */
export const keyId = text(/^[A-Za-z0-9._~-]{1,128}$/, 'a key id of at most 128 URL-safe characters');
/**
 * Unpadded base64url of so many characters. It looks for a wrong character rather than for a run of right ones: on text
 * of megabytes the latter overflows the stack of the regular expression.
 */
export function base64url(least: number, most: number): Parser<string> {
  return (value, path) => {
    const isRight = typeof value === 'string' && value.length >= least && value.length <= most;
    if (!isRight || /[^A-Za-z0-9_-]/.test(value)) {
      throw invalid(path, `must be ${least} to ${most} characters of base64url without padding`);
    }
    return value;
  };
}

/** Longest compact JWS, characters. */
export const MAX_JWS_CHARACTERS = 120_000;

/** Compact JWS of at most so many characters: three parts in base64url, the last a signature of 64 bytes. */
export function compactJwsOf(most: number): Parser<string> {
  return (value, path) => {
    const parts = typeof value === 'string' && value.length <= most ? value.split('.') : [];
    if (parts.length !== 3) throw invalid(path, `must be a compact JWS of at most ${most} characters`);
    const [header, payload, signature] = parts;
    base64url(1, most)(header, path);
    base64url(1, most)(payload, path);
    base64url(86, 86)(signature, path);
    return parts.join('.');
  };
}

/** Compact JWS of a statement. */
export const compactJws: Parser<string> = compactJwsOf(MAX_JWS_CHARACTERS);

/** Public half of a P-256 key (RFC 7517). */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly alg?: 'ES256' | undefined;
  readonly use?: 'sig' | undefined;
}

const coordinate = text(/^[A-Za-z0-9_-]{43}$/, '43 base64url characters');

/** Parser of a PublicJwk: a private member (`d`) is refused like any unknown one. */
export const publicJwk: Parser<PublicJwk> = object<PublicJwk>({
  kty: oneOf('EC'),
  crv: oneOf('P-256'),
  x: coordinate,
  y: coordinate,
  kid: keyId,
  alg: optional(oneOf('ES256')),
  use: optional(oneOf('sig')),
});

function plainObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw invalid(path, 'must be an object');
  return value as Readonly<Record<string, unknown>>;
}

function invalid(path: string, problem: string): Error {
  return refuseCall('invalid-request', `${path} ${problem}`);
}
