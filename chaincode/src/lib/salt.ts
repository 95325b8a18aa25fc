/** Salts of private records. Pure: the gateways derive them, too. */
import { createHmac, createSecretKey } from 'node:crypto';

/**
 * The salt of one record that a request writes, hex: HMAC-SHA256 of its ledger key under the request's 256 random bits
 * (hex), so that one request may write several records and no two share a salt.
 */
export function saltOf(requestSalt: string, key: string): string {
  // From bytes, an HMAC spends most of its time on finding out that they are no key object.
  return createHmac('sha256', createSecretKey(requestSalt, 'hex')).update(key).digest('hex');
}
