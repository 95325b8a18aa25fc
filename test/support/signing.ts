/** Keys of people and gateways in tests, and compact JWS made with them. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { canonical } from '@salus/chaincode/dist/lib/canonical.js';

/** A P-256 key that signs compact JWS. */
export class SigningKey {
  private readonly pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  constructor(readonly kid: string) {}

  /** The public half. */
  get jwk() {
    const { x = '', y = '' } = this.pair.publicKey.export({ format: 'jwk' });
    return { kty: 'EC' as const, crv: 'P-256' as const, x, y, kid: this.kid };
  }

  /** Compact JWS, ES256, over the RFC 8785 form of the payload, or over a text as it is. */
  sign(payload: object | string, header: object = {}): string {
    const part = (value: object | string) =>
      Buffer.from(typeof value === 'string' ? value : canonical(value)).toString('base64url');
    const signed = `${part({ alg: 'ES256', kid: this.kid, ...header })}.${part(payload)}`;
    const key = { key: this.pair.privateKey, dsaEncoding: 'ieee-p1363' as const };
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  }
}
