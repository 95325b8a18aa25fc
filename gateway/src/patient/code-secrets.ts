/** The hospitals' secret of each quarter, read from `care-keys` once and kept sealed in this member's key store. */
import { randomBytes } from 'node:crypto';

import {
  transactions,
  type LookupSecret,
  type NewSecret,
  type Quarter,
  type ReadSecret,
} from '@salus/chaincode/patient/api';

import type { NamedSecrets } from '../keys/named-secrets.js';
import { Refusal } from '../ledger/refusal.js';
import type { Ledger } from '../ports.js';

/** Where the secrets are. */
export interface CodeSecretsPorts {
  readonly mspId: string;
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly secrets: NamedSecrets;
}

/** Secrets by quarter. */
export class CodeSecrets {
  constructor(private readonly ports: CodeSecretsPorts) {}

  /** The quarter's secret; undefined where no hospital made one yet, or it was retired. Throws Refusal. */
  async find(quarter: Quarter): Promise<Buffer | undefined> {
    const kept = this.kept(quarter);
    if (kept !== undefined) return kept;
    const { ledger, mspId, secrets } = this.ports;
    const request = { quarter } satisfies ReadSecret;
    const call = { transaction: transactions.secret, transient: { request: bytes(request) }, endorsers: [mspId] };
    const answer = await ledger.evaluate(call).catch(nothingIf('unknown-secret'));
    if (answer === undefined) return undefined;
    const { secret } = JSON.parse(Buffer.from(answer).toString('utf8')) as LookupSecret;
    secrets.keep({ [nameOf(quarter)]: secret });
    return Buffer.from(secret, 'hex');
  }

  /** The same, made here where there is none. Throws Refusal; also while the own peer has not heard of it yet. */
  async ensure(quarter: Quarter): Promise<Buffer> {
    const known = await this.find(quarter);
    if (known !== undefined) return known;
    const [secret = '', salt = ''] = [1, 2].map(() => randomBytes(32).toString('hex'));
    const request = { quarter, secret, salt } satisfies NewSecret;
    const call = { transaction: transactions.newSecret, transient: { request: bytes(request) } };
    await this.ports.ledger.submit(call).catch(nothingIf('secret-exists'));
    const made = await this.find(quarter);
    if (made === undefined) throw new Refusal('unavailable', 'no-secret', "the quarter's secret is not here yet");
    return made;
  }

  /** What this member keeps of a quarter, without asking the ledger. */
  kept(quarter: Quarter): Buffer | undefined {
    const secret = this.ports.secrets.find(nameOf(quarter));
    return secret === undefined ? undefined : Buffer.from(secret, 'hex');
  }

  /** Destroys what this member keeps of a quarter. */
  forget(quarter: Quarter): void {
    this.ports.secrets.forget(nameOf(quarter));
  }
}

function nameOf(quarter: Quarter): string {
  return `look-up/${quarter}`;
}

function nothingIf(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Refusal && error.code === code) return undefined;
    throw error;
  };
}

function bytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
