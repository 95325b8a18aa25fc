/** The gateway's own signing key and how others' are found. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { JWK } from 'jose';

/** JWS algorithm (RFC 7518) of all that gateways and patients sign. */
export const SIGNATURE = 'ES256';

/** A private key with its id. */
export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** Reads a private ES256 key (JWK file). Throws when it is none. */
export function readSigningKey(file: string): SigningKey {
  return signingKey(JSON.parse(readFileSync(file, 'utf8')) as JWK);
}

/** A private JWK made ready for signing. Throws when it is none of P-256 with a kid. */
export function signingKey(jwk: JWK): SigningKey {
  const { kty, crv, d, kid } = jwk;
  if (kty !== 'EC' || crv !== 'P-256' || d === undefined || kid === undefined) {
    throw new Error('the signing key must be a private P-256 JWK with a kid');
  }
  return { kid, key: createPrivateKey({ key: jwk, format: 'jwk' }) };
}
