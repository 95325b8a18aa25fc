import assert from 'node:assert/strict';

import { MAX_ASKED_EPCS } from '@salus/gateway/supply/trade/asked';

import { eventually } from '../support/eventually.js';
import { networkOfSuite } from '../support/network.js';
import { pack, party, PREFIX, sscc, tell, TradeSystem } from './packs.js';

const PLACE = `urn:epc:id:sgln:${PREFIX}.00001.0`;

interface Shown {
  readonly kind: string;
  readonly item: string;
  readonly raisedBy: string;
  readonly epc?: string;
}

describe('what is done with packs beside the events of their line', function () {
  this.timeout(60_000);
  const network = networkOfSuite();
  let acme: TradeSystem;
  let meridian: TradeSystem;
  let northside: TradeSystem;
  let stmary: TradeSystem;
  let authority: TradeSystem;
  const serials = [2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008];
  const packs = serials.map(pack);
  const [one = '', two = '', three = ''] = packs;
  const loose = pack(2007);
  const diverted = pack(2008);
  const pallet = sscc(21);

  before(async () => {
    const of = (member: string): TradeSystem => new TradeSystem(network, member);
    [acme, meridian, northside] = [of('acme'), of('meridian'), of('northside')];
    [stmary, authority] = [of('stmary'), of('authority')];
    const made = await acme.capture(
      'supply-operator',
      tell.commissioned(serials),
      tell.packed(pallet, packs.slice(3, 6)),
      tell.shipped([pallet], 'meridian'),
    );
    assert.deepEqual(new Set(made.map(({ state }) => state)), new Set(['done']), JSON.stringify(made));
  });

  it('goes through the hands of carriers, who possess and never own, and learn nothing of what is inside', async () => {
    const [given] = await acme.capture('carrier', tell.carried([pallet], 'northside'));
    assert.deepEqual([given?.act, given?.state, given?.handedOver], ['hand-over', 'done', true]);
    assert.deepEqual(await acme.does('carrier', 'acts', { act: 'hand-over', epcs: [pallet], to: party('stmary') }), [
      'not-yours',
    ]);
    assert.deepEqual(
      await northside.does('carrier', 'acts', { act: 'hand-over', epcs: [pallet], to: party('stmary') }),
      ['done'],
    );
    // Neither carrier was told of a lot: what it scans is what anybody would be told.
    for (const carrier of [northside, stmary]) {
      const { body } = await carrier.verify('2004');
      assert.equal(body['whose'], 'another member’s');
      assert.equal((await carrier.capture('supply-operator', tell.received([pallet])))[0]?.code, 'not-the-receiver');
    }
    // A pack that it carried by itself is as genuine to a carrier as to anybody.
    const [shipped] = await acme.capture('supply-operator', tell.shipped([loose], 'meridian'));
    assert.equal(shipped?.state, 'done', JSON.stringify(shipped));
    assert.equal((await acme.capture('carrier', tell.carried([loose], 'northside')))[0]?.state, 'done');
    assert.equal((await northside.verify('2007')).body['where'], 'on its way');
    const [received] = await meridian.capture('supply-operator', tell.received([pallet]));
    assert.equal(received?.state, 'done', JSON.stringify(received));
  });

  it('is undone by the same person at the same premises, and by nobody else', async () => {
    const [sampled] = await acme.capture('quality-officer', tell.sampled([one], PLACE));
    assert.equal(sampled?.state, 'done', JSON.stringify(sampled));
    const undo = { act: 'undo', epcs: [one], place: PLACE, supplied: 'no' };
    assert.deepEqual(await acme.does('supply-operator', 'acts', undo), ['undo-elsewhere']);
    assert.deepEqual(await acme.does('quality-officer', 'acts', { ...undo, place: 'elsewhere' }), ['undo-elsewhere']);
    assert.deepEqual(await acme.does('quality-officer', 'acts', { ...undo, supplied: 'yes' }), ['not-undoable']);
    assert.deepEqual(await acme.does('quality-officer', 'acts', undo), ['done']);
    assert.equal((await acme.verify('2001')).body['where'], 'in stock');
  });

  it('stays in quarantine by event or by hand until whoever put it there, or the regulator, releases it', async () => {
    const [held] = await acme.capture('supply-operator', tell.held([two]));
    assert.equal(held?.state, 'done', JSON.stringify(held));
    const [shipped] = await acme.capture('supply-operator', tell.shipped([two], 'meridian'));
    assert.equal(shipped?.code, 'quarantined');
    assert.deepEqual(await acme.does('supply-operator', 'quarantines', { standing: 'released', epcs: [two] }), [
      'not-your-role',
    ]);
    assert.deepEqual(await acme.does('quality-officer', 'quarantines', { standing: 'released', epcs: [two] }), [
      'done',
    ]);
    // In a container the holder of the outermost one decides: the shipper's hand is off it.
    const inside = { standing: 'held', epcs: [packs[3] ?? ''] };
    assert.deepEqual(await acme.does('supply-operator', 'quarantines', inside), ['not-yours']);
    assert.deepEqual(await meridian.does('supply-operator', 'quarantines', inside), ['done']);
    assert.deepEqual(await authority.does('regulator', 'quarantines', { ...inside, standing: 'released' }), ['done']);
  });

  it('is said to be in quarantine where what it lies in is', async () => {
    const of = (standing: string) => ({ standing, epcs: [pallet] });
    const isSuspect = async (): Promise<boolean> =>
      ((await meridian.verify('2005')).body['data'] as { additionalInfo?: string }).additionalInfo === 'Suspect';
    assert.deepEqual(await meridian.does('quality-officer', 'quarantines', of('held')), ['done']);
    assert.equal(await isSuspect(), true);
    assert.deepEqual(await meridian.does('quality-officer', 'quarantines', of('released')), ['done']);
    assert.equal(await isSuspect(), false);
  });

  it('is committed under another’s company prefix by whom its licensee authorised, as long as it lasts', async () => {
    const commission = (serial: number, batch: string) =>
      meridian.capture('supply-operator', tell.commissioned([serial], batch));
    assert.equal((await commission(3000, 'CMO-0'))[0]?.code, 'not-licensee');
    const authorise = (standing: string) => ({ prefix: PREFIX, member: 'meridian', standing });
    const foreign = await stmary.ask('supply-operator', 'authorisations', authorise('authorised'));
    assert.deepEqual([foreign.status, foreign.body['error']], [403, 'not-licensee']);
    assert.equal((await acme.ask('supply-operator', 'authorisations', authorise('authorised'))).status, 200);
    assert.equal((await commission(3001, 'CMO-1'))[0]?.state, 'done');
    assert.equal((await acme.ask('supply-operator', 'authorisations', authorise('ended'))).status, 200);
    assert.equal((await commission(3002, 'CMO-2'))[0]?.code, 'not-licensee');
    // The licensee does not know it, and says so: whom it authorised is asked, though that ended.
    for (const system of [northside, acme]) {
      const { body, text } = await system.verify('3001', 'CMO-1');
      assert.deepEqual([body['emvsCode'], body['whose']], ['NMVS_SUCCESS', 'the issuer’s'], text);
    }
    const [clone] = await northside.capture('pharmacist', tell.dispensed(pack(3001)));
    assert.deepEqual([clone?.code, clone?.alert], ['not-yours', 'clone']);
    // By its number the licensee recalls it, and nobody else finds out which lot it is.
    const quantityList = [{ epcClass: `urn:epc:class:lgtin:${PREFIX}.000001.CMO-1` }];
    const recall = { ...tell.recalled(), quantityList };
    assert.equal((await stmary.capture('quality-officer', recall))[0]?.code, 'unknown-lot');
    assert.equal((await acme.capture('quality-officer', recall))[0]?.state, 'done');
    const { body } = await northside.verify('3001', 'CMO-1');
    assert.equal((body['data'] as { additionalInfo?: string }).additionalInfo, 'Recalled');
  });

  it('is held and recalled by its lot’s number by the regulator, whoever committed it under whose prefix', async () => {
    const lot = { gtin: '09521003000015', lot: 'CMO-3' };
    const authorise = (standing: string) => ({ prefix: PREFIX, member: 'meridian', standing });
    assert.equal((await acme.ask('supply-operator', 'authorisations', authorise('authorised'))).status, 200);
    const [made] = await meridian.capture('supply-operator', tell.commissioned([3003], lot.lot));
    assert.equal(made?.state, 'done');
    const info = async () => (await meridian.verify('3003', lot.lot)).body['data'] as { additionalInfo?: string };
    const does = (system: TradeSystem, role: string, asked: object) => system.does(role, 'quarantines', asked);
    // Nobody else finds out by its number which lot it is.
    assert.deepEqual(await does(northside, 'quality-officer', { ...lot, standing: 'held' }), ['unknown-lot']);
    for (const [standing, said] of [
      ['held', 'Suspect'],
      ['released', undefined],
    ] as const) {
      assert.deepEqual(await does(authority, 'regulator', { ...lot, standing }), ['done']);
      await eventually(async () => {
        assert.equal((await info()).additionalInfo, said);
      });
    }
    assert.deepEqual(await does(authority, 'regulator', { ...lot, lot: 'CMO-9', standing: 'held' }), ['unknown-lot']);
    const quantityList = [{ epcClass: `urn:epc:class:lgtin:${PREFIX}.000001.${lot.lot}` }];
    const [recalled] = await authority.capture('quality-officer', { ...tell.recalled(), quantityList });
    assert.equal(recalled?.state, 'done', JSON.stringify(recalled));
    await eventually(async () => {
      assert.equal((await info()).additionalInfo, 'Recalled');
    });
  });

  it('raises an alert for a ghost and a clone; they are looked into, and the share of false alarms is shown', async () => {
    for (const _scan of [1, 2]) {
      const [ghost] = await stmary.capture('pharmacist', tell.dispensed(pack(9999), `2026-03-05T09:00:0${_scan}Z`));
      assert.deepEqual([ghost?.code, ghost?.alert], ['unknown-item', 'ghost']);
    }
    const [clone] = await northside.capture('pharmacist', tell.dispensed(three));
    assert.deepEqual([clone?.code, clone?.alert], ['not-yours', 'clone']);
    const list = async () => (await acme.ask('quality-officer', 'alerts')).body;
    const ofKind = async (kind: string, by: string) =>
      ((await list())['alerts'] as readonly Shown[]).filter((each) => each.kind === kind && each.raisedBy === by);
    const [ghosts, clones] = [await ofKind('ghost', 'stmary'), await ofKind('clone', 'northside')];
    assert.deepEqual([ghosts.length, ghosts[0]?.epc], [1, undefined]);
    // Its issuer alone sees which pack it is.
    assert.match(clones[0]?.epc ?? '', /\/21\/2003$/);
    const triage = async (alert: Shown | undefined, state: string) => {
      const { item, kind, raisedBy } = alert ?? { item: '', kind: '', raisedBy: '' };
      const asked = { item, kind, raisedBy, state, grade: 'high' };
      return (await authority.ask('regulator', 'alerts', asked)).status;
    };
    assert.equal(await triage(ghosts[0], 'assigned'), 200);
    assert.equal(await triage(ghosts[0], 'confirmed'), 200);
    assert.equal(await triage(clones[0], 'false-alarm'), 200);
    assert.equal(await triage(clones[0], 'confirmed'), 409);
    const { closed, falseAlarmRate } = await list();
    assert.deepEqual([closed, falseAlarmRate], [2, 0.5]);
  });

  it('raises an alert where it comes to another than its shipment names, and is received by that one alone', async () => {
    const [shipped] = await acme.capture('supply-operator', tell.shipped([diverted], 'meridian'));
    assert.equal(shipped?.state, 'done', JSON.stringify(shipped));
    const [taken] = await northside.capture('supply-operator', tell.received([diverted]));
    assert.deepEqual([taken?.code, taken?.alert], ['not-the-receiver', 'diversion']);
    const [received] = await meridian.capture('supply-operator', tell.received([diverted]));
    assert.deepEqual([received?.state, received?.alert], ['done', undefined]);
  });

  it('is refused in words that say what would be right', async () => {
    const most = Array.from({ length: MAX_ASKED_EPCS + 1 }, () => one);
    for (const [body, words] of [
      [{ act: 'ship', epcs: [one] }, /^act is one of: hand-over, receive/],
      [{ act: 'undo', epcs: most }, /^epcs lists 1 to/],
      [{ act: 'undo', epcs: ['pack 1'] }, /EPC URN or a GS1 Digital Link/],
    ] as const) {
      const { status, body: answer } = await acme.ask('supply-operator', 'acts', body);
      assert.equal(status, 400);
      assert.match(String(answer['detail']), words);
    }
    assert.equal((await acme.ask('physician', 'alerts')).status, 403);
  });
});
