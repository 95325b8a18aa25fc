import assert from 'node:assert/strict';

import { networkOfSuite } from '../support/network.js';
import { BATCH, pack, sscc, tell, TradeSystem } from './packs.js';

describe('packs from the line to the patient, told by EPCIS events', () => {
  const network = networkOfSuite();
  let acme: TradeSystem;
  let meridian: TradeSystem;
  let stmary: TradeSystem;
  let northside: TradeSystem;
  const serials = Array.from({ length: 20 }, (_, index) => 1001 + index);
  const [first = '', second = '', third = ''] = serials.map(pack);
  const pallet = sscc(1);

  before(() => {
    const of = (member: string): TradeSystem => new TradeSystem(network, member);
    [acme, meridian, stmary, northside] = [of('acme'), of('meridian'), of('stmary'), of('northside')];
  });

  const verdict = async (system: TradeSystem, serial: string, lot?: string, exp?: string) => {
    const { status, body, text } = await system.verify(serial, lot, exp);
    assert.equal(status, 200, text);
    const { data, emvsCode, whose, where, dispensable } = body;
    return { ...(data as object), emvsCode, whose, where, dispensable };
  };

  it('commits a lot, packs it, and ships the pallet with all inside in one act', async function () {
    this.timeout(60_000);
    const effects = await acme.capture(
      'supply-operator',
      tell.commissioned(serials),
      tell.packed(pallet, serials.map(pack)),
      tell.shipped([pallet], 'meridian'),
    );
    assert.deepEqual(
      effects.map(({ act, state, handedOver }) => [act, state, handedOver]),
      [
        ['commit', 'done', undefined],
        ['pack', 'done', undefined],
        ['ship', 'done', true],
      ],
    );
    assert.deepEqual(await verdict(meridian, '1001'), {
      verified: true,
      emvsCode: 'NMVS_SUCCESS',
      whose: 'another member’s',
      where: 'on its way to you',
      dispensable: false,
    });
  });

  it('is received and shipped on, and the hospital’s scan says all four', async function () {
    this.timeout(60_000);
    const through = await meridian.capture(
      'supply-operator',
      tell.received([pallet]),
      tell.shipped([pallet], 'stmary'),
    );
    assert.deepEqual(
      through.map(({ act, state }) => [act, state]),
      [
        ['receive', 'done'],
        ['ship', 'done'],
      ],
    );
    const [received] = await stmary.capture('supply-operator', tell.received([pallet]));
    assert.equal(received?.state, 'done');
    const here = { verified: true, emvsCode: 'NMVS_SUCCESS', whose: 'yours', where: 'in stock', dispensable: true };
    assert.deepEqual(await verdict(stmary, '1001'), here);
    // Northside never heard of this lot: it asks the issuer, and believes the ledger alone.
    assert.deepEqual(await verdict(northside, '1001'), { ...here, whose: 'another member’s', dispensable: false });
  });

  it('is dispensed once; the same serial elsewhere is refused and raises an alert', async function () {
    this.timeout(60_000);
    const [dispensed] = await stmary.capture('pharmacist', tell.dispensed(first));
    assert.equal(dispensed?.state, 'done', JSON.stringify(dispensed));
    const [clone] = await northside.capture('pharmacist', tell.dispensed(first));
    assert.deepEqual([clone?.state, clone?.code, clone?.alert], ['refused', 'already-dispensed', 'double-dispense']);
    const [again] = await northside.capture('pharmacist', tell.dispensed(first, '2026-03-05T10:00:00.000Z'));
    assert.equal(again?.alert, 'double-dispense');
    const [back] = await acme.capture('supply-operator', tell.shipped([first], 'meridian'));
    assert.deepEqual([back?.code, back?.alert], ['already-dispensed', 're-entry']);
    const { emvsCode, where } = await verdict(northside, '1001');
    assert.deepEqual([emvsCode, where], ['NMVS_NC_PCK_22', 'dispensed']);
  });

  it('answers a pack that nobody committed, or of another lot or day, in the words of both standards', async function () {
    this.timeout(60_000);
    const reasons = async (...scan: [string, string?, string?]) => {
      const { verified, verificationFailureReason, emvsCode } = (await verdict(stmary, ...scan)) as Record<
        string,
        unknown
      >;
      return [verified, verificationFailureReason, emvsCode];
    };
    assert.deepEqual(await reasons('9999'), [false, 'No_match_GTIN_Serial', 'NMVS_NC_PC_02']);
    assert.deepEqual(await reasons('1002', 'OTHER'), [false, 'No_match_GTIN_Serial_Lot', 'NMVS_FE_LOT_13']);
    assert.deepEqual(await reasons('1002', BATCH, '300101'), [false, 'No_match_GTIN_Serial_Expiry', 'NMVS_FE_LOT_12']);
    assert.deepEqual(await reasons('1002', 'OTHER', '300101'), [
      false,
      'No_match_GTIN_Serial_Lot_Expiry',
      'NMVS_FE_LOT_13',
    ]);
    const [ghost] = await stmary.capture('pharmacist', tell.dispensed(pack(9999)));
    assert.deepEqual([ghost?.state, ghost?.code, ghost?.alert], ['refused', 'unknown-item', 'ghost']);
  });

  it('is recalled by its issuer in one write, and no pharmacy dispenses it from then on', async function () {
    this.timeout(60_000);
    const [foreign] = await stmary.capture('quality-officer', tell.recalled());
    assert.equal(foreign?.code, 'not-yours');
    const [recalled] = await acme.capture('quality-officer', tell.recalled());
    assert.equal(recalled?.state, 'done', JSON.stringify(recalled));
    const [refused] = await stmary.capture('pharmacist', tell.dispensed(second));
    assert.deepEqual([refused?.code, refused?.alert], ['recalled', undefined]);
    const scanned = (await verdict(stmary, '1003')) as Record<string, unknown>;
    assert.deepEqual([scanned['additionalInfo'], scanned['dispensable']], ['Recalled', false]);
    const [shipped] = await stmary.capture('supply-operator', tell.shipped([third], 'northside'));
    assert.equal(shipped?.code, 'recalled');
  });
});
