/** Statements: what a person signs, as compact JWS (RFC 7515, ES256) over the RFC 8785 form of a resource. */
import { createPublicKey, sign, verify, type JsonWebKey, type KeyObject } from 'node:crypto';

import { parseJws } from '@salus/chaincode/access/api';
import canonicalize from 'canonicalize';
import { decodeProtectedHeader } from 'jose';

import { SIGNATURE, type SigningKey } from './keys.js';

/**
 * The key, told to write a signature's two numbers as RFC 7518 section 3.4 does. Node finds out that an object around a
 * key is none by failing on it, which takes as long as signing.
 */
function asJws(key: KeyObject): KeyObject {
  return Object.assign(key, { dsaEncoding: 'ieee-p1363' });
}

/** What a statement is about; signed with it, beside the payload, which stays the resource. */
export interface StatementSubject {
  readonly channel: string;
  readonly consent: string;
  readonly version: number;
  /** The version it replaces; null for the first. */
  readonly replaces: number | null;
}

/** Signs a resource in its RFC 8785 form. */
export async function signStatement(resource: object, subject: StatementSubject, by: SigningKey): Promise<string> {
  return await signCanonical(resource, by, { salus: { ...subject } });
}

/** Signs the RFC 8785 form of what is said; `header` is signed with it. */
export function signCanonical(
  content: object,
  by: SigningKey,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return Promise.resolve(signCompact(canonicalForm(content), by, header));
}

/** Signs a text as compact JWS; natively, since a door is asked with one such signature for every page. */
export function signCompact(text: string, by: SigningKey, header: Readonly<Record<string, unknown>> = {}): string {
  const head = JSON.stringify({ alg: SIGNATURE, kid: by.kid, ...header });
  const signed = `${Buffer.from(head).toString('base64url')}.${Buffer.from(text).toString('base64url')}`;
  const signature = sign('sha256', Buffer.from(signed), asJws(by.key));
  return `${signed}.${signature.toString('base64url')}`;
}

/** What a compact JWS says, if this key signed it; what the contracts take for none is none here. */
export function saysWith(jwk: object, compact: string): string | undefined {
  const jws = parseJws(compact);
  if (jws === undefined) return undefined;
  const isSigned = verify('sha256', Buffer.from(jws.signed), publicKeyOf(jwk as JsonWebKey), jws.signature);
  return isSigned ? jws.payload : undefined;
}

/** Public keys kept ready at most. */
const MOST_READY = 1_000;
/** By their point: a door verifies with the same few all the time, and making one costs half a verification. */
const READY = new Map<string, KeyObject>();

function publicKeyOf(jwk: JsonWebKey): KeyObject {
  const { kty, crv, x, y } = jwk;
  const point = kty === 'EC' && x !== undefined && y !== undefined ? `${crv}/${x}/${y}` : undefined;
  const known = point === undefined ? undefined : READY.get(point);
  if (known !== undefined) return known;
  const key = asJws(createPublicKey({ key: jwk, format: 'jwk' }));
  if (READY.size >= MOST_READY) READY.clear();
  if (point !== undefined) READY.set(point, key);
  return key;
}

/** RFC 8785 form of a resource. */
export function canonicalForm(resource: object): string {
  const text = canonicalize(resource);
  if (text === undefined) throw new Error('the resource has no JSON form');
  return text;
}

/** The key id and subject a statement claims, unchecked; undefined when it is no statement. */
export function readStatement(
  statement: string,
): { readonly kid: string; readonly subject: StatementSubject } | undefined {
  try {
    const { alg, kid, salus } = decodeProtectedHeader(statement) as { alg?: string; kid?: string; salus?: unknown };
    if (alg !== SIGNATURE || kid === undefined || typeof salus !== 'object' || salus === null) return undefined;
    return { kid, subject: salus as StatementSubject };
  } catch {
    return undefined;
  }
}
