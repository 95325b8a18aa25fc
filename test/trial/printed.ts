/** Printed names on a running network: kept over HTTP, signed over, and asked of the signer's member by whoever looks. */
import assert from 'node:assert/strict';
import { commitmentOf } from '@salus/gateway/trial/content';
import type { Answer, TestNetwork } from '../support/network.js';
import { valuesIn } from './network-study.js';
import type { Signers } from './signers.js';

const EVE = 'Eve Adams-Sponsor, PhD';
const RAY = 'Ray Regulator';
/** Of the regulator's name, which is kept only after it was signed over and looked for. */
const SALT = 'd'.repeat(64);

/** Who signs one trial with a printed name, and what others are shown of it. */
export class PrintedNames {
  constructor(
    private readonly network: TestNetwork,
    private readonly trial: string,
  ) {}

  /** The sponsor's name is kept at the sponsor; of the regulator's there is the commitment alone. */
  async given(signers: Signers): Promise<void> {
    assert.equal((await this.#print('acme', 'nurse', { name: EVE })).status, 403);
    assert.equal((await this.#print('medisure', 'sponsor', { name: EVE })).status, 403);
    assert.equal((await this.#print('acme', 'sponsor', { name: 'two\nlines' })).status, 400);
    signers.prints('acme', 'sponsor', await this.#printed('acme', 'sponsor', { name: EVE }));
    signers.prints('authority', 'regulator', commitmentOf({ name: RAY, salt: SALT }));
  }

  /** Parties are told by the signer's door; a name that it did not have is asked for again by whoever looks next. */
  async assertTold(): Promise<void> {
    assert.deepEqual(await this.#shown('stmary', 'investigator'), [true, false]);
    assert.deepEqual(await this.#shown('medisure', 'auditor'), [false, false]);
    assert.deepEqual(await this.#shown('stmary', 'nurse'), [false, false]);
    const kept = await this.#printed('authority', 'regulator', { name: RAY, salt: SALT });
    assert.equal(kept, commitmentOf({ name: RAY, salt: SALT }));
    assert.deepEqual(await this.#shown('stmary', 'investigator'), [true, true]);
    assert.deepEqual(await this.#shown('tally', 'board'), [true, true]);
    assert.deepEqual(await this.#shown('medisure', 'auditor'), [false, false]);
  }

  /** What `verify-trial` printed of a package of somebody who is told. */
  assertSigned(said: string): void {
    assert.match(said, new RegExp(`^sign-version, signed \\S+ by ${EVE} \\(key acme\\.sponsor\\)$`, 'm'));
    assert.match(said, new RegExp(`^approve-version, signed \\S+ by ${RAY} \\(key authority\\.regulator\\)$`, 'm'));
  }

  /** Whether somebody is shown the sponsor's name, and the regulator's. */
  async #shown(member: string, role: string): Promise<readonly boolean[]> {
    const token = await this.network.token({ member, role });
    const answer = await this.network.ask(member, `Provenance?study=ResearchStudy/${this.trial}`, { token });
    assert.equal(answer.status, 200, answer.text);
    return [EVE, RAY].map((each) => answer.text.includes(each));
  }

  async #printed(member: string, role: string, values: Readonly<Record<string, string>>): Promise<string> {
    const answer = await this.#print(member, role, values);
    assert.equal(answer.status, 200, answer.text);
    return String(valuesIn(answer)['commitment']);
  }

  async #print(member: string, role: string, values: Readonly<Record<string, string>>): Promise<Answer> {
    const parameter = Object.entries(values).map(([name, valueString]) => ({ name, valueString }));
    const token = await this.network.token({ member, role });
    const body = { resourceType: 'Parameters', parameter };
    return this.network.ask(member, `ResearchStudy/${this.trial}/$printed-name`, { token, body });
  }
}
