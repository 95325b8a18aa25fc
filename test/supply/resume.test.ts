import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePortBase } from '../support/free-ports.js';
import { startNetwork, type TestNetwork } from '../support/network.js';
import { pack, sscc, tell, TradeSystem } from './packs.js';

describe('a capture whose gateway is killed', function () {
  this.timeout(240_000);
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-resume-'));
  let network: TestNetwork;

  after(async () => {
    await network.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('is gone on with until each act took effect once and every receiver was told', async () => {
    const portBase = await freePortBase();
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
});
