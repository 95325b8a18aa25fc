/** The gateway's own signing key and how others' are found. */
import { readFileSync } from 'node:fs';

import { importJWK, type CryptoKey, type JWK } from 'jose';

/** JWS algorithm (RFC 7518) of all that gateways and patients sign. */
export const SIGNATURE = 'ES256';

/** A private key with its id. */
export interface SigningKey {
  readonly kid: string;
  readonly key: CryptoKey;
}

/** Reads a private ES256 key (JWK file). Throws when it is none. */
export async function readSigningKey(file: string): Promise<SigningKey> {
  return await signingKey(JSON.parse(readFileSync(file, 'utf8')) as JWK);
}

/** A private JWK made ready for signing. */
export async function signingKey(jwk: JWK): Promise<SigningKey> {
  if (jwk.kty !== 'EC' || jwk.crv !== 'P-256' || jwk.d === undefined || jwk.kid === undefined) {
    throw new Error('the signing key must be a private P-256 JWK with a kid');
  }
  return { kid: jwk.kid, key: await asKey(jwk) };
}

/** A public or private P-256 JWK as jose takes it. */
export async function asKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK({ ...jwk }, SIGNATURE);
  if (key instanceof Uint8Array) throw new Error('not an EC key');
  return key;
}
