/** Secrets a member keeps under names of its own, sealed: lots' secrets, and the salts that open commitments. */
import type { StatementSync } from 'node:sqlite';

import { inLazyTransaction, inTransaction } from './database.js';
import type { KeyStore } from './key-store.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS named_secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Hex secrets by name in keys.db; shared by the member's gateways. */
export class NamedSecrets {
  readonly #insertOne: StatementSync;
  readonly #findOne: StatementSync;

  constructor(private readonly store: KeyStore) {
    store.database.exec(SCHEMA);
    this.#insertOne = store.database.prepare('INSERT OR REPLACE INTO named_secrets VALUES (?, ?)');
    this.#findOne = store.database.prepare('SELECT sealed FROM named_secrets WHERE name = ?');
  }

  /** Keeps secrets (hex), durable on return; one kept before under the same name gives way. */
  keep(secrets: Readonly<Record<string, string>>): void {
    inTransaction(this.store.database, () => {
      this.#insert(secrets);
    });
  }

  /** The same, on the disk once the key store's `durable` says so: for what a call rests on that goes through the outbox. */
  keepForCall(secrets: Readonly<Record<string, string>>): void {
    inLazyTransaction(this.store.database, () => {
      this.#insert(secrets);
    });
  }

  #insert(secrets: Readonly<Record<string, string>>): void {
    for (const [name, secret] of Object.entries(secrets)) {
      this.#insertOne.run(name, this.store.seal.seal(Buffer.from(secret, 'hex'), useOf(name)));
    }
  }

  /** Destroys the secret under this name. */
  forget(name: string): void {
    this.store.database.prepare('DELETE FROM named_secrets WHERE name = ?').run(name);
  }

  /** The secret (hex) under this name. */
  find(name: string): string | undefined {
    const row = this.#findOne.get(name);
    return row === undefined ? undefined : this.store.seal.open(row.sealed as Uint8Array, useOf(name)).toString('hex');
  }
}

function useOf(name: string): string {
  return `named-secret/${name}`;
}
