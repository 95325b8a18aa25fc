import assert from 'node:assert/strict';

import {
  type Climate,
  MAX_BATCH_CHARACTERS,
  MAX_READINGS,
  meanKineticTemperature,
  WINDOW_DAYS,
} from '@salus/chaincode/supply/api';

import { random } from '../support/contract-world.js';
import { DataLogger } from './data-logger.js';
import { call, freshDesk, LotOfUnits, operator, pharmacist, quality, regulator } from './world.js';

const DAY_MS = 86_400_000;
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
  let logger: DataLogger;
  beforeEach(async () => {
    logger = new DataLogger();
    await desk.world.submit('acme', 'supply:logger', call({ jwk: logger.jwk, standing: 'registered' }));
  });

  /** A unit of a lot with these limits, in acme's hands. */
  const kept = async (kind: string, allowance = 60) => {
    const lot = new LotOfUnits(2);
    await desk.world.submit('acme', 'supply:commit', call(lot.request({ storage: { kind, allowance } })));
    const item = lot.unit(0);
    return { item, salt: random(), origin: lot.origin(item) };
  };
  const log = (unit: object, readings: readonly number[], every = 10) =>
    desk.world.submit('acme', 'supply:climate', call({ ...unit, signed: logger.read(readings, every) }));
  const held = async ({ item, origin }: { item: string; origin: object }) => {
    const { quarantine } = await desk.statusOf(item, { origin });
    return quarantine?.standing === 'held' ? quarantine.excursion : undefined;
  };
  const decide = (item: object, decision: string, person: string, actor: object = quality) =>
    call({ ...item, decision, person }, actor);

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
    await log(unit, [...times(24, 20_000), ...times(24, 30_000)]);
    assert.equal(await held(unit), 'mean-kinetic-temperature');
    const spiked = await kept('controlled-room');
    await log(spiked, [22_000, 40_001]);
    assert.equal(await held(spiked), 'too-warm');
  });

  /** Reads a day at each of these temperatures, every two hours, in batches of a day each. */
  const days = async (unit: object, temperatures: readonly number[]): Promise<void> => {
    for (const each of temperatures) await log(unit, times(12, each), 120);
  };
  const from = (daysAgo: number): void => {
    const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS - daysAgo * DAY_MS;
    logger.begin(midnight);
  };
  /** As it was last written. */
  const climate = ({ item }: { item: string }): Climate => {
    const written = desk.world.outcomes.flatMap(({ outcome }) => [...(outcome.rwset.writes.get('') ?? [])]);
    const found = written.findLast(([key]) => key.includes('climate') && key.includes(item));
    return JSON.parse(String(found?.[1])) as Climate;
  };

  it(`judges it over the ${WINDOW_DAYS} days that end with each day, over all batches`, async () => {
    from(70);
    const unit = await kept('controlled-room');
    // Warm days are borne by the cool ones of the same window, however they are cut into batches,
    await days(unit, [...times(20, 20_000), ...times(9, 29_000)]);
    assert.equal(await held(unit), undefined);
    assert.ok((climate(unit).meanKinetic ?? 0) < 25_000);
    // and no longer, once those have left it.
    await days(unit, times(4, 26_000));
    assert.equal(await held(unit), undefined, `${climate(unit).meanKinetic ?? ''}`);
    await days(unit, times(4, 24_900));
    assert.equal(await held(unit), undefined, `${climate(unit).meanKinetic ?? ''}`);
    await days(unit, [24_900]);
    assert.equal(climate(unit).days?.length, WINDOW_DAYS);
    assert.equal(await held(unit), 'mean-kinetic-temperature', `${climate(unit).meanKinetic ?? ''}`);
  });

  it('gives the vectors over days as over readings, and 25.000 is no excursion', async () => {
    from(40);
    const unit = await kept('controlled-room');
    await days(unit, times(29, 25_000));
    assert.deepEqual([climate(unit).meanKinetic, await held(unit)], [25_000, undefined]);
    const halves = await kept('controlled-room', 43_200);
    from(39);
    const later = new DataLogger();
    await desk.world.submit('acme', 'supply:logger', call({ jwk: later.jwk, standing: 'registered' }));
    logger = later;
    from(39);
    await days(halves, [20_000, 30_000]);
    assert.equal(climate(halves).meanKinetic, 26_260);
    const cold = await kept('cold', 43_200);
    await days(cold, [...times(23, 5_000), 25_000]);
    assert.deepEqual([climate(cold).meanKinetic, await held(cold)], [7_756, undefined]);
  });

  it('does not break a window anew by cooler days, once two persons released it', async () => {
    from(30);
    const unit = await kept('controlled-room');
    await days(unit, [24_000, 29_000, 29_000]);
    assert.equal(await held(unit), 'mean-kinetic-temperature');
    for (const person of [random(), random()]) {
      await desk.world.submit('acme', 'supply:decide', decide(unit, 'release', person));
    }
    await days(unit, [22_000]);
    assert.ok((climate(unit).meanKinetic ?? 0) > 25_000);
    assert.equal(await held(unit), undefined);
    await days(unit, [25_100]);
    assert.equal(await held(unit), 'mean-kinetic-temperature');
  });

  it('takes the days of a container along with a pack that is taken out of it', async () => {
    const lot = new LotOfUnits(2);
    const storage = { kind: 'controlled-room', allowance: 0 };
    await desk.world.submit('acme', 'supply:commit', call(lot.request({ storage })));
    const [container, salt, unit] = [random(), random(), lot.unit(0)];
    const packing = { container, children: lot.units.content(true), lots: [lot.lotId], moved: [], salt };
    await desk.world.submit('acme', 'supply:pack', call(packing));
    from(10);
    await days({ item: container, salt }, [24_000, 25_500]);
    const origin = lot.origin(unit, { container, tree: lot.units });
    await desk.act('acme', { act: 'unpack', item: unit, salt, origin });
    await days({ item: unit, salt }, [25_200]);
    assert.equal(await held({ item: unit, origin }), undefined);
    assert.equal(climate({ item: unit }).days?.length, 3);
    await days({ item: unit, salt }, [29_000]);
    assert.equal(await held({ item: unit, origin }), 'mean-kinetic-temperature');
  });

  it('is released by the signatures of two persons of whoever holds it, and by nobody alone', async () => {
    const unit = await kept('frozen', 0);
    await log(unit, [-14_999]);
    const ship = { act: 'ship', ...unit, to: random() };
    await desk.refused('quarantined', 'acme', ship);
    const release = { of: 'item', id: unit.item, standing: 'released' };
    await desk.world.refused('two-signatures', 'acme', 'supply:quarantine', call(release, quality));
    await desk.world.refused('two-signatures', 'authority', 'supply:quarantine', call(release, regulator));
    const [anna, berta] = [random(), random()];
    const refused = (code: string, member: string, asked: ReturnType<typeof call>) =>
      desk.world.refused(code, member, 'supply:decide', asked);
    await refused('not-your-role', 'acme', decide(unit, 'release', anna, operator));
    await refused('not-yours', 'stmary', decide(unit, 'release', anna));
    await desk.world.submit('acme', 'supply:decide', decide(unit, 'destroy', anna));
    // Whoever signed first changes its mind, and is no second person.
    await desk.world.submit('acme', 'supply:decide', decide(unit, 'release', anna));
    await refused('same-person', 'acme', decide(unit, 'release', anna));
    await refused('decision-differs', 'acme', decide(unit, 'destroy', berta));
    await desk.refused('quarantined', 'acme', ship);
    await desk.world.submit('acme', 'supply:decide', decide(unit, 'release', berta));
    await refused('no-excursion', 'acme', decide(unit, 'release', berta));
    // What was released breaks its limit anew by further minutes alone.
    await log(unit, [-20_000]);
    assert.equal(await held(unit), undefined);
    await desk.act('acme', ship);
  });

  it('is never released once two persons decided to destroy it: its packs are decommissioned', async () => {
    const unit = await kept('cold');
    await log(unit, [0]);
    await desk.world.submit('acme', 'supply:decide', decide(unit, 'destroy', random()));
    await desk.world.submit('authority', 'supply:decide', decide(unit, 'destroy', random(), regulator));
    const release = { of: 'item', id: unit.item, standing: 'released' };
    await desk.world.refused('condemned', 'authority', 'supply:quarantine', call(release, regulator));
    await desk.refused('quarantined', 'acme', { act: 'ship', ...unit, to: random() });
    await desk.act('acme', { act: 'decommission', ...unit, premises: random(), reason: 'destroyed' });
  });

  it('asks for two signatures where somebody had put it in quarantine by hand before', async () => {
    const unit = await kept('cold');
    const { item: id, salt, origin } = unit;
    await desk.world.submit('acme', 'supply:quarantine', call({ of: 'item', id, standing: 'held', salt, origin }));
    await log(unit, [0]);
    const release = { of: 'item', id, standing: 'released' };
    await desk.world.refused('two-signatures', 'acme', 'supply:quarantine', call(release, quality));
  });

  it('counts minutes in containers as a pack’s own, and lets none out of a container in quarantine', async () => {
    const lot = new LotOfUnits(2);
    const storage = { kind: 'cold', allowance: 60 };
    await desk.world.submit('acme', 'supply:commit', call(lot.request({ storage })));
    const [container, salt, unit] = [random(), random(), lot.unit(0)];
    const children = lot.units.content(true);
    const packing = { container, children, lots: [lot.lotId], moved: [], salt };
    await desk.world.submit('acme', 'supply:pack', call(packing));
    await log({ item: container, salt }, times(5, 9_000));
    const out = { act: 'unpack', item: unit, salt, origin: lot.origin(unit, { container, tree: lot.units }) };
    await desk.act('acme', out);
    await log({ item: container, salt }, times(2, 9_000));
    const other = lot.unit(1);
    const later = { ...out, item: other, origin: lot.origin(other, { container, tree: lot.units }) };
    await desk.refused('quarantined', 'acme', later);
    await log({ item: unit, salt }, [9_000]);
    assert.equal(await held({ item: unit, origin: out.origin }), undefined);
    await log({ item: unit, salt }, [9_000]);
    assert.equal(await held({ item: unit, origin: out.origin }), 'out-of-range-too-long');
  });

  it('takes readings from the holder alone, of lots that have limits, signed, once, and not of tomorrow', async () => {
    const unit = await kept('cold');
    const signed = logger.read([5_000], 1);
    const { started } = logger;
    const refused = (code: string, member: string, wrong: object, actor: object = operator) =>
      desk.world.refused(code, member, 'supply:climate', call({ ...unit, signed, ...wrong }, actor));
    await refused('not-yours', 'stmary', {}, pharmacist);
    await refused('not-your-role', 'acme', {}, { ...operator, role: 'biller' });
    const bare = desk.lot.unit(0);
    await refused('no-storage-limits', 'acme', { item: bare, origin: desk.lot.origin(bare) });
    await refused('invalid-request', 'acme', { signed: logger.sign({ ...logger.batch([5_000], 1), every: 0 }) });
    await refused('unknown-logger', 'acme', { signed: new DataLogger().read([5_000], 1) });
    const forged = `${signed.slice(0, -86)}${new DataLogger(logger.kid).read([5_000], 1).slice(-86)}`;
    await refused('readings-not-signed', 'acme', { signed: forged });
    const tomorrow = new Date(desk.world.clockMs + 86_400_000).toISOString();
    await refused('readings-ahead', 'acme', { signed: logger.sign({ from: tomorrow, every: 1, readings: [5_000] }) });
    await desk.world.submit('acme', 'supply:climate', call({ ...unit, signed }));
    await refused('readings-known', 'acme', {});
    // The same batch counts for what else was in the room; other readings of the same hour do not.
    const second = await kept('cold');
    await desk.world.submit('acme', 'supply:climate', call({ ...second, signed }));
    const again = logger.sign({ from: started, every: 1, readings: [6_000] });
    await refused('readings-known', 'acme', { ...(await kept('cold')), signed: again });
  });

  it('registers a key under its own thumbprint, by its member alone, and believes it no more once it ended', async () => {
    const refused = (code: string, member: string, request: object, actor: object = operator) =>
      desk.world.refused(code, member, 'supply:logger', call(request, actor));
    const { jwk } = logger;
    await refused('kid-not-thumbprint', 'acme', { jwk: new DataLogger('cold-room-7').jwk, standing: 'registered' });
    await refused('logger-taken', 'stmary', { jwk, standing: 'ended' });
    await refused('not-your-role', 'acme', { jwk, standing: 'ended' }, { ...operator, role: 'biller' });
    const unit = await kept('cold');
    await desk.world.submit('acme', 'supply:logger', call({ jwk, standing: 'ended' }));
    const signed = logger.read([5_000], 1);
    await desk.world.refused('unknown-logger', 'acme', 'supply:climate', call({ ...unit, signed }));
  });

  it(`takes at most ${MAX_READINGS} readings and ${MAX_BATCH_CHARACTERS} characters at once`, async () => {
    const unit = await kept('cold');
    const most = times(MAX_READINGS, 5_000);
    const refused = (signed: string) =>
      desk.world.refused('invalid-request', 'acme', 'supply:climate', call({ ...unit, signed }));
    await refused(logger.sign(logger.batch([...most, 5_000], 1, 40 * 86_400_000)));
    await refused(logger.sign(logger.batch([5_000], 1), { note: 'x'.repeat(MAX_BATCH_CHARACTERS) }));
    const signed = logger.read(most, 1, 40 * 86_400_000);
    await desk.world.submit('acme', 'supply:climate', call({ ...unit, signed }));
  });
});
