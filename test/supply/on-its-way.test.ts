import assert from 'node:assert/strict';

import { checkDigit } from '@salus/gateway/supply/gs1/check-digit';
import { handoversOf } from '@salus/gateway/supply/packs/handover';
import { hearHandover } from '@salus/gateway/supply/packs/hearing';
import { itemId, packEpc, termsDigest } from '@salus/gateway/supply/packs/identity';
import { PACK_TYPES } from '@salus/gateway/supply/packs/stored';
import { shipmentOf } from '@salus/gateway/supply/trade/shipments';

import { random } from '../support/contract-world.js';
import { MemberShelf } from './member-shelf.js';
import { call, EXPIRY, freshDesk, PREFIX, regulator, sealed, Tree } from './world.js';

const GTIN = `0${PREFIX}00001${checkDigit(`0${PREFIX}00001`)}`;
const CASE = 'https://id.gs1.org/00/040123450000003338';

describe('a pack that is set apart while its case is shipped', () => {
  const desk = freshDesk();
  let acme: MemberShelf;
  let stmary: MemberShelf;
  beforeEach(() => {
    [acme, stmary] = [new MemberShelf(() => desk.world), new MemberShelf(() => desk.world)];
  });
  afterEach(() => {
    for (const each of [acme, stmary]) each.close();
  });

  /** A case of three packs of acme's, as its own gateway keeps them. */
  const cased = async () => {
    const [lotId, secret, salt] = [random(), random(), random()];
    const serials = ['A', 'B', 'C'];
    const epcs = serials.map((serial) => packEpc(GTIN, serial));
    const tree = new Tree(epcs.map((epc) => itemId(secret, epc)));
    const terms = { lotId, gtin: GTIN, batch: 'L1', expiry: EXPIRY, issuer: 'acme' };
    const lot = { lotId, prefix: PREFIX, count: 3, root: tree.root, expiry: EXPIRY };
    await desk.world.submit('acme', 'supply:commit', call({ ...lot, terms: termsDigest(secret, terms) }));
    const container = { epc: CASE, item: itemId(secret, CASE), lots: [lotId], children: epcs, items: tree.ids };
    const packing = { container: container.item, children: { root: tree.root, count: 3 }, lots: [lotId], salt };
    await desk.world.submit('acme', 'supply:pack', call({ ...packing, moved: [] }));
    acme.secrets.keep({ [`lot/${lotId}`]: secret });
    await acme.keep([
      { type: PACK_TYPES.lot, value: { ...terms, serials } },
      { type: PACK_TYPES.container, value: container },
    ]);
    const [epc = ''] = epcs;
    const known = acme.shelf.find(epc);
    const receiver = sealed('stmary');
    return {
      ...{ epc, item: known?.item ?? '', case: container.item, receiver },
      hold: () =>
        desk.world.submit(
          'authority',
          'supply:quarantine',
          call({ of: 'item', id: known?.item, standing: 'held', origin: known?.origin }, regulator),
        ),
      ship: () => desk.act('acme', { act: 'ship', item: container.item, salt, to: receiver.to }),
    };
  };
  type Cased = Awaited<ReturnType<typeof cased>>;
  /** What acme's gateway tells stmary's of the shipment, and how many packs it says it is of. */
  const told = async ({ receiver }: Cased) => {
    const ports = {
      ...{ member: 'acme', shelf: acme.shelf, titleOf: () => '', now: () => '2026-01-01T00:00:00Z' },
      directory: { gs1: () => ({ gcp: [] }) },
    };
    const shipment = shipmentOf(ports, { shipmentId: 's', to: 'stmary', isReturn: false }, [[CASE, receiver.to]]);
    const shipped = { salts: new Map([[CASE, receiver.salt]]), receivers: new Set([receiver.to]) };
    const blocks = { block: 1, reached: () => Promise.resolve(false) };
    const { shelf, projection, ledger, secrets, keep } = stmary;
    const hearing = { member: 'stmary', ...{ shelf, projection, ledger, secrets, keep, blocks } };
    for (const message of handoversOf(acme.shelf, shipped, shipment)) {
      assert.deepEqual(await hearHandover(hearing, 'acme', JSON.stringify(message)), {});
    }
    return shipment.products.map(({ count }) => count);
  };

  it('is told of and counted where it went with it by the ledger, and received by its own code', async () => {
    const made = await cased();
    await made.ship();
    await made.hold();
    assert.deepEqual(await told(made), [3]);
    await desk.act('stmary', { act: 'receive', item: made.case, salt: made.receiver.salt });
    const [salt = '', ...others] = stmary.shelf.salts(made.epc, ['receive', 'own']);
    assert.deepEqual(others, []);
    await desk.act('stmary', { act: 'receive', item: made.item, salt });
  });

  it('is neither where it was set apart before', async () => {
    const made = await cased();
    await made.hold();
    await made.ship();
    assert.deepEqual(await told(made), [2]);
    assert.deepEqual(stmary.shelf.salts(made.epc, ['receive', 'own']), []);
  });
});
