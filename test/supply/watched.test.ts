import assert from 'node:assert/strict';

import {
  BACKDATED_HOURS,
  FASTEST_KMH,
  NEAR_KM,
  type Sighting,
  suspicionBetween,
  toldSighting,
} from '@salus/gateway/supply/packs/sighting';

import { networkOfSuite } from '../support/network.js';
import { pack, type ShownEffect, sscc, tell, TradeSystem } from './packs.js';

const HOUR_MS = 3_600_000;
const SHIPPED = Date.parse('2026-03-04T10:00:00.000Z');
const BASEL = 'urn:epc:id:sgln:9521003.00001.0';
const BOSTON = 'urn:epc:id:sgln:9521001.00001.0';
const NAMESPACE = 'urn:epcglobal:cbv:mda#';

/** An instant so many hours behind the shipment. */
const after = (hours: number): string => new Date(SHIPPED + hours * HOUR_MS).toISOString();
const at = (event: object, hours: number, place?: string): object => ({
  ...event,
  eventTime: after(hours),
  eventTimeZoneOffset: '+00:00',
  ...(place === undefined ? {} : { readPoint: { id: place } }),
});

describe('what two events of a pack cannot both be', () => {
  const DEGREE_KM = (6_371 * Math.PI) / 180;
  const north = (kilometres: number, hours: number): Sighting => ({
    time: after(hours),
    latitude: 40 + kilometres / DEGREE_KM,
    longitude: 7,
  });

  it(`is farther apart than ${FASTEST_KMH} km in an hour, in either order, and farther than ${NEAR_KM} km at all`, () => {
    const start = north(0, 0);
    assert.equal(suspicionBetween(start, north(1_999, 2)), undefined);
    assert.equal(suspicionBetween(start, north(2_001, 2)), 'impossible-travel');
    assert.equal(suspicionBetween(north(0, 2), north(2_001, 0)), 'impossible-travel');
    assert.equal(suspicionBetween(start, north(NEAR_KM - 0.1, 0)), undefined);
    assert.equal(suspicionBetween(start, north(NEAR_KM + 0.1, 0)), 'impossible-travel');
    assert.equal(suspicionBetween(start, { time: after(0) }), undefined);
    const across = { time: after(0), latitude: 0 };
    assert.equal(suspicionBetween({ ...across, longitude: 179.9 }, { ...across, longitude: -179.9 }), undefined);
  });

  it(`is told of a time more than ${BACKDATED_HOURS} hours before what the ledger has before it`, () => {
    const told = (hours: number) => suspicionBetween({ time: after(0) }, { time: after(hours) });
    assert.equal(told(-BACKDATED_HOURS), undefined);
    assert.equal(told(-BACKDATED_HOURS - 0.001), 'backdating');
    assert.equal(told(10_000), undefined);
  });

  it('is no word of another member that says no time, or no whole place', () => {
    assert.equal(toldSighting({ time: 'yesterday' }), undefined);
    assert.equal(toldSighting('x'), undefined);
    assert.deepEqual(toldSighting({ time: after(0), latitude: 1, longitude: 'west' }), { time: after(0) });
  });
});

