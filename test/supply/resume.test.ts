import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { startNetwork, type TestNetwork } from '../support/network.js';
import { pack, sscc, tell, TradeSystem } from './packs.js';

describe('a capture whose gateway is killed', function () {
  this.timeout(240_000);
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-resume-'));
  let network: TestNetwork;
  let portBase: number;

  after(async () => {
    await network.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('is gone on with until each act took effect once and every receiver was told', async () => {
    portBase = await freePortBase();
    network = await startNetwork({ stateDir, portBase });
    const serials = Array.from({ length: 30 }, (_, index) => 4001 + index);
    const loose = serials.slice(20).map(pack);
    const acme = (): TradeSystem => new TradeSystem(network, 'acme');
    const location = await acme().send(
      'supply-operator',
      tell.commissioned(serials),
      tell.packed(sscc(41), serials.slice(0, 20).map(pack)),
      tell.shipped([sscc(41), ...loose], 'meridian'),
    );
    await sleep(1_000);
    await network.kill();
    network = await startNetwork({ stateDir, portBase });
    const effects = await acme().effectsOf('supply-operator', location);
    assert.deepEqual(
      effects.filter(({ state }) => state !== 'done'),
      [],
    );
    assert.equal(effects.length, 2 + 1 + loose.length);
    while ((await acme().effectsOf('supply-operator', location)).at(-1)?.handedOver !== true) await sleep(500);
    const meridian = new TradeSystem(network, 'meridian');
    const received = await meridian.capture('supply-operator', tell.received([sscc(41), ...loose.slice(0, 3)]));
    assert.deepEqual(new Set(received.map(({ state }) => state)), new Set(['done']), JSON.stringify(received));
  });

  it('reports what came too much with a receipt once, wherever the kill hit', async () => {
    const acme = (): TradeSystem => new TradeSystem(network, 'acme');
    const meridian = (): TradeSystem => new TradeSystem(network, 'meridian');
    const serials = Array.from({ length: 8 }, (_, index) => 4201 + index);
    await acme().capture(
      'supply-operator',
      tell.commissioned(serials, 'SURPLUS'),
      tell.shipped(serials.slice(0, 6).map(pack), 'meridian'),
    );
    const location = await meridian().send('supply-operator', tell.received(serials.map(pack)));
    await sleep(400);
    await network.kill();
    network = await startNetwork({ stateDir, portBase });
    const effects = await meridian().effectsOf('supply-operator', location);
    assert.deepEqual(
      effects.filter(({ act }) => act === 'exception').map(({ state }) => state),
      ['done'],
    );
    for (const system of [meridian(), acme()]) {
      await eventually(async () => {
        const { body } = await system.ask('supply-operator', 'exceptions');
        const shown = body['exceptions'] as readonly { readonly kind: string; readonly epcs: readonly string[] }[];
        const surplus = shown.filter(({ kind }) => kind === 'product-no-data');
        assert.deepEqual(
          surplus.map(({ epcs }) => epcs.length),
          [2],
        );
      });
    }
  });
});
