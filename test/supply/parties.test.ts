import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { networkOfSuite } from '../support/network.js';
import { pack, PREFIX, type ShownEffect, sscc, tell, TradeSystem } from './packs.js';

const [LOT, OTHER] = ['PARTIES-1', 'PARTIES-2'];
const PLACE = `urn:epc:id:sgln:${PREFIX}.00001.0`;

describe('packs between two members', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  const serials = [7101, 7102, 7103, 7104, 7105, 7106];
  const [one = '', two = '', loose = '', inside = '', first = '', second = ''] = serials.map(pack);
  const foreign = pack(7201);
  const [pallet, box] = [sscc(711), sscc(712)];
  let acme: TradeSystem;
  let meridian: TradeSystem;
  let stmary: TradeSystem;
  let northside: TradeSystem;

  const codes = (effects: readonly ShownEffect[]) => effects.map(({ code, state }) => code ?? state);
  const does = (system: TradeSystem, act: string, epcs: readonly string[]) =>
    system.does('supply-operator', 'acts', { act, epcs, place: PLACE });

  before(async () => {
    const of = (member: string): TradeSystem => new TradeSystem(network, member);
    [acme, meridian, stmary, northside] = [of('acme'), of('meridian'), of('stmary'), of('northside')];
    const made = await acme.capture(
      'supply-operator',
      tell.commissioned(serials, LOT),
      tell.commissioned([7201], OTHER),
      tell.packed(pallet, [one, two]),
      tell.packed(box, [inside]),
      tell.shipped([pallet, loose, foreign], 'meridian'),
    );
    assert.deepEqual(new Set(codes(made)), new Set(['done']), JSON.stringify(made));
  });

  it('go back where their receiver declines them, pallet and pack, by that one’s word alone', async () => {
    const declined = [pallet, loose];
    assert.deepEqual(await does(acme, 'decline', declined), ['not-the-receiver', 'not-the-receiver']);
    assert.deepEqual(await does(northside, 'decline', [loose]), ['not-the-receiver']);
    assert.deepEqual(codes(await acme.capture('supply-operator', tell.received([loose]))), ['not-the-receiver']);
    assert.deepEqual(await does(meridian, 'decline', declined), ['done', 'done']);
    assert.deepEqual(await does(meridian, 'receive', declined), ['not-the-receiver', 'not-the-receiver']);
    assert.equal((await acme.verify('7101', LOT)).body['where'], 'on its way to you');
    assert.deepEqual(await does(acme, 'receive', declined), ['done', 'done']);
    const { body } = await acme.verify('7101', LOT);
    assert.deepEqual([body['whose'], body['where']], ['yours', 'returned']);
    assert.deepEqual(codes(await acme.capture('supply-operator', tell.shipped([loose], 'stmary'))), [
      'return-not-verified',
    ]);
    assert.deepEqual(await does(acme, 'verify-return', [loose]), ['done']);
  });

  it('are told of in no container that takes the name of one that is known', async () => {
    const [known] = await acme.capture('supply-operator', tell.shipped([box], 'stmary'));
    assert.deepEqual([known?.state, known?.handedOver], ['done', true]);
    // Of another lot, so that on the ledger it is another thing: what is printed on it is the same.
    const taken = await meridian.capture(
      'supply-operator',
      tell.received([foreign]),
      tell.packed(box, [foreign]),
      tell.shipped([box], 'stmary'),
    );
    const whole = taken.filter(({ act }) => act !== 'exception');
    assert.deepEqual(
      whole.map(({ act, state, handedOver }) => [act, state, handedOver]),
      [
        ['receive', 'done', undefined],
        ['pack', 'done', undefined],
        ['ship', 'done', false],
      ],
    );
    const [received] = await stmary.capture('supply-operator', tell.received([box]));
    assert.equal(received?.state, 'done');
    assert.equal((await stmary.verify('7104', LOT)).body['whose'], 'yours');
    assert.equal((await stmary.verify('7201', OTHER)).body['whose'], 'another member’s');
  });

  it('have a fresh salt each where they are set apart before anybody acted on them, and are shipped with it', async () => {
    for (const standing of ['held', 'released']) {
      const asked = { standing, epcs: [first, second] };
      assert.deepEqual(await acme.does('quality-officer', 'quarantines', asked), ['done', 'done']);
    }
    const owners = new Map<string, string>();
    for (const epc of [first, second]) {
      const { body } = await acme.ask('quality-officer', `evidence?epc=${encodeURIComponent(epc)}`);
      owners.set(String(body['item']), '');
    }
    for (const file of readdirSync(network.stateDir, { recursive: true, encoding: 'utf8' })) {
      const path = join(network.stateDir, file);
      if (!statSync(path).isFile()) continue;
      const text = readFileSync(path).toString('latin1');
      for (const [, holder = '', id = ''] of text.matchAll(/"holder":"([0-9a-f]{64})","id":"([0-9a-f]{64})"/g))
        if (owners.has(id)) owners.set(id, holder);
    }
    assert.equal(new Set(owners.values()).size, 2, JSON.stringify([...owners]));
    assert.ok(![...owners.values()].includes(''));
    const shipped = await acme.capture('supply-operator', tell.shipped([first, second], 'stmary'));
    assert.deepEqual(codes(shipped), ['done', 'done']);
  });
});
