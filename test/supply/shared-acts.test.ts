import assert from 'node:assert/strict';

import { networkOfSuite } from '../support/network.js';
import { pack, sscc, tell, TradeSystem } from './packs.js';

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
