import { hash, verify, type KeyObject } from 'node:crypto';
import { isLowS } from '../../identity/signature.js';

/** Signatures remembered as good; two generations of this many. */
const MEMO_LIMIT = 20_000;

let young = new Set<string>();
let old = new Set<string>();

/**
 * Verifies ECDSA P-256 with SHA-256; a high-S signature is refused as Fabric refuses it. What was verified once in this
 * process (an envelope at the orderer, an endorsement at the gateway) is remembered by message digest, signature and
 * key, since every block would ask again.
 */
export function verifyOnce(keyId: string, key: KeyObject, message: Buffer, signature: Buffer): boolean {
  const memo = hash('sha256', message, 'base64') + keyId + signature.toString('latin1');
  if (young.has(memo)) return true;
  const good = old.has(memo) || (isLowSignature(signature) && verify('sha256', message, key, signature));
  if (good) remember(memo);
  return good;
}

function isLowSignature(signature: Buffer): boolean {
  try {
    return isLowS(signature);
  } catch {
    return false;
  }
}

function remember(memo: string): void {
  if (young.size >= MEMO_LIMIT) {
    old = young;
    young = new Set();
  }
  young.add(memo);
}
