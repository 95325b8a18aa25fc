import assert from 'node:assert/strict';

import { campaign } from '../support/campaigns.js';
import { engineName } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { networkOfSuite } from '../support/network.js';
import { RacingLot, type Tally } from './races.js';

/** A slice runs with every test; `npm run campaign -- packs --full` takes 100,000 steps, on Fabric 5,000. */
const own = campaign('packs');
const isFabric = engineName === 'fabric';
const STEPS = own.size({ slice: isFabric ? 120 : 250, full: isFabric ? 5_000 : 100_000 });
const isFull = STEPS > 250;
/** Share of the steps that a busy machine may leave untold. */
const UNTOLD = isFull ? 0.01 : 0.1;
const SIZE = isFull ? { packs: 150, cases: 15, perCase: 5 } : { packs: 40, cases: 4, perCase: 5 };
/** Rounds of a lot's life, the last of them after its recall. */
const ROUNDS = isFull ? 14 : 6;
const RECALLED_AFTER = ROUNDS - 2;

describe('packs of a running consortium', function () {
  this.timeout(isFull ? 6 * 3_600_000 : 480_000);
  const network = networkOfSuite();

  it(`are where plain truth has them after ${STEPS} acts of six members, legal, illegal and at the same moment`, async () => {
    const tally: Tally = { steps: 0, races: 0, codes: new Map() };
    const random = own.random();
    for (let number = 1; tally.steps < STEPS; number += 1) {
      const lot = new RacingLot(network, number, random, tally, SIZE);
      await lot.make();
      for (let round = 0; round < ROUNDS && tally.steps < STEPS; round += 1) {
        if (round === RECALLED_AFTER) await lot.recall();
        await lot.round();
        if (isFull)
          console.log(new Date().toISOString(), number, JSON.stringify([...tally.codes]), tally.steps, tally.races);
      }
      await lot.check();
      await eventually(async () => {
        const { wanted, found } = await lot.alertsOf();
        assert.deepEqual(found, wanted);
      });
    }
    wasTried(tally);
  });
});

/** Whether enough of what matters came up. */
function wasTried(tally: Tally): void {
  for (const untold of ['issuer-away', 'outcome-unknown']) {
    assert.ok((tally.codes.get(untold) ?? 0) < STEPS * UNTOLD, `too many were ${untold}`);
  }
  assert.ok(tally.races > STEPS / 20, 'there were too few races');
  const rare = [
    'in-transit',
    'not-the-receiver',
    'already-dispensed',
    'not-undoable',
    'recalled',
    'quarantined',
    'released done',
  ];
  for (const code of ['done', 'not-yours', 'held done', ...(isFull ? rare : [])]) {
    assert.ok((tally.codes.get(code) ?? 0) > 0, `nothing was ever ${code}`);
  }
}
