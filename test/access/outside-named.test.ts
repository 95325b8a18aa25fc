import assert from 'node:assert/strict';

import { namedPatient } from '@salus/chaincode/access/api';
import { outsideHeard } from '@salus/gateway/access/outside';
import { signCanonical } from '@salus/gateway/identity/statements';

import { annAt } from '../support/ann.js';
import { random } from '../support/contract-world.js';
import { SharingWorld } from '../support/sharing-world.js';

describe('a signed request of a member outside care', () => {
  let world: SharingWorld;

  beforeEach(async () => {
    world = await SharingWorld.open();
    await annAt(world);
  });
  afterEach(() => world.close());

  /** What stmary's door makes of a request of northside's that names `named` and is sent for `patient`. */
  async function hear(patient: string, named = patient): Promise<unknown> {
    const { settings, sharing } = world.stmary;
    const [heard] = Object.values(outsideHeard({ settings, lookup: sharing.lookup, ledger: world.ledgerOf('stmary') }));
    const aid = random();
    const says = {
      ...{ channel: 'health', aid, member: 'northside', custodian: 'stmary' },
      patient: namedPatient({ aid, custodian: 'stmary', patient: named }),
      ...{ actor: { user: 'u-9', role: 'investigator' }, purpose: 'TREAT' },
      scope: { types: ['Observation'], interaction: 'search' },
    };
    const request = await signCanonical(says, world.northside.signing);
    return await heard!.hear('northside', JSON.stringify({ patient, request }));
  }

  it('is submitted for the patient whom it names, kept here or nobody, and for no other', async () => {
    assert.ok(await hear('ann'));
    assert.ok(await hear('nobody'));
    const before = world.submitted.length;
    for (const [patient, named] of [
      ['ann', 'nobody'],
      ['nobody', 'ann'],
    ] as const) {
      assert.equal(await hear(patient, named), undefined);
    }
    assert.equal(world.submitted.length, before);
  });
});
