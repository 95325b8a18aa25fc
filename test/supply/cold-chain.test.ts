import assert from 'node:assert/strict';

import type { Evidence } from '@salus/gateway/supply/cold/evidence';
import type { Answer } from '../support/network.js';
import { networkOfSuite } from '../support/network.js';
import { DataLogger } from './data-logger.js';
import { pack, sscc, tell, TradeSystem } from './packs.js';

const SALUS = { salus: 'urn:salus:epcis#' };
const times = (count: number, reading: number): number[] => Array.from({ length: count }, () => reading);

/** An event with what a logger signed, and what its report says of it. */
const reading = (event: object, signed: string, report: object): object => ({
  '@context': SALUS,
  ...event,
  sensorElementList: [
    {
      'salus:signedReadings': signed,
      sensorMetadata: { deviceID: 'urn:epc:id:giai:9521003.logger7' },
      sensorReport: [{ type: 'Temperature', ...report }],
    },
  ],
});

describe('the cold chain of a shipment', function () {
  this.timeout(90_000);
  const network = networkOfSuite();
  const logger = new DataLogger();
  const serials = [7001, 7002, 7003];
  const pallet = sscc(71);
  let acme: TradeSystem;
  let meridian: TradeSystem;

  const evidence = async (system: TradeSystem, epc: string, role = 'quality-officer'): Promise<Answer> =>
    await system.ask(role, `evidence?epc=${encodeURIComponent(epc)}`);
  const decide = (system: TradeSystem, user: string, decision: string) =>
    system.does('quality-officer', 'decisions', { decision, epcs: [pallet] }, user);

  before(async () => {
    [acme, meridian] = [new TradeSystem(network, 'acme'), new TradeSystem(network, 'meridian')];
    const registered = await acme.ask('supply-operator', 'loggers', { jwk: logger.jwk, standing: 'registered' });
    assert.equal(registered.status, 200, registered.text);
    const commissioned = tell.commissioned(serials, 'COLD-1') as { readonly ilmd: object };
    const ilmd = { ...commissioned.ilmd, 'salus:storage': 'cold', 'salus:minutesOutside': 60 };
    const made = await acme.capture(
      'supply-operator',
      { '@context': SALUS, ...commissioned, ilmd },
      tell.packed(pallet, serials.map(pack)),
    );
    assert.ok(
      made.every(({ state }) => state === 'done'),
      JSON.stringify(made),
    );
  });

  it('brings what its logger signed with the events of its line, unless they say something else', async () => {
    const signed = logger.read(times(6, 5_000), 10);
    const shipped = tell.shipped([pallet], 'meridian');
    assert.deepEqual(await acme.does('carrier', 'readings', { signed, epcs: [pallet] }), ['done']);
    assert.deepEqual(await acme.does('carrier', 'readings', { signed, epcs: [pallet] }), ['readings-known']);
    const wrong = reading(shipped, signed, { minValue: 4, maxValue: 5, uom: 'CEL' });
    const told = await acme.capture('supply-operator', wrong);
    assert.deepEqual(
      told.map(({ act, code }) => [act, code]),
      [
        ['climate', 'readings-differ'],
        ['ship', undefined],
      ],
    );
  });

  it('is put in quarantine by the contracts, however its receiver would have it', async () => {
    // 41 degrees Fahrenheit are 5 degrees Celsius; then seven readings of ten minutes above 8.
    const signed = logger.read([5_000, ...times(7, 9_000)], 10);
    const report = { minValue: 41, maxValue: 48.2, uom: 'FAH' };
    const received = await meridian.capture('supply-operator', reading(tell.received([pallet]), signed, report));
    assert.deepEqual(
      received.map(({ act, state, excursion, alert }) => [act, state, excursion, alert]),
      [
        ['receive', 'done', undefined, undefined],
        ['climate', 'done', 'out-of-range-too-long', 'excursion'],
      ],
    );
    const [onward] = await meridian.capture('supply-operator', tell.shipped([pallet], 'stmary'));
    assert.equal(onward?.code, 'quarantined');
    assert.equal((await meridian.verify('7001', 'COLD-1')).body['where'], 'in stock');
    assert.deepEqual(await meridian.does('quality-officer', 'quarantines', { standing: 'released', epcs: [pallet] }), [
      'two-signatures',
    ]);
  });

  it('is shown to the quality officer whole: every batch as signed, what it comes to, and a plot', async () => {
    assert.equal((await evidence(meridian, pallet, 'supply-operator')).status, 403);
    const pack = (await evidence(meridian, pallet)).body as unknown as Evidence;
    // What its shipper's logger had signed came with the shipment: the chain on the ledger says that nothing is missing.
    assert.equal(pack.isWhole, true);
    assert.deepEqual(
      pack.batches.map(({ least, most, count }) => [least, most, count]),
      [
        [5_000, 5_000, 6],
        [5_000, 9_000, 8],
      ],
    );
    assert.deepEqual([pack.climate?.minutesOut, pack.quarantine?.excursion], [70, 'out-of-range-too-long']);
    assert.match(pack.plot, /<svg\s.*>2 °C<.*>8 °C<.*<polyline\s+points="[\d., ]{90,}"/s);
  });

  it('is released by a second person alone', async () => {
    assert.deepEqual(await decide(acme, 'q-0', 'release'), ['not-yours']);
    assert.deepEqual(await decide(meridian, 'q-1', 'release'), ['done']);
    assert.deepEqual(await decide(meridian, 'q-1', 'release'), ['same-person']);
    assert.deepEqual(await decide(meridian, 'q-2', 'destroy'), ['decision-differs']);
    const [held] = await meridian.capture('supply-operator', {
      ...tell.shipped([pallet], 'northside'),
      eventTime: '2026-03-04T12:00:00Z',
    });
    assert.equal(held?.code, 'quarantined');
    assert.deepEqual(await decide(meridian, 'q-2', 'release'), ['done']);
    const { quarantine } = (await evidence(meridian, pallet)).body as unknown as Evidence;
    assert.equal(quarantine?.standing, 'released');
    const { signatures = [] } = quarantine;
    const signed = signatures.map(({ decision, member }) => [decision, member]);
    assert.deepEqual(signed, Array(2).fill(['release', 'meridian']));
    assert.equal(new Set(signatures.map(({ person }) => person)).size, 2);
    const again = { ...tell.shipped([pallet], 'stmary'), eventTime: '2026-03-04T13:00:00Z' };
    const [onward] = await meridian.capture('supply-operator', again);
    assert.equal(onward?.state, 'done', JSON.stringify(onward));
  });

  it('is whole to its receiver where a carrier’s logger read, too, which told nobody but the ledger', async () => {
    const [northside, stmary] = [new TradeSystem(network, 'northside'), new TradeSystem(network, 'stmary')];
    const truck = new DataLogger();
    truck.begin(Date.parse(logger.started) + 8 * 10 * 60_000);
    const registered = await northside.ask('carrier', 'loggers', { jwk: truck.jwk, standing: 'registered' });
    assert.equal(registered.status, 200, registered.text);
    const [given] = await meridian.capture('carrier', tell.carried([pallet], 'northside'));
    assert.equal(given?.state, 'done', JSON.stringify(given));
    const signed = truck.read(times(6, 4_000), 10);
    assert.deepEqual(await northside.does('carrier', 'readings', { signed, epcs: [pallet] }), ['done']);
    const [received] = await stmary.capture('supply-operator', tell.received([pallet]));
    assert.equal(received?.state, 'done', JSON.stringify(received));
    const pack = (await evidence(stmary, pallet)).body as unknown as Evidence;
    assert.deepEqual([pack.isWhole, pack.batches.map(({ count }) => count)], [true, [6, 8, 6]]);
  });
});
