import assert from 'node:assert/strict';

import { gatewayCommands } from '@salus/gateway/commands';
import { startNetwork, type TestNetwork } from '../support/network.js';

describe('the demo of the supply chain', () => {
  let network: TestNetwork;
  before(async function () {
    this.timeout(240_000);
    network = await startNetwork();
  });
  after(async function () {
    this.timeout(60_000);
    await network.stop();
  });

  it('takes 1,000 packs from the line to the patient and says what each party sees', async function () {
    this.timeout(240_000);
    const demo = gatewayCommands.find(({ name }) => name === 'demo');
    const lines: string[] = [];
    const io = {
      stateDir: network.stateDir,
      topologyFile: '',
      isTerminal: false,
      out: (line: string) => void lines.push(line),
      err: () => undefined,
      progress: () => undefined,
    };
    await assert.rejects(async () => demo?.run({ args: ['other'], options: {} }, io), /stories are: supply, trial/);
    assert.equal(await demo?.run({ args: ['supply'], options: {} }, io), 0);
    const text = lines.join('\n');
    assert.match(text, /commit: done\n {2}pack: done\n {2}pack: done\n {2}ship: done; the terms went/);
    assert.match(text, /is given a clone of that pack\n {2}dispense: refused .*alert on the ledger: double-dispense/);
    assert.match(text, /northside +genuine; yours; in stock; may be dispensed \[NMVS_SUCCESS\]/);
    assert.match(text, /authority +genuine, Recalled; .*; not here: recalled/);
    assert.doesNotMatch(text, /unknown/);
  });
});
