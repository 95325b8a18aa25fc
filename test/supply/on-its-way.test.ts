import assert from 'node:assert/strict';

import { handoversOf } from '@salus/gateway/supply/packs/handover';
import { hearHandover } from '@salus/gateway/supply/packs/hearing';
import { tell } from '@salus/gateway/supply/packs/issuer';
import { shipmentOf } from '@salus/gateway/supply/trade/shipments';

import { CASE, type Cased, cased, shippedIn } from './cased.js';
import { type MemberShelf, shelvesOfSuite } from './member-shelf.js';
import { freshDesk, PREFIX } from './world.js';

describe('a pack whose case is shipped', () => {
  const desk = freshDesk();
  const shelves = shelvesOfSuite(() => desk.world);

  /** What acme's gateway tells stmary's of the shipment, and how many packs it says it is of. */
  const told = async (made: Cased) => {
    const ports = {
      ...{ member: 'acme', shelf: shelves.acme.shelf, titleOf: () => '', now: () => '2026-01-01T00:00:00Z' },
      directory: { gs1: () => ({ gcp: [] }) },
    };
    const shipment = shipmentOf(ports, { shipmentId: 's', to: 'stmary', isReturn: false }, [[CASE, made.receiver.to]]);
    for (const message of handoversOf(shelves.acme.shelf, shippedIn(made), shipment)) {
      assert.deepEqual(await hearHandover(shelves.stmary.hearing('stmary'), 'acme', JSON.stringify(message)), {});
    }
    return shipment.products.map(({ count }) => count);
  };

  it('is told of and counted where it was set apart on its way, and received by its own code', async () => {
    const made = await cased(desk.world, shelves.acme);
    await made.ship();
    await made.hold();
    assert.deepEqual(await told(made), [3]);
    await desk.act('stmary', { act: 'receive', item: made.case, salt: made.receiver.salt });
    const [salt = '', ...others] = shelves.stmary.shelf.salts(made.epc, ['receive', 'own']);
    assert.deepEqual(others, []);
    await desk.act('stmary', { act: 'receive', item: made.item, salt });
  });

  it('is told of by its issuer and the licensee of its company prefix alone, whoever else was told of it', async () => {
    const made = await cased(desk.world, shelves.acme);
    await made.ship();
    await told(made);
    const [, gtin = '', serial = ''] = /01\/(\d{14})\/21\/(.+)$/.exec(made.epc) ?? [];
    const saidBy = (member: string, { shelf }: MemberShelf, licensee = 'acme') => {
      const gs1 = (name: string) => ({ gcp: name === licensee ? [PREFIX] : [] });
      return tell({ member, shelf, directory: { names: [licensee], gs1 } }, JSON.stringify({ gtin, serial }));
    };
    assert.equal(saidBy('acme', shelves.acme)?.unit?.epc, made.epc);
    assert.deepEqual(saidBy('stmary', shelves.stmary), {});
    assert.equal(saidBy('stmary', shelves.stmary, 'stmary')?.unit?.epc, made.epc);
    assert.equal(saidBy('acme', shelves.acme, 'stmary')?.unit?.epc, made.epc);
    assert.equal(
      tell({ member: 'acme', shelf: shelves.acme.shelf, directory: { names: [], gs1: () => ({ gcp: [] }) } }, '{'),
      undefined,
    );
  });

  it('is neither told of nor counted where it was set apart before', async () => {
    const made = await cased(desk.world, shelves.acme);
    await made.hold();
    await made.ship();
    assert.deepEqual(await told(made), [2]);
    assert.deepEqual(shelves.stmary.shelf.salts(made.epc, ['receive', 'own']), []);
  });
});
