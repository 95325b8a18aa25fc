/** What a hospital signs of a whole record it hands out: a root over every resource, as compact JWS (ES256). */
import { createHash } from 'node:crypto';

import { merkleRoot } from '@salus/chaincode/access/api';
import { compactVerify, importJWK, decodeProtectedHeader } from 'jose';

import type { JsonObject } from '../fhir/json.js';
import { SIGNATURE, type SigningKey } from '../identity/keys.js';
import { signCanonical } from '../identity/statements.js';
import type { PublicJwk } from '../settings.js';

/** What the signature of an exported record says. */
export interface RecordClaims {
  readonly v: 1;
  readonly kind: 'record';
  readonly channel: string;
  /** The hospital that keeps the record and signs. */
  readonly member: string;
  /** FHIR id of the patient there. */
  readonly patient: string;
  readonly count: number;
  /** RFC 9162 Merkle root over the SHA-256 of each entry's resource as its JSON text stands, hex. */
  readonly root: string;
  /** FHIR instant. */
  readonly at: string;
}

/** Root over entries, decimals exact. */
export function recordRoot(entries: readonly JsonObject[]): string {
  const leaves = entries.map(({ resource }) => createHash('sha256').update(JSON.stringify(resource)).digest());
  return merkleRoot(leaves).toString('hex');
}

/** Signs what is said of a record; a compact JWS. */
export async function signRecord(claims: RecordClaims, by: SigningKey): Promise<string> {
  return await signCanonical(claims, by);
}

/** What was signed, if by the key that `keyOf` gives for its key id; undefined otherwise. */
export async function signedRecord(
  jws: string,
  keyOf: (kid: string) => Pick<PublicJwk, 'kty' | 'crv' | 'x' | 'y'> | undefined,
): Promise<{ readonly claims: RecordClaims; readonly kid: string } | undefined> {
  try {
    const { kid = '' } = decodeProtectedHeader(jws);
    const known = keyOf(kid);
    if (known === undefined) return undefined;
    const { kty, crv, x, y } = known;
    const { payload } = await compactVerify(jws, await importJWK({ kty, crv, x, y }, SIGNATURE), {
      algorithms: [SIGNATURE],
    });
    return { claims: JSON.parse(Buffer.from(payload).toString('utf8')) as RecordClaims, kid };
  } catch {
    return undefined;
  }
}
