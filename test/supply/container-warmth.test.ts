import assert from 'node:assert/strict';

import { type Climate, WINDOW_DAYS } from '@salus/chaincode/supply/api';

import { random } from '../support/contract-world.js';
import { DataLogger } from './data-logger.js';
import { call, freshDesk, LotOfUnits, quality } from './world.js';

const DAY_MS = 86_400_000;
const times = (count: number, reading: number): number[] => Array.from({ length: count }, () => reading);
const dayOf = (daysAgo: number): string => new Date(Date.now() - daysAgo * DAY_MS).toISOString().slice(0, 10);

describe('the warmth of a container a unit is taken out of', () => {
  const desk = freshDesk();
  let logger: DataLogger;
  const register = async (): Promise<void> => {
    logger = new DataLogger();
    await desk.world.submit('acme', 'supply:logger', call({ jwk: logger.jwk, standing: 'registered' }));
  };
  beforeEach(register);

  const from = (daysAgo: number): void => {
    logger.begin(Math.floor(Date.now() / DAY_MS) * DAY_MS - daysAgo * DAY_MS);
  };
  const days = async (unit: object, temperatures: readonly number[]): Promise<void> => {
    for (const each of temperatures) {
      const signed = logger.read(times(12, each), 120);
      await desk.world.submit('acme', 'supply:climate', call({ ...unit, signed }));
    }
  };
  const held = async ({ item, origin }: { item: string; origin: object }) => {
    const { quarantine } = await desk.statusOf(item, { origin });
    return quarantine?.standing === 'held' ? quarantine.excursion : undefined;
  };
  /** As it was last written. */
  const climate = ({ item }: { item: string }): Climate => {
    const written = desk.world.outcomes.flatMap(({ outcome }) => [...(outcome.rwset.writes.get('') ?? [])]);
    const found = written.findLast(([key]) => key.includes('climate') && key.includes(item));
    return JSON.parse(String(found?.[1])) as Climate;
  };

  /** Reads a unit's own days, those of a container by another logger, and takes the unit out of it. */
  const wasInside = async (
    own: { readonly daysAgo: number; readonly temperatures: readonly number[] },
    inside: { readonly daysAgo: number; readonly temperatures: readonly number[] },
    between: (unit: { readonly item: string; readonly salt: string; readonly origin: object }) => Promise<void> = () =>
      Promise.resolve(),
  ) => {
    const lot = new LotOfUnits(2);
    const storage = { kind: 'controlled-room', allowance: 0 };
    await desk.world.submit('acme', 'supply:commit', call(lot.request({ storage })));
    const [container, salt, item] = [random(), random(), lot.unit(0)];
    from(own.daysAgo);
    await days({ item, salt, origin: lot.origin(item) }, own.temperatures);
    await between({ item, salt, origin: lot.origin(item) });
    // What was in quarantine has a record of its own since.
    const moved = (await desk.statusOf(item)).item === null ? [] : [{ item, salt }];
    const packing = { container, children: lot.units.content(true), lots: [lot.lotId], moved, salt };
    await desk.world.submit('acme', 'supply:pack', call(packing));
    await register();
    from(inside.daysAgo);
    await days({ item: container, salt }, inside.temperatures);
    const origin = lot.origin(item, { container, tree: lot.units });
    await desk.act('acme', { act: 'unpack', item, salt, origin });
    return { item, salt, origin };
  };

  it('keeps the heat of a container where it pushes as many of the own days out of the window', async () => {
    const inside = { daysAgo: 32, temperatures: [...times(15, 20_000), ...times(15, 28_000)] };
    const unit = await wasInside({ daysAgo: 62, temperatures: times(WINDOW_DAYS, 20_000) }, inside);
    const kept = climate(unit).days?.map(({ day }) => day) ?? [];
    assert.deepEqual([kept.length, kept.at(0), kept.at(-1)], [WINDOW_DAYS, dayOf(32), dayOf(3)]);
    await days({ item: unit.item, salt: unit.salt }, times(2, 25_000));
    assert.equal(await held(unit), 'mean-kinetic-temperature', `${climate(unit).meanKinetic ?? ''}`);
  });

  it('adds the days of a container to the own ones of the same dates', async () => {
    const unit = await wasInside(
      { daysAgo: 20, temperatures: times(3, 20_000) },
      { daysAgo: 20, temperatures: times(3, 24_000) },
    );
    assert.deepEqual(
      climate(unit).days?.map(({ day, minutes }) => [day, minutes]),
      [20, 19, 18].map((daysAgo) => [dayOf(daysAgo), 2_880]),
    );
  });

  it('judges heat of a container anew, though the own heat before it was released', async () => {
    const unit = await wasInside(
      { daysAgo: 20, temperatures: [24_000, 29_000, 29_000] },
      { daysAgo: 17, temperatures: [20_000, 26_000] },
      async (own) => {
        for (const person of [random(), random()]) {
          await desk.world.submit('acme', 'supply:decide', call({ ...own, decision: 'release', person }, quality));
        }
      },
    );
    assert.equal(await held(unit), undefined);
    await days({ item: unit.item, salt: unit.salt }, [22_000]);
    assert.equal(await held(unit), 'mean-kinetic-temperature', `${climate(unit).meanKinetic ?? ''}`);
  });
});
