/** Signing keys of patients who have no device of their own: what they sign counts as their custodian's word. */
import { createHash, generateKeyPairSync } from 'node:crypto';

import type { JWK } from 'jose';

import type { PublicJwk } from '../settings.js';
import type { KeyStore } from './key-store.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS signing_keys (
  patient TEXT PRIMARY KEY, kid TEXT NOT NULL, public TEXT NOT NULL, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
`;

/** The custodial keys of a member's patients, by FHIR id, in keys.db. */
export class Wallet {
  constructor(private readonly store: KeyStore) {
    store.database.exec(SCHEMA);
  }

  /** The patient's public key; made at first use. */
  publicKey(patient: string): PublicJwk {
    const known = this.#find(patient);
    if (known !== undefined) return JSON.parse(known.public as string) as PublicJwk;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' });
    const kid = createHash('sha256')
      .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
      .digest('base64url');
    const key: PublicJwk = { kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig' };
    const sealed = this.store.seal.seal(Buffer.from(JSON.stringify({ ...key, d })), useOf(patient));
    this.store.database
      .prepare('INSERT OR IGNORE INTO signing_keys VALUES (?, ?, ?, ?)')
      .run(patient, kid, JSON.stringify(key), sealed);
    const kept = this.#find(patient);
    return JSON.parse(kept?.public as string) as PublicJwk;
  }

  /** The patient's private key, to sign one statement with; made at first use. */
  privateKey(patient: string): JWK {
    this.publicKey(patient);
    const sealed = this.#find(patient)?.sealed as Uint8Array;
    return JSON.parse(this.store.seal.open(sealed, useOf(patient)).toString('utf8')) as JWK;
  }

  /** Deletes the patient's key: nothing is signed for the patient any more. */
  destroy(patient: string): void {
    this.store.database.prepare('DELETE FROM signing_keys WHERE patient = ?').run(patient);
  }

  #find(patient: string): Record<string, unknown> | undefined {
    return this.store.database.prepare('SELECT public, sealed FROM signing_keys WHERE patient = ?').get(patient);
  }
}

function useOf(patient: string): string {
  return `signing-key/${patient}`;
}
