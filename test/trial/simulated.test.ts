import assert from 'node:assert/strict';
import { decodeRefusal } from '@salus/chaincode/registry/api';
import { checkAllocation } from '@salus/gateway/trial/verify-lists';
import { assertAllEnrolled } from './slots.js';
import { protocol, sites, TrialWorld } from './world.js';

const PARTICIPANTS = 500;
const strata = ['s1', 's2', 's3', 's4'];

/** A small generator with a seed, so that a failure can be seen again (mulberry32). */
function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Somebody who waits for a slot. */
interface Waiting {
  readonly participant: string;
  readonly site: string;
  readonly stratum: string;
}

describe('a simulated trial of 500 participants at 3 sites in 4 strata', function () {
  this.timeout(120_000);
  const draw = drawing(20_261_125);
  let world: TrialWorld;
  let voided = 0;
  let late = 0;

  /** Each site proposes what it believes to be the lowest free slot; all at once, then committed in some order. */
  async function race(round: readonly Waiting[], next: Map<string, number>): Promise<readonly Waiting[]> {
    const endorsed = [];
    for (const each of round) {
      const request = { ...each, slot: next.get(each.stratum) ?? 1, consent: 1 };
      const { site, ...rest } = request;
      const call = world.call('coordinator', { trial: 'TRIAL-1', ...rest });
      endorsed.push({ each, slot: request.slot, outcome: await world.ledger.evaluate(site, 'trial:enrol', call) });
    }
    const lost: Waiting[] = [];
    for (const { each, slot, outcome } of endorsed) {
      if (outcome.status !== 200) {
        assert.equal(decodeRefusal(outcome.message)?.code, 'slot-taken');
        late += 1;
        next.set(each.stratum, slot + 1);
        lost.push(each);
      } else if (world.ledger.commit(outcome) === 'VALID') {
        // Only the winner's own site knows at once; the others find the slot taken when they propose it.
        if (draw(2) === 0) next.set(each.stratum, slot + 1);
      } else {
        voided += 1;
        lost.push(each);
      }
    }
    return lost;
  }

  before(async () => {
    world = await TrialWorld.enrolling(160, protocol({ allocation: { ...protocol().allocation, strata } }));
    const next = new Map<string, number>();
    let waiting: readonly Waiting[] = [];
    for (let index = 0; index < PARTICIPANTS; index += 1) {
      const each = { participant: `P${index}`, site: sites[index % 3]!, stratum: strata[draw(4)]! };
      await world.prepared(each.participant, each.site);
      waiting = [...waiting, each];
      if (waiting.length >= 3) waiting = await race(waiting, next);
    }
    while (waiting.length > 0) waiting = await race(waiting, next);
  });

  it('loses no slot and gives none twice, while sites race', async () => {
    assertAllEnrolled(await world.view(), PARTICIPANTS);
    assert.ok(voided > 20 && late > 20, `${voided} voided, ${late} late: no race was simulated`);
  });

  it('says nothing of arms before lock, and everything can be recomputed from public data after it', async () => {
    const before = checkAllocation(await world.view());
    assert.deepEqual(
      before.strata.map(({ arms }) => arms),
      [{}, {}, {}, {}],
    );
    await world.locked();
    for (const stratum of strata) {
      await world.act('tally', 'statistician', 'reveal', { stratum, slots: world.lists.get(stratum) });
    }
    const view = await world.view();
    for (const { stratum, isListIntact, arms, enrolled } of checkAllocation(view).strata) {
      assert.equal(isListIntact, true, stratum);
      // Blocks of four: the arms differ by two at most, wherever enrolment stopped.
      assert.ok(Math.abs((arms.A ?? 0) - (arms.B ?? 0)) <= 2, JSON.stringify(arms));
      assert.equal((arms.A ?? 0) + (arms.B ?? 0), enrolled);
    }
    const bent = structuredClone(view) as { reveals: { slots: { arm: string }[] }[] } & typeof view;
    bent.reveals[0]!.slots[0]!.arm = bent.reveals[0]!.slots[0]!.arm === 'A' ? 'B' : 'A';
    assert.equal(checkAllocation(bent).strata[0]?.isListIntact, false);
  });
});
