import assert from 'node:assert/strict';

import { eventually } from '../support/eventually.js';
import { networkOfSuite } from '../support/network.js';
import { pack, party, PREFIX, type ShownEffect, sscc, tell, TradeSystem } from './packs.js';

const LOT = 'APART-1';
const RECALLED = 'APART-2';
const PLACE = `urn:epc:id:sgln:${PREFIX}.00001.0`;

describe('a pack that a carrier sets apart in what it carries', function () {
  this.timeout(60_000);
  const network = networkOfSuite();
  const serials = [6301, 6302, 6303, 6304];
  const [broken = '', passedOn = '', fine = '', warm = ''] = serials.map(pack);
  const [box, pallet] = [sscc(631), sscc(632)];
  let stmary: TradeSystem;
  let northside: TradeSystem;
  let meridian: TradeSystem;

  const states = (effects: readonly ShownEffect[]) => effects.map(({ code, state }) => code ?? state);
  const hold = (system: TradeSystem, epc: string) =>
    system.does('carrier', 'quarantines', { standing: 'held', epcs: [epc] });
  const handOver = async (epc: string, to: string) => {
    const { body } = await northside.ask('carrier', 'acts', { act: 'hand-over', epcs: [epc], to: party(to) });
    const [effect] = body['effects'] as readonly ShownEffect[];
    return [effect?.code ?? effect?.state, effect?.handedOver];
  };

  before(async () => {
    const acme = new TradeSystem(network, 'acme');
    [stmary, northside, meridian] = ['stmary', 'northside', 'meridian'].map(
      (member) => new TradeSystem(network, member),
    ) as [TradeSystem, TradeSystem, TradeSystem];
    const made = await acme.capture(
      'supply-operator',
      tell.commissioned(serials, 'CARRIED-1'),
      tell.packed(box, serials.map(pack)),
      tell.packed(pallet, [box]),
      tell.shipped([pallet], 'stmary'),
      tell.carried([pallet], 'northside'),
    );
    assert.deepEqual(new Set(states(made)), new Set(['done']), JSON.stringify(made));
  });

  it('is in its hands however deep it lies, in nobody else’s, and goes on by its own code', async () => {
    assert.deepEqual(await hold(meridian, broken), ['not-yours']);
    assert.deepEqual(await hold(northside, broken), ['done']);
    // Whom the carrier hands it on to can hold it, too: each hold is one of its own.
    assert.deepEqual(await handOver(broken, 'meridian'), ['done', true]);
    assert.deepEqual(await hold(meridian, broken), ['done']);
    for (const system of [northside, meridian]) {
      const release = { standing: 'released', epcs: [broken] };
      assert.deepEqual(await system.does('quality-officer', 'quarantines', release), ['done']);
    }
    assert.deepEqual(await handOver(broken, 'meridian'), ['not-yours', undefined]);
  });

  it('may be handed on alone without being held, and the rest comes with its container', async () => {
    assert.deepEqual(await handOver(passedOn, 'meridian'), ['done', true]);
    const taken = await stmary.capture('supply-operator', tell.received([pallet]), tell.received([broken, passedOn]));
    assert.deepEqual(states(taken), ['done', 'done', 'done'], JSON.stringify(taken));
    const given = await stmary.capture(
      'pharmacist',
      ...[broken, passedOn, fine, warm].map((epc) => tell.dispensed(epc)),
    );
    assert.deepEqual(states(given), Array(4).fill('done'), JSON.stringify(given));
    assert.deepEqual(await hold(northside, fine), ['not-yours']);
  });
});

