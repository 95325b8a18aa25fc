import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';

import { messageSigner } from '@salus/gateway/ledger/signer';

const HALF_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n / 2n;

/** The s of a DER signature. */
function scalarOf(signature: Uint8Array): bigint {
  const bytes = Buffer.from(signature);
  const start = 4 + bytes[3]!;
  return BigInt(`0x${bytes.subarray(start + 2, start + 2 + bytes[start + 1]!).toString('hex')}`);
}

describe("the gateway's signer", () => {
  it('makes signatures that verify, always in low-S form', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const sign = messageSigner(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
    for (let index = 0; index < 300; index += 1) {
      const message = Buffer.from(`message ${index}`);
      const signature = sign(message);
      assert.ok(verify('sha256', message, publicKey, signature));
      assert.ok(scalarOf(signature) <= HALF_ORDER);
    }
  });

  it('takes no key of another curve', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    assert.throws(() => messageSigner(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()), /P-256/);
  });
});
