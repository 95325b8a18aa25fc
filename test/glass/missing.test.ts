import assert from 'node:assert/strict';

import { SharingWorld } from '../support/sharing-world.js';
import { adams, ask, baker, namesIn } from './people.js';

const why = { reason: 'unconscious', text: 'found beside the road' };

describe('break-glass, where a custodian does not answer', () => {
  let world: SharingWorld;

  beforeEach(async () => {
    world = await SharingWorld.open();
    for (const name of ['Patient/ann', 'Condition/asthma', 'Observation/pulse']) {
      const [type = '', id = ''] = name.split('/');
      const text = JSON.stringify({ resourceType: type, id });
      await world.stmary.sharing.writer.write(adams, [{ type, id, expect: 0, text, patient: 'ann' }]);
    }
  });
  afterEach(() => world.close());

  const breakGlass = async (more: object = {}) =>
    await ask(world.northside, 'POST Patient/ann/$break-glass', baker, { ...why, ...more });

  /** A second custodian whose door nobody finds: acme, as the ledger and northside's projection then have the patient. */
  function keptByAcmeToo(): void {
    const pid = world.northside.sharing.lookup.pidOf('ann') ?? assert.fail();
    const place = world.contracts.store.get('care') ?? assert.fail();
    const [key, held] = [...place].find(([each]) => each.includes(pid) && each.startsWith('\u0000patient\u0000'))!;
    const { custodians, ...rest } = JSON.parse(Buffer.from(held.value).toString()) as { custodians: object };
    const value = Buffer.from(JSON.stringify({ ...rest, custodians: { ...custodians, acme: { patientId: 'ann' } } }));
    place.set(key, { ...held, value });
    const said = Buffer.from(JSON.stringify({ ...rest, custodians: { acme: { patientId: 'ann' } } }));
    world.project('acme-too', 'AcmeMSP', 'care', key, said);
  }

  it('answers what the others show, and says who did not answer', async () => {
    keptByAcmeToo();
    const summary = await breakGlass();
    assert.equal(summary.status, 200, JSON.stringify(summary.resource));
    assert.ok(namesIn(summary).includes('Condition/asthma'));
    assert.match(JSON.stringify(summary.resource), /acme did not answer/);
    assert.deepEqual(world.northside.alarms, ['custodian-missing']);
    const all = await breakGlass({ full: true });
    assert.equal(all.status, 200, JSON.stringify(all.resource));
    assert.ok(namesIn(all).includes('Observation/pulse'));
    assert.match(JSON.stringify(all.resource), /acme did not answer/);
  });

  it('says that it is worth another try where none answers', async () => {
    world.stmary.server?.closeAllConnections();
    await new Promise((resolve) => world.stmary.server?.close(resolve));
    const answer = await breakGlass();
    assert.equal(answer.status, 503, JSON.stringify(answer.resource));
    assert.match(JSON.stringify(answer.resource), /custodian-missing/);
    assert.deepEqual(world.northside.alarms, ['custodian-missing']);
  });
});
