import assert from 'node:assert/strict';

import { checkDigit } from '@salus/gateway/supply/gs1/check-digit';
import { digestOf } from '@salus/gateway/supply/cold/readings';
import { MAX_SALTS } from '@salus/gateway/supply/packs/handover';
import { hearHandover } from '@salus/gateway/supply/packs/hearing';
import { itemId, packEpc, termsDigest } from '@salus/gateway/supply/packs/identity';

import { random } from '../support/contract-world.js';
import { DataLogger } from './data-logger.js';
import { MemberShelf } from './member-shelf.js';
import { call, EXPIRY, freshDesk, PREFIX, sealed, Tree } from './world.js';

const GTIN = `0${PREFIX}00001${checkDigit(`0${PREFIX}00001`)}`;

/** A lot as its issuer makes it. */
interface MadeLot {
  /** Product of its packs. */
  readonly gtin: string;
  /** Product that its terms name. */
  readonly said: string;
  readonly spelt: (epc: string) => string;
}

describe('a handover at a door', () => {
  const desk = freshDesk();
  let stmary: MemberShelf;
  beforeEach(() => {
    stmary = new MemberShelf(() => desk.world);
  });
  afterEach(() => {
    stmary.close();
  });

  /** Blocks that come while a door waits; none where there is nothing to wait for. */
  const coming: (() => Promise<unknown>)[] = [];
  const blocks = { block: 1, reached: async () => (await coming.shift()?.()) !== undefined };
  const hear = (handover: unknown, member = 'stmary', teller = 'acme') =>
    hearHandover(
      {
        member,
        shelf: stmary.shelf,
        projection: stmary.projection,
        ledger: stmary.ledger,
        blocks,
        secrets: stmary.secrets,
        keep: stmary.keep,
      },
      teller,
      typeof handover === 'string' ? handover : JSON.stringify(handover),
    );

  /** A lot on the ledger, and what its issuer hands over of its second pack. */
  const committed = async (lot: Partial<MadeLot> = {}) => {
    const { request, ...handover } = made(lot);
    await desk.world.submit('acme', 'supply:commit', call(request));
    return handover;
  };

  const made = ({ gtin = GTIN, said = gtin, spelt = (epc) => epc }: Partial<MadeLot> = {}) => {
    const [lotId, secret] = [random(), random()];
    const epcs = ['A', 'B', 'C'].map((serial) => spelt(packEpc(gtin, serial)));
    const tree = new Tree(epcs.map((epc) => itemId(secret, epc)));
    const terms = { lotId, gtin: said, batch: 'L1', expiry: EXPIRY, issuer: 'acme' };
    const digest = termsDigest(secret, terms);
    const request = { lotId, prefix: PREFIX, count: 3, root: tree.root, expiry: EXPIRY, terms: digest };
    const unit = { epc: epcs[1], lotId, ...tree.proof(tree.ids[1] ?? '') };
    return { request, lots: [{ terms, secret }], units: [unit], containers: [], salts: [] };
  };

  const shipmentOf = (member: string): object => ({
    shipmentId: 's-1',
    from: { member },
    to: { member: 'stmary' },
    items: [],
  });

  it('is taken in where every pack is proven by the lot on the ledger', async () => {
    const handover = await committed();
    assert.deepEqual(await hear({ ...handover, shipment: shipmentOf('acme') }), {});
    assert.deepEqual(
      stmary.kept.map(({ type }) => type),
      ['SupplyLot', 'SupplyUnits', 'SupplyShipment'],
    );
    const [lot] = handover.lots;
    assert.equal(stmary.secrets.find(`lot/${lot?.terms.lotId ?? ''}`), lot?.secret);
  });

  it('is taken in where the own peer commits the lot a moment after the teller’s, and not where it never does', async () => {
    const { request, ...handover } = made();
    coming.push(
      () => Promise.resolve('a block of others'),
      () => desk.world.submit('acme', 'supply:commit', call(request)),
    );
    assert.deepEqual(await hear(handover), {});
    const { lots, units, containers, salts } = made();
    assert.equal(await hear({ lots, units, containers, salts }), undefined);
  });

  it('is taken from nobody who forges terms, packs or secrets, and nothing of it is kept', async () => {
    const good = await committed();
    const [lot] = good.lots;
    const [unit] = good.units;
    assert.ok(lot !== undefined && unit !== undefined);
    const withTerms = (terms: object) => ({ ...good, lots: [{ ...lot, terms: { ...lot.terms, ...terms } }] });
    const withUnit = (more: object) => ({ ...good, units: [unit, { ...unit, ...more }] });
    const forged = {
      issuer: withTerms({ issuer: 'meridian' }),
      expiry: withTerms({ expiry: '2998-12-31' }),
      product: withTerms({ gtin: '09521003000015' }),
      'another number': withTerms({ batch: 'OTHER-LOT' }),
      'another name': withTerms({ product: { regulatedProductName: 'Other' } }),
      secret: { ...good, lots: [{ ...lot, secret: random() }] },
      serial: withUnit({ epc: packEpc(GTIN, 'Z') }),
      spelling: withUnit({ epc: unit.epc?.toUpperCase() }),
      index: withUnit({ index: 0 }),
      'a lot not told of': withUnit({ lotId: random() }),
      'a shipment of another': { ...good, shipment: shipmentOf('meridian') },
      'no pack': { ...good, units: [] },
      'no list': { ...good, salts: undefined },
      'no JSON': '{',
    };
    for (const [what, handover] of Object.entries(forged)) assert.equal(await hear(handover), undefined, what);
    assert.deepEqual(stmary.kept, []);
    assert.equal(stmary.secrets.find(`lot/${lot.terms.lotId}`), undefined);
  });

  it('is taken of no lot whose number its issuer did not commit, and none takes the number of another', async () => {
    const { request, ...handover } = made();
    await desk.world.submit('acme', 'supply:commit', call({ ...request, terms: undefined }));
    assert.equal(await hear(handover), undefined);
    const first = await committed();
    assert.deepEqual(await hear(first), {});
    assert.equal(await hear(await committed()), undefined);
    assert.deepEqual(await hear(first), {});
  });

  it('changes nothing that an issuer has of its own lots', async () => {
    assert.deepEqual(await hear(await committed(), 'acme', 'medisure'), {});
    assert.deepEqual(stmary.kept, []);
  });

  it('tells of a shipment once: what was said first stands', async () => {
    const handover = await committed();
    await hear({ ...handover, shipment: shipmentOf('acme') });
    const again = { ...shipmentOf('acme'), statement: ['another one'] };
    assert.deepEqual(await hear({ ...handover, shipment: again }), {});
    assert.deepEqual(JSON.parse(stmary.projection.fact('packs', 'shipment/acme/s-1') ?? ''), shipmentOf('acme'));
  });

  /** A pack in a container on its way to this member, with what its logger read. */
  const contained = async () => {
    const { request, lots, units, ...rest } = made();
    await desk.world.submit('acme', 'supply:commit', call({ ...request, storage: { kind: 'cold', allowance: 60 } }));
    const [{ secret, terms } = { secret: '', terms: { lotId: '' } }] = lots;
    const [unit = ''] = units.map(({ epc }) => epc ?? '');
    const [epc, items] = ['https://id.gs1.org/00/040123450000003338', [itemId(secret, unit)]];
    const [item, salt, receiver] = [itemId(secret, epc), random(), sealed('stmary')];
    const tree = new Tree(items);
    const packing = { container: item, children: tree.content(true), lots: [terms.lotId], moved: [], salt };
    await desk.world.submit('acme', 'supply:pack', call(packing));
    const logger = new DataLogger();
    await desk.world.submit('acme', 'supply:logger', call({ jwk: logger.jwk, standing: 'registered' }));
    const signed = [logger.read([5_000], 10), logger.read([6_000], 10)];
    for (const each of signed) await desk.world.submit('acme', 'supply:climate', call({ item, salt, signed: each }));
    await desk.act('acme', { act: 'ship', item, salt, to: receiver.to });
    const container = { epc, item, lots: [terms.lotId], children: [unit], items, seed: tree.seed };
    const readings = [{ epc, item, digests: signed.map(digestOf), signed }];
    const salts = [{ item, salt: receiver.salt }];
    return { logger, container, unit, handover: { ...rest, lots, units, salts, containers: [container], readings } };
  };
  const keptOf = (type: string) => stmary.kept.filter((each) => each.type === type).length;

  it('is taken of containers that are on the ledger with these things in them alone', async () => {
    const { container, unit, handover } = await contained();
    const other = packEpc(GTIN, 'A');
    const forged = {
      'another name': { epc: 'https://id.gs1.org/00/040123450000003345' },
      'another id': { item: random() },
      'another thing inside': { children: [other] },
      'one more': { items: [...container.items, random()] },
      'another lot': { lots: [...container.lots, random()] },
    };
    for (const [what, more] of Object.entries(forged)) {
      assert.equal(await hear({ ...handover, containers: [{ ...container, ...more }] }), undefined, what);
    }
    assert.deepEqual(stmary.kept, []);
    assert.deepEqual(await hear(handover), {});
    assert.equal(stmary.projection.fact('packs', `parent/${unit}`), container.epc);
  });

  it('is taken with readings that the ledger’s chain was made of, and without any others', async () => {
    const { logger, handover } = await contained();
    const [all] = handover.readings;
    assert.ok(all !== undefined);
    const { digests, signed } = all;
    const made = logger.read([4_000], 10);
    for (const forged of [
      { digests: digests.slice(0, 1), signed: signed.slice(0, 1) },
      { digests: [...digests, digestOf(made)], signed: [...signed, made] },
      { digests: [...digests].reverse() },
      { signed: [made] },
      { item: random() },
      { epc: 'https://id.gs1.org/00/040123450000003345' },
    ]) {
      assert.deepEqual(await hear({ ...handover, readings: [{ ...all, ...forged }] }), {});
      assert.equal(keptOf('SupplyReadings'), 0, JSON.stringify(forged));
    }
    for (const wrong of [{ digests: ['x'] }, { signed: [1] }, { signed: undefined }, { epc: 1 }]) {
      assert.equal(await hear({ ...handover, readings: [{ ...all, ...wrong }] }), undefined, JSON.stringify(wrong));
    }
    // A part is as true as the whole.
    assert.deepEqual(await hear({ ...handover, readings: [{ ...all, signed: signed.slice(1) }] }), {});
    assert.equal(keptOf('SupplyReadings'), 1);
    assert.deepEqual(await hear(handover), {});
    assert.equal(keptOf('SupplyReadings'), 3);
  });

  it('is taken from no issuer whose own lot is of another product, of another’s company prefix, or misspelt', async () => {
    const other = `0${PREFIX}00002${checkDigit(`0${PREFIX}00002`)}`;
    const lots = {
      'another product than the packs’': { said: other },
      'a foreign company prefix': { gtin: '09521003000015' },
      'a spelling that is nobody else’s': { spelt: (epc: string) => epc.replace('https', 'HTTPS') },
    };
    for (const [what, lot] of Object.entries(lots)) assert.equal(await hear(await committed(lot)), undefined, what);
    assert.deepEqual(await hear(await committed({ gtin: other })), {});
  });

  /** A unit of a committed lot on its way to this member, with what opens it. */
  const shipped = async () => {
    const { units, lots, ...rest } = await committed();
    const [origin] = units.map(({ lotId, index, path }) => ({ lotId, index, path }));
    const item = itemId(lots[0]?.secret ?? '', units[0]?.epc ?? '');
    const ship = async () => {
      const { salt, to } = sealed('stmary');
      await desk.act('acme', { act: 'ship', item, salt: random(), origin, to });
      return salt;
    };
    return { item, ship, told: (salts: unknown) => hear({ ...rest, units, lots, salts }) };
  };

  it('takes no salt but what opens a shipment to this member: ids are public, and so anybody’s to write under', async () => {
    const { item, ship, told } = await shipped();
    assert.equal(await told([{ item, salt: random() }]), undefined);
    const salt = await ship();
    assert.equal(await told([{ item, salt: random() }]), undefined);
    assert.equal(await told([{ item: random(), salt: random() }]), undefined);
    assert.deepEqual([stmary.kept, stmary.secrets.find(`receive/${item}`)], [[], undefined]);
    assert.deepEqual(await told([{ item, salt }]), {});
    assert.equal(stmary.secrets.find(`receive/${item}`), salt);
    assert.equal(await told([{ item, salt: random() }]), undefined);
    assert.equal(stmary.secrets.find(`receive/${item}`), salt);
    // Told once more, as after an answer that was lost, though it came in by now.
    await desk.act('stmary', { act: 'receive', item, salt });
    assert.deepEqual(await told([{ item, salt }]), {});
  });

  it('lets no made-up salt that was looked at first replace the true one that came meanwhile', async () => {
    const { item, ship, told } = await shipped();
    const wrong = told([{ item, salt: random() }]);
    const salt = await ship();
    assert.deepEqual(await told([{ item, salt }]), {});
    assert.equal(await wrong, undefined);
    assert.equal(stmary.secrets.find(`receive/${item}`), salt);
  });

  it(`takes at most ${MAX_SALTS} salts, each 32 bytes in hex, and is about something`, async () => {
    const { item, ship, told } = await shipped();
    const salt = await ship();
    const most = Array.from({ length: MAX_SALTS }, () => ({ item, salt }));
    assert.equal(await told([...most, { item, salt }]), undefined);
    assert.deepEqual([stmary.kept, stmary.secrets.find(`receive/${item}`)], [[], undefined]);
    for (const wrong of [null, 'x', { item }, { item, salt: 1 }, { item, salt: 'zz' }, { item: 'x', salt }]) {
      assert.equal(await told([wrong]), undefined, JSON.stringify(wrong));
    }
    assert.equal(await hear({ lots: [], units: [], containers: [], salts: [] }), undefined);
    assert.deepEqual(await told(most), {});
  });
});
