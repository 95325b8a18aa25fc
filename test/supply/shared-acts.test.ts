import assert from 'node:assert/strict';

import { MAX_ACTS } from '@salus/chaincode/supply/api';

import { random } from '../support/contract-world.js';
import { networkOfSuite } from '../support/network.js';
import { pack, sscc, tell, TradeSystem } from './packs.js';
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
    const packed = { container, children: { root: tree.root, count: 1 }, lots: [desk.lot.lotId], moved: [first], salt };
    await desk.world.submit('stmary', 'supply:pack', call(packed));
    const shipped = { act: 'ship', item: container, salt, to: sealed('northside').to };
    await refused('acts-collide', [{ ...dispense, salt }, shipped]);
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

describe('packs that are dispensed at the same moment', function () {
  this.timeout(120_000);
  const network = networkOfSuite();

  /** How many records of packs and containers each transaction wrote, from this block on. */
  async function itemsWritten(): Promise<readonly number[]> {
    const written: number[] = [];
    for (let number = 0; ; number += 1) {
      const headers = { accept: 'application/json' };
      const { status, body } = await network.ask('authority', `/ledger/blocks/${number}`, { headers });
      if (status !== 200) return written;
      const transactions = (body['transactions'] ?? []) as readonly { readonly writes: readonly { key?: string }[] }[];
      written.push(
        ...transactions.map(({ writes }) => writes.filter(({ key }) => key?.includes('item') === true).length),
      );
    }
  }

  it('share transactions, and each is told of its own: those that are refused do not hold the others up', async () => {
    const [acme, stmary] = [new TradeSystem(network, 'acme'), new TradeSystem(network, 'stmary')];
    const serials = Array.from({ length: 12 }, (_, index) => 7_001 + index);
    const pallet = sscc(7_001);
    await acme.capture(
      'supply-operator',
      tell.commissioned(serials, 'TOGETHER'),
      tell.packed(pallet, serials.map(pack)),
      tell.shipped([pallet], 'stmary'),
    );
    assert.deepEqual(await stmary.does('pharmacist', 'acts', { act: 'receive', epcs: [pallet] }), ['done']);
    const dispense = (epcs: readonly string[]): Promise<readonly string[]> =>
      stmary.does('pharmacist', 'acts', { act: 'dispense', epcs, place: 'pharmacy' });
    const good = serials.slice(0, 8).map(pack);
    assert.deepEqual(
      await dispense(good),
      good.map(() => 'done'),
    );
    assert.ok(Math.max(...(await itemsWritten())) >= 4, 'each was dispensed in a transaction of its own');
    const mixed = [pack(7_009), pack(7_001), pack(7_010), pack(7_002)];
    assert.deepEqual(await dispense(mixed), ['done', 'already-dispensed', 'done', 'already-dispensed']);
    const twice = await Promise.all([dispense([pack(7_011), pack(7_012)]), dispense([pack(7_012), pack(7_011)])]);
    assert.deepEqual(twice.flat().sort(), ['already-dispensed', 'already-dispensed', 'done', 'done']);
  });
});
