import assert from 'node:assert/strict';

import { MAX_DEPTH, MAX_MOVED } from '@salus/chaincode/supply/api';

import { random } from '../support/contract-world.js';
import { call, freshDesk, LotOfUnits, pharmacist, PREFIX, sealed, Tree } from './world.js';

describe('containers on the ledger', () => {
  const desk = freshDesk();
  const { act, refused, statusOf } = desk;
  const premises = random();

  it('ships a pallet with all inside in one write, and a unit taken from it keeps its own truth', async () => {
    const [unit, left] = [desk.lot.unit(0), desk.lot.unit(1)];
    const inside = new Tree(desk.lot.units.ids.slice(0, 3));
    const [container, pallet, salt, receiver] = [random(), random(), random(), sealed('stmary')];
    const packed = { container, children: inside.content(true), lots: [desk.lot.lotId], moved: [], salt };
    await desk.world.refused('forged-parent', 'stmary', 'supply:pack', call({ ...packed, container: random() }));
    await desk.world.refused('unknown-lot', 'acme', 'supply:pack', call({ ...packed, lots: [random()] }));
    const { rwset: packing } = await desk.world.submit('acme', 'supply:pack', call(packed));
    assert.deepEqual(JSON.parse(String(packing.event?.payload)), { acts: [{ item: container, act: 'pack' }] });
    await desk.world.refused('container-exists', 'acme', 'supply:pack', call(packed));
    await act('acme', { act: 'unpack', item: left, salt, origin: desk.lot.origin(left, { container, tree: inside }) });
    const tree = new Tree([container]);
    const onPallet = {
      container: pallet,
      children: tree.content(false),
      lots: [desk.lot.lotId],
      moved: [{ item: container, salt }],
      salt,
    };
    await desk.world.submit('acme', 'supply:pack', call(onPallet));
    const { rwset } = await act('acme', { act: 'ship', item: pallet, salt, to: receiver.to });
    assert.equal(rwset.writes.get('')?.size, 1);
    await act('stmary', { act: 'receive', item: pallet, salt: receiver.salt });
    const origin = desk.lot.origin(unit, { container, tree: inside });
    await refused('not-in-container', 'stmary', {
      act: 'unpack',
      item: desk.lot.unit(3),
      salt: receiver.salt,
      origin: { ...desk.lot.origin(desk.lot.unit(3)), within: origin.within },
    });
    await refused('not-yours', 'acme', { act: 'unpack', item: unit, salt, origin });
    await act('stmary', { act: 'dispense', item: unit, salt: receiver.salt, premises, origin }, pharmacist);
    assert.equal((await statusOf(pallet)).item?.state, 'active');
    assert.equal((await statusOf(unit)).item?.state, 'dispensed');
    await refused('not-yours', 'stmary', { act: 'unpack', item: left, salt: receiver.salt });
  });

  it('says nothing of how much lies in it, whatever is taken out of it', async () => {
    const [salt, lots] = [random(), [desk.lot.lotId]];
    const seen = [];
    for (const count of [1, 4]) {
      const tree = new Tree(desk.lot.units.ids.slice(0, count));
      const container = random();
      const packed = { container, children: tree.content(true), lots, moved: [], salt };
      const { rwset } = await desk.world.submit('acme', 'supply:pack', call(packed));
      const written = [...(rwset.writes.get('')?.values() ?? [])].map((value) => String(value));
      const { path } = tree.place(tree.ids[0] ?? '');
      seen.push([JSON.stringify(packed), ...written, JSON.stringify(path)].map(({ length }) => length));
    }
    assert.deepEqual(seen[0], seen[1]);
  });

  it('keeps one owner of a unit that its issuer disposes of twice: whoever acts on it first', async () => {
    const [unit, other, salt] = [desk.lot.unit(0), desk.lot.unit(1), random()];
    const tree = new Tree([unit, other]);
    const lots = [desk.lot.lotId];
    const cases = ['stmary', 'northside'].map((member) => ({ container: random(), member, receiver: sealed(member) }));
    for (const { container, member, receiver } of cases) {
      await desk.world.submit(
        'acme',
        'supply:pack',
        call({ container, children: tree.content(true), lots, moved: [], salt }),
      );
      await act('acme', { act: 'ship', item: container, salt, to: receiver.to });
      await act(member, { act: 'receive', item: container, salt: receiver.salt });
    }
    const dispensed = (item: string, { container, receiver }: (typeof cases)[number]) => {
      const origin = desk.lot.origin(item, { container, tree });
      return { act: 'dispense', item, salt: receiver.salt, premises, origin };
    };
    const [first, second] = cases as [(typeof cases)[number], (typeof cases)[number]];
    await act('stmary', dispensed(unit, first), pharmacist);
    await refused('already-dispensed', 'northside', dispensed(unit, second), pharmacist);
    const away = sealed('northside');
    await act('acme', { act: 'ship', item: other, salt, to: away.to, origin: desk.lot.origin(other) });
    await act('northside', { act: 'receive', item: other, salt: away.salt });
    await refused('not-yours', 'stmary', dispensed(other, first), pharmacist);
  });

  it('refuses a container by somebody else for units without records, however it is claimed', async () => {
    const unit = desk.lot.unit(0);
    const own = new LotOfUnits(2);
    await desk.world.submit(
      'acme',
      'supply:authorise',
      call({ prefix: PREFIX, member: 'stmary', standing: 'authorised' }),
    );
    await desk.world.submit('stmary', 'supply:commit', call(own.request()));
    const tree = new Tree([unit]);
    const [container, salt] = [random(), random()];
    await desk.world.submit(
      'stmary',
      'supply:pack',
      call({ container, children: tree.content(true), lots: [own.lotId], moved: [], salt }),
    );
    await refused('forged-parent', 'stmary', {
      act: 'unpack',
      item: unit,
      salt,
      origin: desk.lot.origin(unit, { container, tree }),
    });
  });

  it(`holds at most ${MAX_DEPTH} containers inside one another, and moves at most ${MAX_MOVED} children`, async () => {
    const salt = random();
    let child = { item: desk.lot.unit(0), salt };
    await act('acme', { act: 'unpack', item: child.item, salt, origin: desk.lot.origin(child.item) });
    const packing = () => {
      const tree = new Tree([child.item]);
      return {
        container: random(),
        children: tree.content(false),
        lots: [desk.lot.lotId],
        moved: [child],
        salt,
      };
    };
    for (let depth = 1; depth <= MAX_DEPTH; depth += 1) {
      const request = packing();
      await desk.world.submit('acme', 'supply:pack', call(request));
      child = { item: request.container, salt };
    }
    await desk.world.refused('too-deep', 'acme', 'supply:pack', call(packing()));
    const moved = Array.from({ length: MAX_MOVED + 1 }, () => ({ item: random(), salt }));
    await desk.world.refused('invalid-request', 'acme', 'supply:pack', call({ ...packing(), moved }));
    await desk.world.refused(
      'unknown-item',
      'acme',
      'supply:pack',
      call({ ...packing(), moved: [{ item: random(), salt }] }),
    );
    await desk.world.refused(
      'not-in-possession',
      'acme',
      'supply:pack',
      call({ ...packing(), moved: [{ item: desk.lot.unit(0), salt }] }),
    );
    await desk.world.refused('incomplete-act', 'acme', 'supply:pack', call({ ...packing(), moved: [] }));
  });
});
