import assert from 'node:assert/strict';

import { MAX_READINGS } from '@salus/chaincode/supply/api';
import { HANDOVER_BYTES, handoversOf } from '@salus/gateway/supply/packs/handover';
import { hearHandover } from '@salus/gateway/supply/packs/hearing';
import { PACK_TYPES } from '@salus/gateway/supply/packs/stored';

import { random } from '../support/contract-world.js';
import { CASE, cased, shippedIn } from './cased.js';
import { DataLogger } from './data-logger.js';
import { shelvesOfSuite } from './member-shelf.js';
import { call, freshDesk } from './world.js';

const DAY_MS = 86_400_000;

describe('a shipment with more to tell than a door takes at once', () => {
  const desk = freshDesk();
  const shelves = shelvesOfSuite(() => desk.world);

  /** As long a batch as there is. */
  const batchOf = (logger: DataLogger): string => logger.read(Array<number>(MAX_READINGS).fill(5_000), 1);

  it('tells all readings of it and of what lies in it, each message below the limit, and every one is kept', async () => {
    const made = await cased(desk.world, shelves.acme, { kind: 'cold', allowance: 0 });
    const logger = new DataLogger();
    await desk.world.submit('acme', 'supply:logger', call({ jwk: logger.jwk, standing: 'registered' }));
    const batches = 30;
    logger.begin(Date.now() - ((batches + 1) * MAX_READINGS * DAY_MS) / 1_440);
    for (let batch = 0; batch < batches; batch += 1) {
      const signed = batchOf(logger);
      const { item, origin, salt } = made;
      const thing = batch === 0 ? { item, origin, salt } : { item: made.case, salt };
      await desk.world.submit('acme', 'supply:climate', call({ ...thing, signed }));
      const digest = random();
      await shelves.acme.keep([{ type: PACK_TYPES.readings, value: { item: thing.item, digest, signed } }]);
    }
    await made.ship();
    const messages = handoversOf(shelves.acme.shelf, shippedIn(made)).map((each) => JSON.stringify(each));
    assert.ok(messages.filter((each) => each.includes('"digests"')).length > 1);
    for (const message of messages) {
      assert.ok(message.length <= HANDOVER_BYTES, `${message.length}`);
      assert.deepEqual(await hearHandover(shelves.stmary.hearing('stmary'), 'acme', message), {});
    }
    assert.deepEqual(
      [shelves.stmary.shelf.readings(made.case).length, shelves.stmary.shelf.readings(made.item).length],
      [29, 1],
    );
  }).timeout(60_000);

  it('tells containers in parts, inner ones before what they lie in, and of something each', async () => {
    const made = await cased(desk.world, shelves.acme);
    const inner = ['3345', '3352', '3369'].map((end) => `https://id.gs1.org/00/04012345000000${end}`);
    const items = Array.from({ length: 30_000 }, random);
    const containers = [
      ...inner.map((epc) => ({ epc, item: random(), lots: [], children: [], items, seed: random() })),
      { epc: CASE, item: made.case, lots: [], children: inner, items, seed: random() },
    ];
    await shelves.acme.keep(containers.map((value) => ({ type: PACK_TYPES.container, value })));
    const messages = handoversOf(shelves.acme.shelf, shippedIn(made));
    assert.ok(messages.length > 1);
    assert.equal(messages.flatMap((each) => each.containers).at(-1)?.epc, CASE);
    assert.equal(messages.flatMap((each) => each.containers).length, 4);
    for (const { salts, ...message } of messages) {
      assert.deepEqual(salts, [{ item: made.case, salt: made.receiver.salt }]);
      assert.ok(JSON.stringify(message).length < HANDOVER_BYTES);
    }
  });
});