describe('a pack that another than its owner set apart', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  const serials = [6201, 6202, 6203, 6204];
  const [repacked = '', left = '', ...others] = serials.map(pack);
  const [kept = '', sent = ''] = [6205, 6206].map(pack);
  const [pallet, box, crate] = [sscc(621), sscc(622), sscc(623)];
  let acme: TradeSystem;
  let meridian: TradeSystem;
  let stmary: TradeSystem;
  let authority: TradeSystem;

  const told = (effects: readonly ShownEffect[]) =>
    effects.filter(({ act }) => act !== 'exception').map(({ code, state, alert }) => [code ?? state, alert ?? 'calm']);
  /** The regulator's hold, as the owner's gateway has seen it, and its release. */
  async function heldAndReleased(epc: string, serial: string, lot = LOT): Promise<void> {
    const isSuspect = async (): Promise<boolean> => {
      const { data } = (await acme.verify(serial, lot)).body as { data?: { additionalInfo?: string } };
      return data?.additionalInfo === 'Suspect';
    };
    for (const standing of ['held', 'released']) {
      assert.deepEqual(await authority.does('regulator', 'quarantines', { standing, epcs: [epc] }), ['done']);
      await eventually(async () => {
        assert.equal(await isSuspect(), standing === 'held');
      });
    }
  }

  before(async () => {
    const of = (member: string): TradeSystem => new TradeSystem(network, member);
    [acme, meridian, stmary, authority] = [of('acme'), of('meridian'), of('stmary'), of('authority')];
    const made = await acme.capture(
      'supply-operator',
      tell.commissioned(serials, LOT),
      tell.commissioned([6205, 6206], RECALLED),
      tell.packed(pallet, serials.map(pack)),
      tell.packed(crate, [kept, sent]),
    );
    assert.deepEqual(told(made), Array(4).fill(['done', 'calm']), JSON.stringify(made));
    await heldAndReleased(repacked, '6201');
    await heldAndReleased(left, '6202');
    await heldAndReleased(kept, '6205', RECALLED);
  });

  it('is packed again as what it is, and dispensed at the hospital it was shipped to', async () => {
    const sent = await acme.capture('supply-operator', tell.packed(box, [repacked]), tell.shipped([box], 'stmary'));
    assert.deepEqual(told(sent), Array(2).fill(['done', 'calm']), JSON.stringify(sent));
    const taken = await stmary.capture('supply-operator', tell.received([box]));
    assert.deepEqual(told(taken), [['done', 'calm']]);
    const given = await stmary.capture('pharmacist', tell.dispensed(repacked));
    assert.deepEqual(told(given), [['done', 'calm']], JSON.stringify(given));
  });

  it('goes nowhere with its container, is counted in no shipment of it, and stays its owner’s when that comes back', async () => {
    const away = await acme.capture('supply-operator', tell.shipped([pallet], 'meridian'));
    assert.deepEqual(told(away), [['done', 'calm']]);
    const taken = await meridian.capture('supply-operator', tell.received([pallet]));
    assert.deepEqual(told(taken), [['done', 'calm']], JSON.stringify(taken));
    const { body } = await meridian.ask('supply-operator', 'shipments');
    const [shipment] = body['shipments'] as readonly { readonly products: readonly { readonly count: number }[] }[];
    assert.deepEqual(
      shipment?.products.map(({ count }) => count),
      [others.length],
    );
    const back = { ...tell.shipped([pallet], 'acme'), disposition: 'returned' };
    assert.deepEqual(told(await meridian.capture('supply-operator', back)), [['done', 'calm']]);
    assert.deepEqual(told(await acme.capture('supply-operator', tell.received([pallet]))), [['done', 'calm']]);
    // The pallet is opened by another salt now.
    const sampled = await acme.capture('quality-officer', tell.sampled([left], PLACE));
    assert.deepEqual(told(sampled), [['done', 'calm']], JSON.stringify(sampled));
  });

  it('is in its owner’s hands when its lot is recalled, wherever the container is that it lay in', async () => {
    const gone = await acme.capture('supply-operator', tell.shipped([crate], 'northside'));
    const taken = await new TradeSystem(network, 'northside').capture('supply-operator', tell.received([crate]));
    assert.deepEqual(told([...gone, ...taken]), Array(2).fill(['done', 'calm']), JSON.stringify(taken));
    const [recalled] = await acme.capture('quality-officer', tell.recalled(RECALLED));
    assert.equal(recalled?.state, 'done', JSON.stringify(recalled));
    const { body } = await acme.ask('quality-officer', 'recalls');
    const recalls = body['recalls'] as readonly { readonly lot: string; readonly lotId: string }[];
    const { lotId = '' } = recalls.find(({ lot }) => lot === RECALLED) ?? {};
    const asked = await acme.ask('quality-officer', `recalls/${lotId}/holders`);
    const holders = asked.body['holders'] as readonly { readonly member: string; readonly holds: string }[];
    const found = holders.filter(({ holds }) => holds === 'yes').map(({ member }) => member);
    assert.deepEqual(new Set(found), new Set(['acme', 'northside']));
  });
});
