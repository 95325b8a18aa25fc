import assert from 'node:assert/strict';

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
    assert.match(text, /authority +genuine, Recalled; .*; not here: recalled/);
    assert.doesNotMatch(text, /unknown/);
  });
});
