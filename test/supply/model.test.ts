import assert from 'node:assert/strict';

import { ACTS, type ActName, refuse, suspicionOf } from '@salus/chaincode/supply/api';

import { campaign } from '../support/campaigns.js';
import { MEMBERS, TwoWorlds } from './model.js';
import type { Step } from './truth.js';

/** A slice of the histories runs with every test; the campaign runs 100,000 steps. */
const own = campaign('supply');
const STEPS = own.size({ slice: 12_000, full: 100_000 });
const HISTORIES = 6;

function history(name: number, steps: number, random: () => number) {
  const worlds = new TwoWorlds(40, 5);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] ?? (list[0] as T);
  const counts = new Map<string, number>();
  for (let step = 0; step < steps; step += 1) {
    if (random() < 0.01) worlds.pass(1);
    if (step === Math.floor(steps * 0.9)) worlds.recall();
    if (random() < 0.05) {
      const held = { member: pick(MEMBERS), item: pick(worlds.ids), standing: pick(['held', 'released'] as const) };
      const told = worlds.hold(held);
      assert.equal(told.rules, told.model, `history ${name} step ${step}: ${held.standing} by ${held.member}`);
      counts.set(`${held.standing} ${told.rules}`, (counts.get(`${held.standing} ${told.rules}`) ?? 0) + 1);
    }
    const tried: Step = {
      member: pick(MEMBERS),
      act: pick(Object.keys(ACTS) as ActName[]),
      item: pick(worlds.ids),
      to: pick(MEMBERS),
      reason: pick(['sample', 'stolen', 'destroyed'] as const),
    };
    const { model, rules, alert } = worlds.try(tried);
    assert.equal(rules, model, `history ${name} step ${step}: ${tried.act} by ${tried.member}`);
    assert.equal(alert, rules === 'done' ? undefined : suspicionOf(tried.act, model));
    counts.set(rules, (counts.get(rules) ?? 0) + 1);
    if (step % 50 === 0) assert.equal(worlds.difference(), undefined, `history ${name} step ${step}`);
  }
  assert.equal(worlds.difference(), undefined, `history ${name}`);
  return counts;
}

describe('random histories of packs', () => {
  it(`agree with a plain model in ${STEPS} steps, legal and illegal: one owner, one place, one parent, one dispense`, () => {
    const seen = new Map<string, number>();
    const numbers = own.random();
    for (let name = 1; name <= HISTORIES; name += 1) {
      for (const [verdict, count] of history(name, Math.floor(STEPS / HISTORIES), numbers))
        seen.set(verdict, (seen.get(verdict) ?? 0) + count);
    }
    const wanted = [
      'done',
      'not-yours',
      'in-transit',
      'not-the-receiver',
      'already-dispensed',
      'decommissioned',
      'recalled',
      'quarantined',
      'held done',
      'released done',
    ];
    assert.deepEqual(
      wanted.filter((verdict) => (seen.get(verdict) ?? 0) === 0),
      [],
    );
  });
});

describe('the table of acts', () => {
  it('raises a suspicion for codes that exist alone, and none for recall and expiry', () => {
    for (const [name, { alerts }] of Object.entries(ACTS)) {
      for (const code of Object.keys(alerts)) assert.ok(Object.hasOwn(refuse.codes, code), `${name}: ${code}`);
      for (const code of ['recalled', 'expired', 'quarantined'])
        assert.equal(suspicionOf(name as ActName, code), undefined);
    }
  });

  it('names the suspicion of each kind', () => {
    assert.equal(suspicionOf('dispense', 'already-dispensed'), 'double-dispense');
    assert.equal(suspicionOf('ship', 'already-dispensed'), 're-entry');
    assert.equal(suspicionOf('receive', 'not-the-receiver'), 'diversion');
    assert.equal(suspicionOf('ship', 'not-yours'), 'clone');
    assert.equal(suspicionOf('dispense', 'not-in-lot'), 'ghost');
    assert.equal(suspicionOf('ship', 'forged-parent'), 'forged-parent');
  });
});
