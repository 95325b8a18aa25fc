/** What was promised and is not done yet, sealed in keys.db: a gateway that was killed goes on from it. */
import { parseExactly } from '../fhir/json.js';
import { Statements } from '../projection/statements.js';
import { inTransaction } from './database.js';
import type { KeyStore } from './key-store.js';

// Named after the domain that had it first: what older gateways promised is gone on with.
const SCHEMA = `
CREATE TABLE IF NOT EXISTS supply_pending (id TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
`;

/** One piece of work and what it takes to go on with it. */
export interface PendingEntry<T> {
  readonly id: string;
  readonly value: T;
}

/** In place of a gateway's name: work that whichever of the member's gateways is there goes on with. */
export const ANY_GATEWAY = '*';

/** One gateway's open work; each of a member's gateways goes on with its own. */
export class PendingWork {
  readonly #prefix: string;
  readonly #statements: Statements;

  constructor(
    private readonly store: KeyStore,
    gateway: string,
  ) {
    store.database.exec(SCHEMA);
    this.#statements = new Statements(store.database);
    this.#prefix = `${gateway}/`;
  }

  /** Keeps a piece of work, durable on return, its decimals digit by digit; the same id replaces what it was. */
  keep(id: string, value: object): void {
    const name = this.#prefix + id;
    const sealed = this.store.seal.seal(Buffer.from(JSON.stringify(value)), useOf(name));
    inTransaction(this.store.database, () => {
      this.#statements.run('INSERT OR REPLACE INTO supply_pending VALUES (?, ?)', name, sealed);
    });
  }

  /** It is done, or never to be done. */
  drop(id: string): void {
    this.#statements.run('DELETE FROM supply_pending WHERE id = ?', this.#prefix + id);
  }

  /** One piece of open work; undefined = there is none of this id. */
  get(id: string): unknown {
    const name = this.#prefix + id;
    const row = this.#statements.get('SELECT sealed FROM supply_pending WHERE id = ?', name);
    return row && this.#opened(name, row.sealed);
  }

  /** Open work whose id starts so. */
  list<T>(kind: string): readonly PendingEntry<T>[] {
    const start = this.#prefix + kind;
    const rows = this.#statements.all(
      'SELECT id, sealed FROM supply_pending WHERE id >= ? AND id < ? ORDER BY id',
      ...[start, `${start}\u{10ffff}`],
    );
    return rows.map(({ id, sealed }) => ({
      id: (id as string).slice(this.#prefix.length),
      value: this.#opened(id as string, sealed) as T,
    }));
  }

  #opened(name: string, sealed: unknown): unknown {
    return parseExactly(this.store.seal.open(sealed as Uint8Array, useOf(name)).toString('utf8'));
  }
}

function useOf(name: string): string {
  return `supply-pending/${name}`;
}
