import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** ECDSA P-256 with SHA-256, as all of a member's certificates and signatures are made. */
export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A fresh P-256 key pair. */
export function keyPair() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** The key pair of a private key (PKCS#8 PEM). */
export function pairOf(pem: string) {
  return { privateKey: createPrivateKey(pem), publicKey: createPublicKey(pem) };
}

/** A private key as the certificate library takes it. */
export function webKey(key: KeyObject) {
  return key.toCryptoKey(ALGORITHM, true, ['sign']);
}

/** A public key as the certificate library takes it. */
export function verifyingKey(key: KeyObject) {
  return key.toCryptoKey(ALGORITHM, true, ['verify']);
}

/** PKCS#8 PEM. */
export function exported(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
