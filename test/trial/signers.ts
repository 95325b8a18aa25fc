/** People of a trial on the real processes who sign with keys of their own. */
import { SigningKey } from '../support/signing.js';
import { chiefOf } from './world.js';

/** An act that must be done. */
type Act = (member: string, role: string, name: string, request: object) => Promise<void>;

/** Everybody who signs for one trial; each is put on the delegation log before the first signature. */
export class Signers {
  readonly #keys = new Map<string, SigningKey>();
  /** Commitments of printed names by member and role; who is not among them signs over one of no name. */
  readonly #names = new Map<string, string>();

  constructor(
    private readonly trial: string,
    private readonly act: Act,
  ) {}

  /** From now on somebody signs over the commitment of a printed name. */
  prints(member: string, role: string, commitment: string): void {
    this.#names.set(`${member} ${role}`, commitment);
  }

  /** The signature of somebody of a member in a role, over content and its meaning. */
  async sign(member: string, role: string, content: object): Promise<object> {
    const key = this.#keys.get(`${member} ${role}`) ?? (await this.#delegated(member, role));
    const name = this.#names.get(`${member} ${role}`) ?? 'c'.repeat(64);
    const stamp = { signedAt: new Date().toISOString(), name };
    const statement = key.sign({ channel: 'health', trial: this.trial, ...content, ...stamp });
    return { kid: key.kid, ...stamp, statement };
  }

  /** Does an act whose request is what is signed, but for what else is signed of it. */
  async does(member: string, role: string, name: string, [request, more]: readonly [object, object?]): Promise<void> {
    const signature = await this.sign(member, role, { meaning: name, ...(more ?? request) });
    await this.act(member, role, name, { ...request, signature });
  }

  /** A version signed by the sponsor and approved by whoever must. */
  async approve(version: number, hash: string | undefined): Promise<void> {
    const about = [
      { version, hash },
      { subject: `version:${version}`, hash },
    ] as const;
    await this.does('acme', 'sponsor', 'sign-version', about);
    for (const role of ['ethics', 'regulator']) await this.does('authority', role, 'approve-version', about);
  }

  /** A stratum's list, approved. */
  async approveList(stratum: string, hash: string | undefined): Promise<void> {
    const about = [
      { stratum, hash },
      { subject: `list:${stratum}`, hash },
    ] as const;
    await this.does('authority', 'regulator', 'approve-list', about);
  }

  async #delegated(member: string, role: string): Promise<SigningKey> {
    const key = new SigningKey(`${member}.${role}`);
    this.#keys.set(`${member} ${role}`, key);
    await this.act(member, chiefOf(member, role), 'delegate', { role, jwk: key.jwk });
    return key;
  }
}
