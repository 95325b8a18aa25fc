import assert from 'node:assert/strict';

import { random } from '../support/contract-world.js';
import { call, freshDesk, LotOfUnits, pharmacist, PREFIX, quality, sealed, Tree } from './world.js';

describe('the way back', () => {
  const desk = freshDesk();
  const { act, refused, statusOf, delivered } = desk;
  const premises = random();

  it('of what is recalled goes on over every hand to its maker', async () => {
    const [unit, first, second] = [desk.lot.unit(0), sealed('northside'), sealed('acme')];
    const salt = await delivered(unit, 'stmary');
    await desk.world.submit('acme', 'supply:recall', call({ lotId: desk.lot.lotId }, quality));
    await act('stmary', { act: 'return', item: unit, salt, to: first.to });
    await act('northside', { act: 'receive', item: unit, salt: first.salt });
    await refused('recalled', 'northside', { act: 'verify-return', item: unit, salt: first.salt });
    await act('northside', { act: 'return', item: unit, salt: first.salt, to: second.to });
    await act('acme', { act: 'receive', item: unit, salt: second.salt });
    assert.equal((await statusOf(unit)).item?.state, 'returned');
    const end = { act: 'decommission', item: unit, salt: second.salt, premises, reason: 'destroyed' };
    await act('acme', end);
  });

  it('of what its receiver declines leads to its shipper alone, who ends what was stolen', async () => {
    const [container, own, receiver, carrier] = [random(), random(), sealed('stmary'), sealed('northside')];
    const inside = new Tree(desk.lot.units.ids.slice(0, 2));
    const children = inside.content(true);
    const packing = { container, children, lots: [desk.lot.lotId], moved: [], salt: own };
    await desk.world.submit('acme', 'supply:pack', call(packing));
    await act('acme', { act: 'ship', item: container, salt: own, to: receiver.to });
    await act('acme', { act: 'hand-over', item: container, salt: own, to: carrier.to });
    const decline = { act: 'decline', item: container };
    await refused('not-the-receiver', 'acme', { act: 'receive', item: container, salt: own });
    await refused('not-the-receiver', 'acme', { ...decline, salt: own });
    await refused('not-the-receiver', 'northside', { ...decline, salt: carrier.salt });
    await act('stmary', { ...decline, salt: receiver.salt });
    await refused('not-the-receiver', 'stmary', { act: 'receive', item: container, salt: receiver.salt });
    const unit = desk.lot.unit(0);
    const origin = desk.lot.origin(unit, { container, tree: inside });
    await act('acme', { act: 'receive', item: container, salt: own });
    const { item } = await statusOf(container);
    assert.deepEqual([item?.state, item?.owner], ['returned', item?.holder]);
    await refused('return-not-verified', 'acme', { act: 'ship', item: container, salt: own, to: random() });
    await act('acme', { act: 'decommission', item: unit, salt: own, premises, reason: 'stolen', origin });
    await refused('decommissioned', 'stmary', { act: 'dispense', item: unit, salt: own, premises }, pharmacist);
  });

  it('is opened for a manufacturer’s lots by the licensee of their company prefix, too', async () => {
    const standing = { prefix: PREFIX, member: 'stmary', standing: 'authorised' };
    await desk.world.submit('acme', 'supply:authorise', call(standing));
    const lot = new LotOfUnits(1);
    await desk.world.submit('stmary', 'supply:commit', call(lot.request()));
    const recall = call({ lotId: lot.lotId }, quality);
    await desk.world.refused('not-yours', 'northside', 'supply:recall', recall);
    await desk.world.submit('acme', 'supply:recall', recall);
  });
});
