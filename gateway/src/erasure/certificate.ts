/** The certificate of an erasure: compact JWS (ES256) by the member's key in the registry; verifies without a server. */
import { createHash } from 'node:crypto';

import { merkleRoot } from '@salus/chaincode/access/api';

import type { SigningKey } from '../identity/keys.js';
import { signCanonical } from '../identity/statements.js';
import type { Act, Basis } from './rules.js';

/** What a certificate says; no FHIR id and no pid. */
export interface CertificateClaims {
  readonly v: 1;
  readonly kind: 'erasure';
  readonly channel: string;
  readonly member: string;
  readonly erasureId: string;
  readonly basis: Basis;
  readonly asked: Act;
  readonly approved: Act;
  /** Transaction that announced it; its public value `erasure/<erasureId>` holds `root` and the number of keys. */
  readonly announced: string;
  /** Transactions that purged, in the order of `keyHashes`. */
  readonly purged: readonly string[];
  /** Hashes of the purged keys, hex, as the blocks show them. */
  readonly keyHashes: readonly string[];
  /** RFC 9162 Merkle root over `keyHashes`. */
  readonly root: string;
  /** FHIR instant. */
  readonly completed: string;
}

/** Hash of a ledger key as blocks show it, hex. */
export function keyHashOf(ledgerKey: string): string {
  return createHash('sha256').update(ledgerKey).digest('hex');
}

/** Root over key hashes, hex. */
export function rootOf(keyHashes: readonly string[]): string {
  return merkleRoot(keyHashes.map((hash) => Buffer.from(hash, 'hex'))).toString('hex');
}

/** Signs a certificate. */
export async function signCertificate(claims: CertificateClaims, by: SigningKey): Promise<string> {
  return await signCanonical(claims, by);
}
