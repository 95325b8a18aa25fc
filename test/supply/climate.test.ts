import assert from 'node:assert/strict';

import { MAX_READINGS, meanKineticTemperature } from '@salus/chaincode/supply/api';

import { random } from '../support/contract-world.js';
import { call, freshDesk, LotOfUnits, operator, pharmacist, quality } from './world.js';

const times = (count: number, reading: number): number[] => Array.from({ length: count }, () => reading);

describe('the mean kinetic temperature', () => {
  it('is to a thousandth of a degree what the published vectors say', () => {
    assert.equal(meanKineticTemperature(times(24, 5_000)), 5_000);
    assert.equal(meanKineticTemperature([...times(23, 5_000), 25_000]), 7_756);
    assert.equal(meanKineticTemperature([...times(12, 20_000), ...times(12, 30_000)]), 26_260);
  });

  it(`takes 1 to ${MAX_READINGS} readings above absolute zero`, () => {
    assert.throws(() => meanKineticTemperature([]), RangeError);
    assert.throws(() => meanKineticTemperature(times(MAX_READINGS + 1, 5_000)), RangeError);
    assert.throws(() => meanKineticTemperature([-273_150]), RangeError);
  });
});

describe('the cold chain on the ledger', () => {
  const desk = freshDesk();

  /** A unit of a lot with these limits, in acme's hands. */
  const kept = async (kind: string, allowance = 60) => {
    const lot = new LotOfUnits(2);
    await desk.world.submit('acme', 'supply:commit', call(lot.request({ storage: { kind, allowance } })));
    const item = lot.unit(0);
    return { item, salt: random(), origin: lot.origin(item) };
  };
  const log = (unit: object, readings: readonly number[], every = 10) =>
    desk.world.submit('acme', 'supply:climate', call({ ...unit, readings, every }));
  const held = async ({ item, origin }: { item: string; origin: object }) => {
    const { quarantine } = await desk.statusOf(item, { origin });
    return quarantine?.standing === 'held' ? quarantine.excursion : undefined;
  };

  it('puts in quarantine by itself at frost at once, and when the time out of range is used up', async () => {
    const unit = await kept('cold');
    await log(unit, [...times(10, 5_000), ...times(6, 9_000)]);
    assert.equal(await held(unit), undefined);
    await log(unit, [9_000]);
    assert.equal(await held(unit), 'out-of-range-too-long');
    const frozen = await kept('cold');
    await log(frozen, [5_000, 1_999]);
    assert.equal(await held(frozen), 'too-cold');
  });

  it('judges a controlled room by its mean kinetic temperature, and spikes at once', async () => {
    const unit = await kept('controlled-room');
    await log(unit, [...times(23, 22_000), 30_000]);
    assert.equal(await held(unit), undefined);
    await log(unit, [...times(12, 20_000), ...times(12, 30_000)]);
    assert.equal(await held(unit), 'mean-kinetic-temperature');
    const spiked = await kept('controlled-room');
    await log(spiked, [22_000, 40_001]);
    assert.equal(await held(spiked), 'too-warm');
  });

  it('keeps what broke its limits from being shipped until a quality officer releases it', async () => {
    const unit = await kept('frozen', 0);
    await log(unit, [-14_999]);
    const ship = { act: 'ship', ...unit, to: random() };
    await desk.refused('quarantined', 'acme', ship);
    const release = { of: 'item', id: unit.item, standing: 'released' };
    await desk.world.refused('not-your-role', 'acme', 'supply:quarantine', call(release));
    await desk.world.submit('acme', 'supply:quarantine', call(release, quality));
    await desk.act('acme', ship);
  });

  it('takes readings from the holder alone, of lots that have limits', async () => {
    const unit = await kept('cold');
    const request = { ...unit, readings: [5_000], every: 1 };
    const refused = (code: string, member: string, wrong: object, actor: object = operator) =>
      desk.world.refused(code, member, 'supply:climate', call({ ...request, ...wrong }, actor));
    await refused('not-yours', 'stmary', {}, pharmacist);
    await refused('not-your-role', 'acme', {}, { ...operator, role: 'biller' });
    const bare = desk.lot.unit(0);
    await refused('no-storage-limits', 'acme', { item: bare, origin: desk.lot.origin(bare) });
    await refused('invalid-request', 'acme', { readings: times(MAX_READINGS + 1, 5_000) });
  });
});