describe('packs whose events cannot be true', function () {
  this.timeout(90_000);
  const network = networkOfSuite();
  const serials = [8101, 8102, 8103, 8104, 8105, 8106];
  const [fast = '', slow = '', early = '', late = '', inside = '', again = ''] = serials.map(pack);
  const pallet = sscc(8101);
  let acme: TradeSystem;
  let stmary: TradeSystem;

  /** Tells a member's gateway where a place lies. */
  async function located(member: string, place: string, latitude: string, longitude: string): Promise<void> {
    const attributes = [
      { id: `${NAMESPACE}latitude`, attribute: latitude },
      { id: `${NAMESPACE}longitude`, attribute: longitude },
    ];
    const type = 'urn:epcglobal:epcis:vtype:ReadPoint';
    const body = {
      '@context': 'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld',
      type: 'EPCISDocument',
      schemaVersion: '2.0',
      creationDate: after(0),
      epcisHeader: {
        epcisMasterData: { vocabularyList: [{ type, vocabularyElementList: [{ id: place, attributes }] }] },
      },
      epcisBody: { eventList: [] },
    };
    const token = await network.token({ member, role: 'supply-operator' });
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const taken = await network.ask(member, '/epcis/capture', { method: 'POST', token, body, headers });
    assert.equal(taken.status, 202, taken.text);
    await new TradeSystem(network, member).effectsOf('supply-operator', taken.headers.get('location') ?? '');
  }
  const told = (effects: readonly ShownEffect[]): unknown =>
    effects
      .filter(({ act }) => act !== 'exception')
      .map(({ act, state, alert }) => [act, state, ...(alert === undefined ? [] : [alert])]);

  before(async () => {
    [acme, stmary] = [new TradeSystem(network, 'acme'), new TradeSystem(network, 'stmary')];
    await located('acme', BASEL, '47.56', '7.59');
    await located('stmary', BOSTON, '42.36', '-71.06');
    const shipped = [fast, slow, early, late, pallet];
    const effects = await acme.capture(
      'supply-operator',
      at(tell.commissioned(serials, 'WATCHED'), -48, BASEL),
      at(tell.packed(pallet, [inside, again]), -47, BASEL),
      at(tell.shipped(shipped, 'stmary'), 0, BASEL),
    );
    assert.ok(
      effects.every(({ state, alert }) => state === 'done' && alert === undefined),
      JSON.stringify(effects),
    );
  });

  it('raise an alert where no transport is as fast, by where their shipper says they left', async () => {
    // 6,000 km.
    const quick = await stmary.capture('supply-operator', at(tell.received([fast]), 5, BOSTON));
    assert.deepEqual(told(quick), [['receive', 'done', 'impossible-travel']]);
    const usual = await stmary.capture('supply-operator', at(tell.received([slow]), 7, BOSTON));
    assert.deepEqual(told(usual), [['receive', 'done']]);
  });

  it('raise one where they are told of a day before they left', async () => {
    const wrong = await stmary.capture('supply-operator', at(tell.received([early]), -25, BOSTON));
    assert.deepEqual(told(wrong), [['receive', 'done', 'backdating']]);
    const unplaced = await stmary.capture('supply-operator', at(tell.received([late]), -23));
    assert.deepEqual(told(unplaced), [['receive', 'done']]);
  });

  it('raise one against what the same member said of the container before, in the same capture or in an earlier one', async () => {
    const taken = await stmary.capture(
      'pharmacist',
      at(tell.received([pallet]), 12, BOSTON),
      at(tell.dispensed(inside), -13),
    );
    assert.deepEqual(told(taken), [
      ['receive', 'done'],
      ['dispense', 'done', 'backdating'],
    ]);
    const ended = await stmary.capture('pharmacist', at(tell.dispensed(again), -13), at(tell.dispensed(late), 0));
    assert.deepEqual(told(ended), [
      ['dispense', 'done', 'backdating'],
      ['dispense', 'done'],
    ]);
  });

  it('raise none against what was said of a container since they were set apart from it', async () => {
    const [apart = '', inside = ''] = [8107, 8108].map(pack);
    const box = sscc(8102);
    await acme.capture(
      'supply-operator',
      at(tell.commissioned([8107, 8108], 'WATCHED-2'), 0, BASEL),
      at(tell.packed(box, [apart, inside]), 0, BASEL),
    );
    const authority = new TradeSystem(network, 'authority');
    for (const standing of ['held', 'released']) {
      assert.deepEqual(await authority.does('regulator', 'quarantines', { standing, epcs: [apart] }), ['done']);
    }
    const away = await acme.capture('supply-operator', at(tell.shipped([box], 'stmary'), 100, BOSTON));
    assert.deepEqual(told(away), [['ship', 'done']]);
    const later = await acme.capture('supply-operator', at(tell.shipped([apart], 'stmary'), 70, BASEL));
    assert.deepEqual(told(later), [['ship', 'done']]);
  });

  it('show by their kind to every member, under the pack’s pseudonym alone', async () => {
    const { body } = await new TradeSystem(network, 'authority').ask('regulator', 'alerts');
    const kinds = (body['alerts'] as readonly { readonly kind: string; readonly raisedBy: string }[]).map(
      ({ kind, raisedBy }) => `${kind} by ${raisedBy}`,
    );
    assert.equal(kinds.filter((each) => each === 'impossible-travel by stmary').length, 1);
    assert.ok(kinds.filter((each) => each === 'backdating by stmary').length >= 2);
  });
});
