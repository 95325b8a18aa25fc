/** The hospitals' secret of each quarter, in `care-keys`. */
import { transactions, type Quarter } from '@salus/chaincode/patient/api';

import { type SecretPlace, SharedSecrets, type SharedSecretsPorts } from '../keys/shared-secrets.js';

/** Secrets by quarter. */
export class CodeSecrets {
  readonly #shared: SharedSecrets;

  constructor(ports: SharedSecretsPorts) {
    this.#shared = new SharedSecrets(ports);
  }

  /** The quarter's secret; undefined where no hospital made one yet, or it was retired. Throws Refusal. */
  async find(quarter: Quarter): Promise<Buffer | undefined> {
    return await this.#shared.find(placeOf(quarter));
  }

  /** The same, made here where there is none. Throws Refusal; also while the own peer has not heard of it yet. */
  async ensure(quarter: Quarter): Promise<Buffer> {
    return await this.#shared.ensure(placeOf(quarter));
  }

  /** What this member keeps of a quarter, without asking the ledger. */
  kept(quarter: Quarter): Buffer | undefined {
    return this.#shared.kept(placeOf(quarter));
  }

  /** Destroys what this member keeps of a quarter. */
  forget(quarter: Quarter): void {
    this.#shared.forget(placeOf(quarter));
  }
}

function placeOf(quarter: Quarter): SecretPlace {
  const { secret: read, newSecret: make } = transactions;
  return { name: `look-up/${quarter}`, about: { quarter }, read, make };
}
