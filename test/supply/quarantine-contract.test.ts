import assert from 'node:assert/strict';

import { random } from '../support/contract-world.js';
import { DataLogger } from './data-logger.js';
import { call, freshDesk, LotOfUnits, operator, pharmacist, quality, regulator, sealed } from './world.js';

describe('what is taken out of a container in quarantine', () => {
  const desk = freshDesk();
  const { act, refused, statusOf } = desk;
  const premises = random();

  /** A pallet of acme's with a cold lot, and what opens it. */
  const pallet = async () => {
    const lot = new LotOfUnits(4);
    const storage = { kind: 'cold', allowance: 60 };
    await desk.world.submit('acme', 'supply:commit', call(lot.request({ storage })));
    const [container, salt] = [random(), random()];
    const children = lot.units.content(true);
    await desk.world.submit('acme', 'supply:pack', call({ container, children, lots: [lot.lotId], moved: [], salt }));
    const origin = (unit: string) => lot.origin(unit, { container, tree: lot.units });
    return { lot, container, salt, origin };
  };
  /** Readings of a frost, by a logger of acme's, of what acme holds. */
  const frost = async (item: object): Promise<void> => {
    const logger = new DataLogger();
    await desk.world.submit('acme', 'supply:logger', call({ jwk: logger.jwk, standing: 'registered' }));
    await desk.world.submit('acme', 'supply:climate', call({ ...item, signed: logger.read([0], 10) }));
  };
  const hold = (member: string, item: object, actor: object = operator) =>
    desk.world.submit(member, 'supply:quarantine', call({ of: 'item', standing: 'held', ...item }, actor));
  const release = (item: string) => call({ of: 'item', id: item, standing: 'released' }, quality);
  const heldOf = async (item: string) => (await statusOf(item)).quarantine ?? undefined;

  it('stays in quarantine where a unit is received by itself, excursion and all', async () => {
    const { lot, container, salt, origin } = await pallet();
    const [unit, receiver] = [lot.unit(0), sealed('stmary')];
    await act('acme', { act: 'ship', item: container, salt, to: receiver.to });
    await frost({ item: container, salt });
    await act('stmary', { act: 'receive', item: unit, salt: receiver.salt, origin: origin(unit) });
    const { item, quarantine } = await statusOf(unit);
    assert.deepEqual([item?.state, item?.parent], ['active', undefined]);
    assert.deepEqual([quarantine?.id, quarantine?.standing, quarantine?.excursion], [unit, 'held', 'too-cold']);
    const dispense = { act: 'dispense', item: unit, salt: receiver.salt, premises };
    await refused('quarantined', 'stmary', dispense, pharmacist);
    await desk.world.refused('quarantine-not-yours', 'stmary', 'supply:quarantine', release(unit));
    // Two persons of whoever holds it now decide, as they would have of the pallet.
    for (const person of [random(), random()]) {
      const decision = { item: unit, decision: 'release', person, salt: receiver.salt };
      await desk.world.submit('stmary', 'supply:decide', call(decision, quality));
    }
    await act('stmary', dispense, pharmacist);
  });

  it('stays in quarantine where a unit is decommissioned, and cannot be undone meanwhile', async () => {
    const { lot, container, salt, origin } = await pallet();
    const unit = lot.unit(1);
    await hold('acme', { id: container, salt });
    await act('acme', { act: 'decommission', item: unit, salt, premises, reason: 'locked', origin: origin(unit) });
    assert.equal((await heldOf(unit))?.by, 'acme');
    const undo = { act: 'undo', item: unit, salt, premises, supplied: 'no' };
    await refused('quarantined', 'acme', undo);
    await desk.world.submit('acme', 'supply:quarantine', release(container));
    await refused('quarantined', 'acme', undo);
    await desk.world.submit('acme', 'supply:quarantine', release(unit));
    await act('acme', undo);
  });

  it('stays in quarantine where a unit is returned, to oneself too', async () => {
    const { lot, container, salt, origin } = await pallet();
    const [unit, self] = [lot.unit(2), sealed('acme')];
    await hold('authority', { id: container }, regulator);
    await act('acme', { act: 'return', item: unit, salt, to: self.to, origin: origin(unit) });
    await act('acme', { act: 'receive', item: unit, salt: self.salt });
    await refused('quarantined', 'acme', { act: 'verify-return', item: unit, salt: self.salt });
    await desk.world.refused('quarantine-not-yours', 'acme', 'supply:quarantine', release(unit));
    assert.equal((await heldOf(unit))?.by, 'authority');
  });

  it('stays condemned for good', async () => {
    const { lot, container, salt, origin } = await pallet();
    const [unit, self] = [lot.unit(3), sealed('acme')];
    await frost({ item: container, salt });
    for (const person of [random(), random()]) {
      const decision = { item: container, decision: 'destroy', person, salt };
      await desk.world.submit('acme', 'supply:decide', call(decision, quality));
    }
    await act('acme', { act: 'return', item: unit, salt, to: self.to, origin: origin(unit) });
    await act('acme', { act: 'receive', item: unit, salt: self.salt });
    await desk.world.refused('condemned', 'authority', 'supply:quarantine', call({ ...held(unit) }, regulator));
    assert.equal((await heldOf(unit))?.signatures?.length, 2);
  });
  const held = (id: string) => ({ of: 'item', id, standing: 'released' });

  it('stays held by each who held it or its container, until each has released it', async () => {
    const { lot, container, salt, origin } = await pallet();
    const unit = lot.unit(0);
    await hold('authority', { id: container }, regulator);
    await hold('acme', { id: unit, salt, origin: origin(unit) });
    const both = await heldOf(unit);
    assert.deepEqual([both?.by, both?.also], ['acme', ['authority']]);
    await desk.world.submit('acme', 'supply:quarantine', release(unit));
    assert.equal((await heldOf(unit))?.by, 'authority');
    await desk.world.refused('quarantine-not-yours', 'acme', 'supply:quarantine', release(unit));
    await desk.world.submit('authority', 'supply:quarantine', call(held(unit), regulator));
    assert.equal(await heldOf(unit), undefined);
  });

  it('is held by a second one for itself, and by hand still once two persons released an excursion', async () => {
    const [unit, salt] = [desk.lot.unit(0), await desk.delivered(desk.lot.unit(0), 'stmary')];
    await hold('stmary', { id: unit, salt });
    await desk.world.refused(
      'quarantine-standing',
      'stmary',
      'supply:quarantine',
      call({ ...held(unit), standing: 'held', salt }),
    );
    await desk.world.refused('not-yours', 'acme', 'supply:quarantine', call({ ...held(unit), standing: 'held', salt }));
    await hold('authority', { id: unit }, regulator);
    await desk.world.submit('stmary', 'supply:quarantine', release(unit));
    await refused('quarantined', 'stmary', { act: 'dispense', item: unit, salt, premises }, pharmacist);
    const { lot, container, salt: own } = await pallet();
    assert.equal(lot.units.ids.length, 4);
    await hold('authority', { id: container }, regulator);
    await frost({ item: container, salt: own });
    for (const person of [random(), random()]) {
      const decision = { item: container, decision: 'release', person, salt: own };
      await desk.world.submit('acme', 'supply:decide', call(decision, quality));
    }
    await refused('quarantined', 'acme', { act: 'ship', item: container, salt: own, to: random() });
    await desk.world.refused('quarantine-not-yours', 'acme', 'supply:quarantine', release(container));
  });

  it('is held by hand beside an excursion by whoever brought the readings, too', async () => {
    const { container, salt } = await pallet();
    await frost({ item: container, salt });
    await hold('acme', { id: container, salt });
    const again = call({ of: 'item', standing: 'held', id: container, salt });
    await desk.world.refused('quarantine-standing', 'acme', 'supply:quarantine', again);
    for (const person of [random(), random()]) {
      const decision = { item: container, decision: 'release', person, salt };
      await desk.world.submit('acme', 'supply:decide', call(decision, quality));
    }
    await refused('quarantined', 'acme', { act: 'ship', item: container, salt, to: random() });
    await desk.world.submit('acme', 'supply:quarantine', release(container));
    await act('acme', { act: 'ship', item: container, salt, to: random() });
  });

  it('is set apart where it is put in quarantine itself: it goes nowhere with its container', async () => {
    const { lot, container, salt, origin } = await pallet();
    const [unit, receiver] = [lot.unit(0), sealed('stmary')];
    await hold('authority', { id: unit, origin: origin(unit) }, regulator);
    await act('acme', { act: 'ship', item: container, salt, to: receiver.to });
    await act('stmary', { act: 'receive', item: container, salt: receiver.salt });
    await refused(
      'not-yours',
      'stmary',
      { act: 'dispense', item: unit, salt: receiver.salt, premises, origin: origin(unit) },
      pharmacist,
    );
    assert.equal((await statusOf(unit)).item?.state, 'active');
    await refused('quarantined', 'acme', { act: 'ship', item: unit, salt, to: receiver.to });
    await desk.world.submit('authority', 'supply:quarantine', call(held(unit), regulator));
    await act('acme', { act: 'ship', item: unit, salt, to: receiver.to });
  });

  it('is not packed, though nobody acted on it before', async () => {
    const [unit, salt] = [desk.lot.unit(1), random()];
    await hold('acme', { id: unit, salt, origin: desk.lot.origin(unit) });
    const [container, children] = [random(), desk.lot.units.content(true)];
    const packing = { container, children, lots: [desk.lot.lotId], salt: random() };
    const moved = [{ item: unit, salt }];
    await desk.world.refused('quarantined', 'acme', 'supply:pack', call({ ...packing, moved }));
    // Left out of those that have a record it is in no container on the ledger.
    await desk.world.submit('acme', 'supply:pack', call({ ...packing, moved: [] }));
    const receiver = sealed('stmary');
    await act('acme', { act: 'ship', item: container, salt: packing.salt, to: receiver.to });
    assert.equal((await statusOf(unit)).item?.state, 'active');
    await refused('not-in-transit', 'stmary', { act: 'receive', item: unit, salt: receiver.salt });
  });

  it('takes minutes of its container along where readings of its own set it apart', async () => {
    const { lot, container, salt, origin } = await pallet();
    const unit = lot.unit(0);
    const logger = new DataLogger();
    await desk.world.submit('acme', 'supply:logger', call({ jwk: logger.jwk, standing: 'registered' }));
    const log = (item: object, readings: readonly number[]) =>
      desk.world.submit('acme', 'supply:climate', call({ ...item, salt, signed: logger.read(readings, 10) }));
    await log({ item: container }, [9_000, 9_000]);
    const { rwset } = await log({ item: unit, origin: origin(unit) }, [9_000, 0]);
    const [climate] = [...(rwset.writes.get('') ?? [])].filter(([key]) => key.includes('climate'));
    assert.equal((JSON.parse(String(climate?.[1])) as { minutesOut: number }).minutesOut, 40);
    assert.equal((await heldOf(unit))?.excursion, 'too-cold');
    await refused('quarantined', 'acme', { act: 'ship', item: unit, salt, to: random() });
    await act('acme', { act: 'ship', item: container, salt, to: random() });
    assert.equal((await statusOf(unit)).item?.state, 'active');
  });
});
