import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { salus } from '../support/command.js';
import { networkOfSuite } from '../support/network.js';

describe('the demo of the supply chain', () => {
  const network = networkOfSuite();

  it('takes 1,000 packs from the line to the patient and says what each party sees', async function () {
    this.timeout(240_000);
    const other = await salus(network.stateDir, ['demo', 'other']);
    assert.equal(other.code, 2);
    assert.match(other.err, /stories are: supply, trial/);
    const { code, out: text, err } = await salus(network.stateDir, ['demo', 'supply']);
    assert.equal(code, 0, err);
    assert.match(text, /commit: done\n {2}pack: done\n {2}pack: done\n {2}ship: done; the terms went/);
    assert.match(text, /is given a clone of that pack\n {2}dispense: refused .*alert on the ledger: double-dispense/);
    assert.match(text, /northside +genuine; yours; in stock; may be dispensed \[NMVS_SUCCESS\]/);
    assert.match(text, /climate: done; in quarantine: too-cold; alert on the ledger: excursion/);
    assert.match(text, /northside +genuine, Suspect; yours; in stock; not here: in quarantine/);
    const [, pack = '', file = ''] = /prints (\(01\)\d{14}\(17\)\d{6}\(10\)\S+)\n +(\S+\.svg)/.exec(text) ?? [];
    assert.match(text, /prints \(00\)\d{18}\n/);
    assert.match(readFileSync(file, 'utf8'), /^<svg/);
    assert.match(pack, /\(17\)991231\(10\)DEMO-\d+\(21\)\d+$/);
    assert.match(text, /authority +genuine, Recalled; .*; not here: recalled/);
    assert.doesNotMatch(text, /unknown/);
  });
});
