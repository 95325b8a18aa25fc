/** A data logger as the demo's cold room has one: it signs what it read. */
import { calculateJwkThumbprint, CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose';

/** Minutes between two readings. */
const EVERY = 10;

/** A logger with a key of its own. */
export interface DemoLogger {
  /** Its public key, to be registered. */
  readonly jwk: JWK;
  /** Compact JWS over readings in degrees Celsius that ended just now. */
  readonly signed: (degrees: readonly number[]) => Promise<string>;
}

/** A logger that nobody registered yet. */
export async function demoLogger(): Promise<DemoLogger> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const { kty, crv, x, y } = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint({ kty, crv, x, y } as JWK);
  return {
    jwk: { kty, crv, x, y, kid } as JWK,
    signed: async (degrees) => {
      const from = new Date(Date.now() - degrees.length * EVERY * 60_000).toISOString();
      const batch = { from, every: EVERY, readings: degrees.map((each) => Math.round(each * 1_000)) };
      const payload = new TextEncoder().encode(JSON.stringify(batch));
      return await new CompactSign(payload).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
    },
  };
}
