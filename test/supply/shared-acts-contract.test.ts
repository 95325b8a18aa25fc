import assert from 'node:assert/strict';

import { MAX_ACTS } from '@salus/chaincode/supply/api';

import { random } from '../support/contract-world.js';
import { call, freshDesk, pharmacist, sealed, Tree } from './world.js';

describe('acts that share a transaction, by the contracts', () => {
  const desk = freshDesk();
  const premises = random();

  /** Five units of acme's in stmary's hands, each with what opens it. */
  const inHand = async (): Promise<readonly { readonly item: string; readonly salt: string }[]> => {
    const found = [];
    for (const item of desk.lot.units.ids) found.push({ item, salt: await desk.delivered(item, 'stmary') });
    return found;
  };
  const refused = (code: string, acts: readonly object[]): Promise<void> =>
    desk.world.refused(code, 'stmary', 'supply:acts', call({ acts }, pharmacist));

  it('take effect together, with a fill each, or none of them does', async () => {
    const packs = await inHand();
    const [fill, unknown] = [random(), random()];
    await desk.world.submit('stmary', 'supply:fill', call({ fill }, pharmacist));
    const dispense = packs.map((each) => ({ act: 'dispense', ...each, premises }));
    const [first, second, third, ...rest] = dispense;
    await refused('unknown-fill', [
      { ...first, fill },
      { ...second, fill: unknown },
    ]);
    await refused('not-yours', [{ ...first }, { ...second, salt: random() }]);
    assert.equal((await desk.statusOf(packs[0]?.item ?? '')).item?.state, 'active');
    const { rwset } = await desk.world.submit(
      'stmary',
      'supply:acts',
      call({ acts: [{ ...first, fill }, second, third] }, pharmacist),
    );
    assert.equal(rwset.writes.get('')?.size, 4);
    assert.equal(rwset.event?.name, 'supply:changed');
    const told = [first, second, third].map((each) => ({ item: each?.item, act: 'dispense' }));
    assert.deepEqual(JSON.parse(String(rwset.event.payload)), { acts: told });
    await refused('already-dispensed', [...rest, third ?? {}]);
    assert.equal((await desk.statusOf(packs[4]?.item ?? '')).item?.state, 'active');
  });

  it('are refused where one bears on another: a pack twice, a fill twice, a container and what lies in it', async () => {
    const [first, second] = await inHand();
    const fill = random();
    await desk.world.submit('stmary', 'supply:fill', call({ fill }, pharmacist));
    const dispense = { act: 'dispense', ...first, premises };
    await refused('acts-collide', [dispense, dispense]);
    await refused('acts-collide', [
      { ...dispense, fill },
      { ...dispense, ...second, fill },
    ]);
    await refused('acts-collide', [dispense, { act: 'decommission', ...first, premises, reason: 'stolen' }]);
    const [container, salt, tree] = [random(), random(), new Tree([first?.item ?? ''])];
    const packed = { container, children: tree.content(false), lots: [desk.lot.lotId], moved: [first], salt };
    await desk.world.submit('stmary', 'supply:pack', call(packed));
    const shipped = { act: 'ship', item: container, salt, to: sealed('northside').to };
    await refused('acts-collide', [{ ...dispense, salt }, shipped]);
  });

  it('read what they have in common once', async () => {
    const acts = (await inHand()).map((each) => ({ act: 'dispense', ...each, premises }));
    const { status, rwset } = await desk.world.evaluate('stmary', 'supply:acts', call({ acts }, pharmacist));
    const keys = rwset.reads.map(({ key }) => key);
    assert.equal(status, 200);
    assert.ok(keys.length > acts.length);
    assert.equal(new Set(keys).size, keys.length);
  });

  it(`are at most ${MAX_ACTS}`, async () => {
    const acts = (count: number): readonly object[] =>
      Array.from({ length: count }, () => ({ act: 'dispense', item: random(), salt: random(), premises }));
    await refused('unknown-item', acts(MAX_ACTS));
    await refused('invalid-request', acts(MAX_ACTS + 1));
    await refused('invalid-request', []);
  });

  it('lose a race as a whole to whoever acts on one of them first', async () => {
    const [first, second] = await inHand();
    const dispense = (each: object | undefined): object => ({ act: 'dispense', ...each, premises });
    const shared = call({ acts: [dispense(first), dispense(second)] }, pharmacist);
    const together = await desk.world.evaluate('stmary', 'supply:acts', shared);
    const alone = await desk.world.evaluate('stmary', 'supply:act', call(dispense(second), pharmacist));
    assert.deepEqual([desk.world.commit(alone), desk.world.commit(together)], ['VALID', 'MVCC_READ_CONFLICT']);
    assert.equal((await desk.statusOf(first?.item ?? '')).item?.state, 'active');
  });
});
