/** Compact JWS (RFC 7515) signed with ES256 (RFC 7518 section 3.4). Verification only: it is deterministic. */
import { createPublicKey, verify } from 'node:crypto';
import type { PublicJwk } from './schema';

/** A JWS taken apart; nothing in it is believed before `isSignedBy`. */
export interface Jws {
  readonly header: Readonly<Record<string, unknown>>;
  /** UTF-8 text of the payload. */
  readonly payload: string;
  readonly signed: string;
  readonly signature: Buffer;
}

/** Takes a compact JWS apart; undefined where it is none, or in another encoding than its own. */
export function parseJws(compact: string): Jws | undefined {
  const [head = '', body = '', tail = '', ...rest] = compact.split('.');
  const [header, payload, signature] = [head, body, tail].map(decode);
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return undefined;
  const fields = objectOf(header.toString('utf8'));
  if (fields === undefined || signature.length !== 64) return undefined;
  return { header: fields, payload: payload.toString('utf8'), signed: `${head}.${body}`, signature };
}

/** Whether this key made the signature, with the algorithm and the key id that the header names. */
export function isSignedBy(jws: Jws, jwk: PublicJwk): boolean {
  if (jws.header.alg !== 'ES256' || jws.header.kid !== jwk.kid || 'crit' in jws.header) return false;
  const { kty, crv, x, y } = jwk;
  try {
    const key = createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' });
    return verify('sha256', Buffer.from(jws.signed), { key, dsaEncoding: 'ieee-p1363' }, jws.signature);
  } catch {
    return false; // a point that is not on the curve
  }
}

function decode(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined;
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
