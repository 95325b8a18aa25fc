/** A trial's package as a regulator asks for it, checks it, and bends it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseExactly } from '@salus/gateway/fhir/json';
import type { TrialPackage } from '@salus/gateway/trial/package';
import { salus } from '../support/command.js';
import type { Answer, TestNetwork } from '../support/network.js';

/** The packages of one trial. */
export class TrialPackages {
  constructor(
    private readonly network: TestNetwork,
    private readonly trial: string,
  ) {}

  /** What `$package` answers. */
  async whole(member = 'authority', role = 'regulator'): Promise<Answer> {
    const token = await this.network.token({ member, role });
    const answer = await this.network.ask(member, `ResearchStudy/${this.trial}/$package`, { token });
    assert.equal(answer.status, 200, answer.text);
    return answer;
  }

  /** What `verify-trial` says of it. */
  async verify(text: string): Promise<{ readonly code: number; readonly said: string }> {
    const file = join(this.network.stateDir, 'package.json');
    writeFileSync(file, text);
    const { code, out, err } = await salus(this.network.stateDir, ['verify-trial', file]);
    return { code, said: `${out}${err}` };
  }

  /** What is said of it after a change, with which it must not be verified. */
  changesOf(answer: Answer): (change: (found: TrialPackage) => object) => Promise<string> {
    const [{ valueString = '' } = {}] = answer.body['parameter'] as { valueString?: string }[];
    return async (change) => {
      const changed = JSON.stringify(change(parseExactly(valueString) as TrialPackage));
      const parameter = [{ name: 'package', valueString: changed }];
      const { code, said } = await this.verify(JSON.stringify({ resourceType: 'Parameters', parameter }));
      assert.equal(code, 1, said);
      return said;
    };
  }

  /** The sponsor's package has every content, each proven by what the ledger commits to; who reads none gets none. */
  async assertProven(): Promise<void> {
    const answer = await this.whole('acme', 'sponsor');
    const whole = await this.verify(answer.text);
    assert.equal(whole.code, 0, whole.said);
    const [, has = '0', all] = /(\d+) of the (\d+) contents that they commit to/.exec(whole.said) ?? [];
    assert.deepEqual([has, Number(has) > 2], [all, true], whole.said);
    const bent = await this.changesOf(answer)(({ contents = [], ...found }) => {
      const text = JSON.stringify(contents).replace('"valueBoolean":true', '"valueBoolean":false');
      return { ...found, contents: parseExactly(text) };
    });
    assert.match(bent, /not a content that the ledger commits to: urn:salus:eligibility-criterion [^/]+\/P1\//);
    assert.match((await this.verify((await this.whole()).text)).said, /; 0 of the \d+ contents/);
  }
}
