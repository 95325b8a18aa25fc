/** Secrets that members share: each is read once from a collection of theirs, and kept sealed in this member's key store. */
import { randomBytes } from 'node:crypto';

import { isRefusal, Refusal } from '../ledger/refusal.js';
import type { Ledger } from '../ports.js';
import type { NamedSecrets } from './named-secrets.js';

/** Where the secrets are. */
export interface SharedSecretsPorts {
  readonly mspId: string;
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly secrets: Pick<NamedSecrets, 'find' | 'keep' | 'forget'>;
}

/** One secret: its name in the key store, what names it on the ledger, and the transactions that read and make it. */
export interface SecretPlace {
  readonly name: string;
  readonly about: object;
  readonly read: string;
  readonly make: string;
}

/** The member's copies of them. */
export class SharedSecrets {
  constructor(private readonly ports: SharedSecretsPorts) {}

  /** The secret; undefined where no member made one yet, or it was retired. Throws Refusal. */
  async find(place: SecretPlace): Promise<Buffer | undefined> {
    const kept = this.kept(place);
    if (kept !== undefined) return kept;
    const { ledger, mspId, secrets } = this.ports;
    const call = { transaction: place.read, transient: { request: bytes(place.about) }, endorsers: [mspId] };
    const answer = await ledger.evaluate(call).catch(nothingIf('unknown-secret'));
    if (answer === undefined) return undefined;
    const { secret } = JSON.parse(Buffer.from(answer).toString('utf8')) as { readonly secret: string };
    secrets.keep({ [place.name]: secret });
    return Buffer.from(secret, 'hex');
  }

  /** The same, made here where there is none. Throws Refusal; also while the own peer has not heard of it yet. */
  async ensure(place: SecretPlace, vouched: { readonly actor?: Uint8Array } = {}): Promise<Buffer> {
    const known = await this.find(place);
    if (known !== undefined) return known;
    const [secret = '', salt = ''] = [1, 2].map(() => randomBytes(32).toString('hex'));
    const request = bytes({ ...place.about, secret, salt });
    const call = { transaction: place.make, transient: { ...vouched, request } };
    await this.ports.ledger.submit(call).catch(nothingIf('secret-exists'));
    const made = await this.find(place);
    if (made === undefined)
      throw new Refusal('unavailable', 'no-secret', 'the shared secret is not here yet: ask again');
    return made;
  }

  /** What this member keeps of it, without asking the ledger. */
  kept({ name }: Pick<SecretPlace, 'name'>): Buffer | undefined {
    const secret = this.ports.secrets.find(name);
    return secret === undefined ? undefined : Buffer.from(secret, 'hex');
  }

  /** Destroys what this member keeps of it. */
  forget({ name }: Pick<SecretPlace, 'name'>): void {
    this.ports.secrets.forget(name);
  }
}

function nothingIf(code: string): (error: unknown) => undefined {
  return (error) => {
    if (isRefusal(error, code)) return undefined;
    throw error;
  };
}

function bytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
