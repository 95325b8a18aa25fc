import assert from 'node:assert/strict';

import { RETENTION_YEARS, type ShipmentTerms } from '@salus/gateway/supply/trade/shipments';
import type { ShownException } from '@salus/gateway/supply/trade/exceptions';

import { eventually } from '../support/eventually.js';
import { networkOfSuite } from '../support/network.js';
import { GTIN, pack, party, sscc, tell, TradeSystem } from './packs.js';

describe('a shipment that is not what was announced', function () {
  this.timeout(90_000);
  const network = networkOfSuite();
  const serials = [6101, 6102, 6103, 6104];
  const [one = '', two = '', three = '', four = ''] = serials.map(pack);
  const pallet = sscc(61);
  let acme: TradeSystem;
  let stmary: TradeSystem;
  let northside: TradeSystem;

  const exceptionsOf = async (system: TradeSystem): Promise<readonly ShownException[]> =>
    (await system.ask('supply-operator', 'exceptions')).body['exceptions'] as readonly ShownException[];
  const shipmentsOf = async (system: TradeSystem): Promise<readonly ShipmentTerms[]> =>
    (await system.ask('supply-operator', 'shipments')).body['shipments'] as readonly ShipmentTerms[];

  before(async () => {
    [acme, stmary] = [new TradeSystem(network, 'acme'), new TradeSystem(network, 'stmary')];
    northside = new TradeSystem(network, 'northside');
    const commissioned = tell.commissioned(serials, 'SHORT-1') as { readonly ilmd: object };
    const product = { 'cbvmda:regulatedProductName': 'Examplol', 'cbvmda:strengthDescription': '5 mg' };
    const made = await acme.capture(
      'supply-operator',
      { ...commissioned, ilmd: { ...commissioned.ilmd, ...product } },
      tell.packed(pallet, [one, two]),
      tell.shipped([pallet, three], 'stmary'),
    );
    assert.ok(
      made.every(({ state }) => state === 'done'),
      JSON.stringify(made),
    );
  });

  it('comes with transaction information and statement, which both sides keep for six years', async () => {
    const [sent, got] = [(await shipmentsOf(acme))[0], (await shipmentsOf(stmary))[0]];
    assert.deepEqual(got, sent);
    const product = { regulatedProductName: 'Examplol', strengthDescription: '5 mg' };
    assert.deepEqual(sent?.products, [{ gtin: GTIN, batch: 'SHORT-1', expiry: '2099-12-31', count: 3, product }]);
    assert.deepEqual([sent.from.member, sent.to.member, sent.to.pgln], ['acme', 'stmary', got?.to.pgln]);
    assert.equal(sent.statement.length, 5);
    assert.equal(Number(sent.retainUntil.slice(0, 4)), Number(sent.shipped.slice(0, 4)) + RETENTION_YEARS);
    assert.deepEqual(await shipmentsOf(northside), []);
    assert.equal((await stmary.ask('nurse', 'shipments')).status, 403);
  });

  it('becomes exceptions by its receipt: what is missing, and what nobody announced', async () => {
    const effects = await stmary.capture('supply-operator', tell.received([pallet, four]));
    assert.deepEqual(
      effects.map(({ act, state, code }) => [act, state, code]),
      [
        ['receive', 'done', undefined],
        ['receive', 'refused', 'not-in-transit'],
        ['exception', 'done', undefined],
        ['exception', 'done', undefined],
      ],
    );
    const here = await exceptionsOf(stmary);
    const ofKind = (kind: string) => here.find((each) => each.kind === kind);
    assert.match(ofKind('data-no-product')?.epcs.join() ?? '', /\/21\/6103$/);
    assert.match(ofKind('product-no-data')?.epcs.join() ?? '', /\/21\/6104$/);
    // Told to the shipper's door, and to nobody else.
    assert.deepEqual(
      new Set((await exceptionsOf(acme)).map(({ kind, reporter }) => `${kind} of ${reporter}`)),
      new Set(['data-no-product of stmary', 'product-no-data of stmary']),
    );
    assert.deepEqual(await exceptionsOf(northside), []);
  });

  it('is answered by the shipper, and resolved when both sides say how', async () => {
    const missing = (await exceptionsOf(acme)).find(({ kind }) => kind === 'data-no-product');
    const path = `exceptions/${missing?.exceptionId}`;
    const resolution = { resolution: 'product-delivered' };
    const early = await stmary.ask('supply-operator', `${path}/resolution`, resolution);
    assert.deepEqual([early.status, early.body['error']], [409, 'exception-not-answered']);
    const answer = { answer: 'accepted', note: 'left on the dock, comes tomorrow' };
    assert.equal((await northside.ask('supply-operator', `${path}/answer`, answer)).status, 404);
    const answered = await acme.ask('quality-officer', `${path}/answer`, answer);
    assert.equal(answered.status, 200, answered.text);
    const shown = async () =>
      (await exceptionsOf(stmary)).find(({ exceptionId }) => exceptionId === missing?.exceptionId);
    await eventually(async () => {
      assert.equal((await shown())?.answered, 'left on the dock, comes tomorrow');
    });
    const [late] = await stmary.capture('supply-operator', tell.received([three]));
    assert.equal(late?.state, 'done', JSON.stringify(late));
    assert.equal((await stmary.ask('supply-operator', `${path}/resolution`, resolution)).status, 200);
    assert.equal((await shown())?.ledger?.state, 'answered');
    assert.equal((await acme.ask('quality-officer', `${path}/resolution`, resolution)).status, 200);
    await eventually(async () => {
      assert.equal((await shown())?.ledger?.state, 'resolved');
    });
  });

  it('is reported by hand, by whoever may, to a member', async () => {
    const damaged = { kind: 'damaged-product', epcs: [one], to: party('acme'), note: 'crushed' };
    const { status, text } = await stmary.ask('supply-operator', 'exceptions', {
      ...damaged,
      to: 'urn:epc:id:pgln:9521001.00000',
    });
    assert.equal(status, 400, text);
    const acmes = { ...damaged, to: 'urn:epc:id:pgln:9521003.00000' };
    assert.equal((await stmary.ask('supply-operator', 'exceptions', acmes)).status, 200);
    assert.equal((await exceptionsOf(acme))[0]?.note, 'crushed');
    assert.equal((await stmary.ask('supply-operator', 'exceptions', { ...acmes, kind: 'lost' })).status, 400);
    assert.equal((await stmary.ask('carrier', 'exceptions', acmes)).status, 403);
  });
});
