/** Signs with node's own P-256, about ten times as fast as the client's stock signer; Fabric wants the low-S form. */
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';

import type { Signer } from '@hyperledger/fabric-gateway';

/** Order n of the curve P-256 and its half. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const HALF_ORDER = ORDER / 2n;
const SCALAR_BYTES = 32;

/** A signer over whole messages (SHA-256 inside: use with `hash.none`). Throws when the key is not on P-256. */
export function nativeSigner(pem: string): Signer {
  const sign = messageSigner(pem);
  return (message) => Promise.resolve(sign(message));
}

/** As nativeSigner, without a promise: DER ECDSA-SHA256 signature in low-S form. */
export function messageSigner(pem: string): (message: Uint8Array) => Uint8Array {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('the identity key must be EC P-256');
  return (message) => signLowS(key, message);
}

function signLowS(key: KeyObject, message: Uint8Array): Uint8Array {
  const raw = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
  const s = BigInt(`0x${raw.toString('hex', SCALAR_BYTES)}`);
  const low = s > HALF_ORDER ? scalarBytes(ORDER - s) : raw.subarray(SCALAR_BYTES);
  return derSignature(raw.subarray(0, SCALAR_BYTES), low);
}

function scalarBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex');
}

function derSignature(r: Uint8Array, s: Uint8Array): Uint8Array {
  const body = Buffer.concat([derInteger(r), derInteger(s)]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

function derInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const trimmed = bytes.subarray(start);
  const padded = (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : Buffer.from(trimmed);
  return Buffer.concat([Buffer.from([0x02, padded.length]), padded]);
}
