import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { isLowS, lowS } from '@salus/network/identity/signature';
import { createSigner } from '@salus/network/identity/signer';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('signer', () => {
  it('signs with s in the lower half, verifiable with the public key', () => {
    const signer = createSigner('StmaryMSP', 'certificate', keyPem);
    for (let i = 0; i < 64; i++) {
      const message = Buffer.from(`message ${i}`);
      const signature = signer.sign(message);
      assert.ok(isLowS(signature));
      assert.ok(verify('sha256', message, publicKey, signature));
    }
  });

  it('takes no key of another curve', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const pem = other.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    assert.throws(() => createSigner('StmaryMSP', 'certificate', pem), /P-256/);
  });

  it('turns a high s into the low one of the same signature', () => {
    const message = Buffer.from('salus');
    let high = sign('sha256', message, privateKey);
    while (isLowS(high)) high = sign('sha256', message, privateKey);
    const low = lowS(high);
    assert.ok(isLowS(low));
    assert.ok(verify('sha256', message, publicKey, low));
  });

  it('takes nothing else for a signature', () => {
    for (const bytes of ['', '3000', '300602010102010100', '3006020101030101']) {
      assert.equal(isLowS(Buffer.from(bytes, 'hex')), false, bytes);
      assert.throws(() => lowS(Buffer.from(bytes, 'hex')), /not a DER-encoded ECDSA signature/);
    }
  });
});
