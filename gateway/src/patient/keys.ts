/** Keys this member registered for its patients, kept in its own store: what the ledger says of them is not believed. */
import { randomBytes } from 'node:crypto';

import { transactions, type KeyHolder, type RegisterKey } from '@salus/chaincode/patient/api';

import type { KeyStore } from '../keys/key-store.js';
import { Refusal } from '../ledger/refusal.js';
import type { Actor, Commit, Ledger } from '../ports.js';
import type { PublicJwk } from '../settings.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS patient_signing_keys (
  pid TEXT NOT NULL, kid TEXT NOT NULL, jwk TEXT NOT NULL, holder TEXT NOT NULL, active INTEGER NOT NULL,
  PRIMARY KEY (pid, kid)) STRICT, WITHOUT ROWID;
`;

/** The registered keys, in keys.db. */
export class PatientKeys {
  constructor(
    private readonly store: KeyStore,
    private readonly ledger: Pick<Ledger, 'submit'>,
  ) {
    store.database.exec(SCHEMA);
  }

  /** The public key, if this member registered it for the patient and did not revoke it. */
  active(pid: string, kid: string): PublicJwk | undefined {
    const row = this.store.database
      .prepare('SELECT jwk FROM patient_signing_keys WHERE pid = ? AND kid = ? AND active = 1')
      .get(pid, kid);
    return row === undefined ? undefined : (JSON.parse(row.jwk as string) as PublicJwk);
  }

  /** Registers a key here and in `care`; again changes nothing. `actor` is staff of this member. Throws Refusal. */
  async register(actor: Actor, pid: string, jwk: PublicJwk, holder: KeyHolder): Promise<Commit | undefined> {
    this.store.database
      .prepare('INSERT OR IGNORE INTO patient_signing_keys VALUES (?, ?, ?, ?, 1)')
      .run(pid, jwk.kid, JSON.stringify(jwk), holder);
    try {
      return await this.#submit(actor, { pid, jwk, holder, state: 'active', salt: randomBytes(32).toString('hex') });
    } catch (error) {
      if (error instanceof Refusal && error.code === 'key-exists') return undefined;
      throw error;
    }
  }

  /** Revokes a key here at once, then in `care`. Throws Refusal. */
  async revoke(actor: Actor, pid: string, jwk: PublicJwk, holder: KeyHolder): Promise<Commit> {
    this.store.database
      .prepare('UPDATE patient_signing_keys SET active = 0 WHERE pid = ? AND kid = ?')
      .run(pid, jwk.kid);
    return await this.#submit(actor, { pid, jwk, holder, state: 'revoked', salt: randomBytes(32).toString('hex') });
  }

  async #submit({ user, role, purpose }: Actor, request: RegisterKey): Promise<Commit> {
    const actor = Buffer.from(JSON.stringify({ user, role, purpose }));
    const transient = { request: Buffer.from(JSON.stringify(request)), actor };
    return await this.ledger.submit({ transaction: transactions.key, transient });
  }
}
