import assert from 'node:assert/strict';

import { MAX_UNITS, UNDO_DAYS } from '@salus/chaincode/supply/api';

import { random } from '../support/contract-world.js';
import { call, freshDesk, LotOfUnits, operator, pharmacist, PREFIX, quality, regulator, sealed } from './world.js';

const DAY_MS = 86_400_000;

describe('supply on the ledger', () => {
  const desk = freshDesk();
  const { act, refused, statusOf, delivered } = desk;
  const premises = random();

  it('commits a lot in one write, for the licensee or whom it authorised', async () => {
    const other = new LotOfUnits(3);
    await desk.world.refused('not-licensee', 'stmary', 'supply:commit', call(other.request()));
    await desk.world.refused(
      'not-licensee',
      'stmary',
      'supply:authorise',
      call({ prefix: PREFIX, member: 'stmary', standing: 'authorised' }),
    );
    await desk.world.submit(
      'acme',
      'supply:authorise',
      call({ prefix: PREFIX, member: 'stmary', standing: 'authorised' }),
    );
    const { rwset } = await desk.world.submit('stmary', 'supply:commit', call(other.request()));
    assert.equal(rwset.writes.get('')?.size, 1);
    await desk.world.refused('lot-exists', 'acme', 'supply:commit', call(other.request()));
    await desk.world.submit('acme', 'supply:authorise', call({ prefix: PREFIX, member: 'stmary', standing: 'ended' }));
    await desk.world.refused('not-licensee', 'stmary', 'supply:commit', call(new LotOfUnits(3).request()));
    await desk.world.refused(
      'lot-expired',
      'acme',
      'supply:commit',
      call(new LotOfUnits(3).request({ expiry: '2020-01-31' })),
    );
    await desk.world.refused('invalid-request', 'acme', 'supply:commit', call(other.request({ count: MAX_UNITS + 1 })));
  });

  it('gives a unit a record at its first act, with proof, and moves it to the receiver it names', async () => {
    const unit = desk.lot.unit(2);
    const receiver = sealed('stmary');
    await refused('unknown-item', 'acme', { act: 'ship', item: unit, salt: random(), to: receiver.to });
    const ship = { act: 'ship', item: unit, salt: random(), origin: desk.lot.origin(unit), to: receiver.to };
    await refused('unknown-lot', 'acme', { ...ship, origin: { ...desk.lot.origin(unit), lotId: random() } });
    await refused('not-in-lot', 'acme', { ...ship, item: random() });
    await refused('not-yours', 'stmary', ship);
    await refused('not-your-role', 'acme', ship, { ...operator, role: 'biller' });
    await refused('incomplete-act', 'acme', { ...ship, to: undefined });
    const { rwset } = await act('acme', ship);
    assert.equal(rwset.event?.name, 'supply:changed');
    assert.deepEqual(JSON.parse(String(rwset.event.payload)), { acts: [{ item: unit, act: 'ship' }] });
    await refused('in-transit', 'acme', ship);
    await refused('not-the-receiver', 'northside', { act: 'receive', item: unit, salt: receiver.salt });
    await act('stmary', { act: 'receive', item: unit, salt: receiver.salt });
    await refused('not-in-transit', 'stmary', { act: 'receive', item: unit, salt: receiver.salt });
    assert.equal((await statusOf(unit)).item?.state, 'active');
  });

  it('lets a carrier possess and never own', async () => {
    const unit = desk.lot.unit(0);
    const [receiver, carrier, salt] = [sealed('stmary'), sealed('northside'), random()];
    await act('acme', { act: 'ship', item: unit, salt, origin: desk.lot.origin(unit), to: receiver.to });
    await refused('incomplete-act', 'acme', { act: 'hand-over', item: unit, salt });
    await act('acme', { act: 'hand-over', item: unit, salt, to: carrier.to });
    const { item } = await statusOf(unit);
    assert.notEqual(item?.owner, item?.holder);
    await refused('in-transit', 'northside', { act: 'dispense', item: unit, salt: carrier.salt, premises }, pharmacist);
    await act('stmary', { act: 'receive', item: unit, salt: receiver.salt });
    const after = (await statusOf(unit)).item;
    assert.equal(after?.owner, after?.holder);
  });

  it('dispenses a pack once, at a pharmacy, and spends one fill with it', async () => {
    const unit = desk.lot.unit(1);
    const salt = await delivered(unit, 'stmary');
    const fill = random();
    const dispense = { act: 'dispense', item: unit, salt, premises, fill };
    await refused('not-your-role', 'stmary', dispense);
    await refused('unknown-fill', 'stmary', dispense, pharmacist);
    await desk.world.submit('stmary', 'supply:fill', call({ fill }, pharmacist));
    await desk.world.refused('fill-exists', 'stmary', 'supply:fill', call({ fill }, pharmacist));
    await refused('incomplete-act', 'stmary', { ...dispense, premises: undefined }, pharmacist);
    await act('stmary', dispense, pharmacist);
    await refused('already-dispensed', 'stmary', dispense, pharmacist);
    const second = desk.lot.unit(3);
    const secondSalt = await delivered(second, 'stmary');
    await refused('fill-spent', 'stmary', { ...dispense, item: second, salt: secondSalt }, pharmacist);
    const own = {
      act: 'dispense',
      item: desk.lot.unit(4),
      salt: random(),
      origin: desk.lot.origin(desk.lot.unit(4)),
      premises,
    };
    await refused('not-a-pharmacy', 'acme', own, pharmacist);
  });

  it('lets one of two dispenses in a race win', async () => {
    const unit = desk.lot.unit(1);
    const salt = await delivered(unit, 'stmary');
    const dispense = call({ act: 'dispense', item: unit, salt, premises }, pharmacist);
    const [first, second] = [
      await desk.world.evaluate('stmary', 'supply:act', dispense),
      await desk.world.evaluate('stmary', 'supply:act', dispense),
    ];
    assert.deepEqual([desk.world.commit(first), desk.world.commit(second)], ['VALID', 'MVCC_READ_CONFLICT']);
  });

  it(`undoes an end within ${UNDO_DAYS} days, by the same actor at the same premises, never of what is gone`, async () => {
    const unit = desk.lot.unit(1);
    const salt = await delivered(unit, 'stmary');
    await act('stmary', { act: 'dispense', item: unit, salt, premises }, pharmacist);
    const undo = { act: 'undo', item: unit, salt, premises, supplied: 'no' };
    await refused('undo-elsewhere', 'stmary', { ...undo, premises: random() }, pharmacist);
    await refused('not-undoable', 'stmary', { ...undo, supplied: 'yes' }, pharmacist);
    await act('stmary', undo, pharmacist);
    await act('stmary', { act: 'decommission', item: unit, salt, premises, reason: 'stolen' });
    await refused('decommissioned', 'stmary', { act: 'dispense', item: unit, salt, premises }, pharmacist);
    await refused('not-undoable', 'stmary', undo);
    const other = desk.lot.unit(2);
    const otherSalt = await delivered(other, 'stmary');
    await act('stmary', { act: 'decommission', item: other, salt: otherSalt, premises, reason: 'sample' });
    await desk.world.pass(UNDO_DAYS * DAY_MS + 120_000, 'northside');
    await refused('undo-too-late', 'stmary', { ...undo, item: other, salt: otherSalt });
  });

  it('recalls a lot for good: no shipment, no dispense; returning it stays possible', async () => {
    const unit = desk.lot.unit(0);
    const salt = await delivered(unit, 'stmary');
    await desk.world.refused('not-your-role', 'acme', 'supply:recall', call({ lotId: desk.lot.lotId }));
    await desk.world.refused('not-yours', 'stmary', 'supply:recall', call({ lotId: desk.lot.lotId }, quality));
    await desk.world.refused('unknown-lot', 'acme', 'supply:recall', call({ lotId: random() }, quality));
    const { rwset } = await desk.world.submit('authority', 'supply:recall', call({ lotId: desk.lot.lotId }, regulator));
    assert.equal(rwset.event?.name, 'supply:recalled');
    assert.equal(rwset.writes.get('')?.size, 1);
    await desk.world.refused('already-recalled', 'acme', 'supply:recall', call({ lotId: desk.lot.lotId }, quality));
    await refused('recalled', 'stmary', { act: 'dispense', item: unit, salt, premises }, pharmacist);
    await refused('recalled', 'stmary', { act: 'ship', item: unit, salt, to: random() });
    const back = sealed('acme');
    await act('stmary', { act: 'return', item: unit, salt, to: back.to });
    await act('acme', { act: 'receive', item: unit, salt: back.salt });
    await refused('return-not-verified', 'acme', { act: 'ship', item: unit, salt: back.salt, to: random() });
    await refused('recalled', 'acme', { act: 'verify-return', item: unit, salt: back.salt });
  });

  it('voids a dispense that was endorsed before a recall and ordered after it', async () => {
    const unit = desk.lot.unit(0);
    const salt = await delivered(unit, 'stmary');
    const late = await desk.world.evaluate(
      'stmary',
      'supply:act',
      call({ act: 'dispense', item: unit, salt, premises }, pharmacist),
    );
    await desk.world.submit('acme', 'supply:recall', call({ lotId: desk.lot.lotId }, quality));
    assert.equal(desk.world.commit(late), 'MVCC_READ_CONFLICT');
  });

  it('sells a verified return again', async () => {
    const unit = desk.lot.unit(0);
    const salt = await delivered(unit, 'stmary');
    const back = sealed('acme');
    await act('stmary', { act: 'return', item: unit, salt, to: back.to });
    await act('acme', { act: 'receive', item: unit, salt: back.salt });
    await act('acme', { act: 'verify-return', item: unit, salt: back.salt });
    await act('acme', { act: 'ship', item: unit, salt: back.salt, to: random() });
  });

  it('keeps in quarantine what its holder, issuer or the regulator puts there, until that one releases it', async () => {
    const unit = desk.lot.unit(0);
    const salt = await delivered(unit, 'stmary');
    const hold = { of: 'item', id: unit, standing: 'held' };
    await desk.world.refused('not-yours', 'northside', 'supply:quarantine', call({ ...hold, salt }));
    await desk.world.refused('unknown-item', 'stmary', 'supply:quarantine', call({ ...hold, id: random(), salt }));
    const release = call({ ...hold, standing: 'released' }, quality);
    await desk.world.refused('quarantine-standing', 'stmary', 'supply:quarantine', release);
    await desk.world.submit('stmary', 'supply:quarantine', call({ ...hold, salt }));
    await refused('quarantined', 'stmary', { act: 'dispense', item: unit, salt, premises }, pharmacist);
    const moved = [{ item: unit, salt }];
    const packing = { container: random(), children: { root: random(), others: false }, lots: [desk.lot.lotId], moved };
    const pack = call({ ...packing, salt: random() });
    await desk.world.refused('quarantined', 'stmary', 'supply:pack', pack);
    await desk.world.refused('not-your-role', 'stmary', 'supply:quarantine', call({ ...hold, standing: 'released' }));
    await desk.world.refused('quarantine-not-yours', 'acme', 'supply:quarantine', release);
    await desk.world.submit('stmary', 'supply:quarantine', release);
    assert.equal((await desk.world.evaluate('stmary', 'supply:pack', pack)).status, 200);
    await desk.world.submit(
      'authority',
      'supply:quarantine',
      call({ of: 'lot', id: desk.lot.lotId, standing: 'held' }, regulator),
    );
    await refused('quarantined', 'stmary', { act: 'dispense', item: unit, salt, premises }, pharmacist);
    assert.equal((await statusOf(unit)).quarantine?.by, 'authority');
    const nowhere = call({ of: 'lot', id: random(), standing: 'held' }, regulator);
    await desk.world.refused('unknown-lot', 'authority', 'supply:quarantine', nowhere);
  });

  it('keeps a pack in quarantine that nobody acted on yet, at whoever it is proven to be', async () => {
    const [unit, salt] = [desk.lot.unit(1), random()];
    const hold = { of: 'item', id: unit, standing: 'held', salt, origin: desk.lot.origin(unit) };
    await desk.world.refused('not-yours', 'stmary', 'supply:quarantine', call(hold));
    const forged = { ...hold, origin: desk.lot.origin(desk.lot.unit(0)) };
    await desk.world.refused('not-in-lot', 'acme', 'supply:quarantine', call(forged));
    await desk.world.submit('acme', 'supply:quarantine', call(hold));
    const ship = { act: 'ship', item: unit, salt, origin: hold.origin, to: sealed('stmary').to };
    await refused('quarantined', 'acme', ship);
  });

  it('dispenses nothing whose last day is over, and nothing that another member holds', async () => {
    const today = new Date(desk.world.clockMs).toISOString().slice(0, 10);
    const short = new LotOfUnits(1);
    await desk.world.submit('acme', 'supply:commit', call(short.request({ expiry: today })));
    const [unit, receiver] = [short.unit(0), sealed('stmary')];
    await act('acme', { act: 'ship', item: unit, salt: random(), origin: short.origin(unit), to: receiver.to });
    await act('stmary', { act: 'receive', item: unit, salt: receiver.salt });
    await desk.world.pass(DAY_MS + 60_000, 'northside');
    await refused('expired', 'stmary', { act: 'dispense', item: unit, salt: receiver.salt, premises }, pharmacist);
    await refused(
      'not-a-unit',
      'stmary',
      { act: 'dispense', item: await emptyBox(), salt: boxSalt, premises },
      pharmacist,
    );
    await refused('not-in-transit', 'stmary', {
      act: 'undo',
      item: unit,
      salt: receiver.salt,
      premises,
      supplied: 'no',
    });
  });

  const boxSalt = random();
  async function emptyBox(): Promise<string> {
    const own = new LotOfUnits(1);
    await desk.world.submit(
      'acme',
      'supply:authorise',
      call({ prefix: PREFIX, member: 'stmary', standing: 'authorised' }),
    );
    await desk.world.submit('stmary', 'supply:commit', call(own.request()));
    const container = random();
    const packed = {
      container,
      children: own.units.content(true),
      lots: [own.lotId],
      moved: [],
      salt: boxSalt,
    };
    await desk.world.submit('stmary', 'supply:pack', call(packed));
    return container;
  }

  it('remembers one alert for each item, kind and member, and its triage', async () => {
    await delivered(desk.lot.unit(0), 'stmary');
    const alert = { item: desk.lot.unit(0), kind: 'clone' };
    const { rwset } = await desk.world.submit('stmary', 'supply:alert', call(alert));
    assert.equal(rwset.event?.name, 'supply:alerted');
    await desk.world.refused('alert-known', 'stmary', 'supply:alert', call(alert));
    const resolve = { ...alert, raisedBy: 'stmary', state: 'assigned', grade: 'high' };
    await desk.world.refused('not-your-role', 'acme', 'supply:resolve', call(resolve));
    await desk.world.refused(
      'unknown-alert',
      'acme',
      'supply:resolve',
      call({ ...resolve, raisedBy: 'acme' }, quality),
    );
    await desk.world.submit('acme', 'supply:resolve', call(resolve, quality));
    await desk.world.refused('not-yours', 'stmary', 'supply:resolve', call(resolve, quality));
    await desk.world.submit('acme', 'supply:resolve', call({ ...resolve, state: 'false-alarm' }, quality));
    await desk.world.refused('alert-closed', 'acme', 'supply:resolve', call(resolve, quality));
  });

  it('anchors a capture once', async () => {
    const anchor = { captureId: random(), root: random(), count: 3 };
    await desk.world.submit('acme', 'supply:anchor', call(anchor));
    await desk.world.refused('capture-exists', 'stmary', 'supply:anchor', call(anchor));
  });

  it('says nothing of an item nobody knows', async () => {
    assert.deepEqual(await statusOf(random()), { item: null, lot: null, recall: null, quarantine: null });
    assert.equal(
      (await statusOf(desk.lot.unit(0), { origin: desk.lot.origin(desk.lot.unit(0)) })).item?.state,
      'active',
    );
  });

  it('shows no member, product or serial in what an act writes', async () => {
    await delivered(desk.lot.unit(0), 'stmary');
    for (const { transaction, outcome } of desk.world.outcomes.filter((each) => each.transaction === 'supply:act')) {
      assert.doesNotMatch(outcome.inClear, /stmary|northside|acme|4012345/, transaction);
    }
  });
});
