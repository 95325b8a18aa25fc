import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { UNDERWAY_LIMIT } from '@salus/gateway/fhir/underway';

import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import { salus } from '../support/command.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';

/** Bytes of a Bundle that a gateway cannot take while it holds two bodies of HELD bytes: those leave room for nothing. */
const LARGE = 1_000_000;
const HELD = UNDERWAY_LIMIT / 2 - 800;

describe('a load that is faster than a gateway', function () {
  this.timeout(180_000);
  const network = networkOfSuite();
  const folder = scratchFolder();
  let token: string;
  let id: string;
  let consent: Answer['body'];

  before(async () => {
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    id = String((await network.ask('stmary', 'Patient', { token, body: patient })).body.id);
    consent = (await network.ask('stmary', 'Consent', { token, body: laboratoryForNorthside(id) })).body;
  });
  after(() => {
    folder.remove();
  });

  const remarked = (value: number, bytes: number): object => ({
    ...glucose(id, value),
    note: [{ text: 'x'.repeat(bytes) }],
  });
  /** Keeps the gateway at work on two large bodies: it waits for a block that does not come. */
  const held = (): Promise<Answer>[] =>
    [1, 2].map((value) =>
      network.ask('stmary', 'Observation', {
        ...{ token, body: remarked(value, HELD) },
        headers: { 'x-min-block': '99999999' },
      }),
    );
  const arrived = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 2_000));
  const count = async (): Promise<unknown> =>
    (await network.ask('stmary', `Observation?patient=${id}&_summary=count`, { token })).body.total;

  it('is told to wait, with a 503 that says for how long and did nothing', async () => {
    const holding = held();
    await arrived();
    const refused = await network.ask('stmary', 'Observation', { token, body: remarked(3, LARGE) });
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'], refused.text.slice(0, 500));
    assert.match(refused.text, /overloaded/);
    const small = await network.ask('stmary', 'Observation', { token, body: glucose(id, 4) });
    assert.equal(small.status, 201, small.text);
    const withdrawn = { ...consent, status: 'inactive' };
    const end = { token, method: 'PUT', body: withdrawn };
    assert.equal(
      (await network.ask('stmary', `Consent/${String(consent.id)}`, end)).status,
      200,
      'it waits for no load',
    );
    for (const { status, headers } of await Promise.all(holding)) {
      assert.deepEqual([status, headers.get('retry-after')], [503, '1'], 'the block did not come');
    }
    assert.equal(await count(), 1);
    const again = await network.ask('stmary', 'Observation', { token, body: remarked(3, LARGE) });
    assert.ok([201, 202].includes(again.status), 'once it is over it is taken');
  });

  it('waits, loses nothing, and says what it cost, with the salus command', async () => {
    const entry = [5, 6].map((value) => ({
      resource: remarked(value, LARGE / 2),
      request: { method: 'POST', url: 'Observation' },
    }));
    const bundle = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
    writeFileSync(join(folder.path, 'bundle.json'), bundle);
    // The command takes its time to start: there is always something under way when it sends.
    const holding = (async () => {
      for (let round = 0; round < 3; round += 1) await Promise.all(held());
    })();
    await arrived();
    const { code, out, err } = await salus(network.stateDir, ['load', folder.path, '--member', 'stmary']);
    await holding;
    assert.equal(code, 0, err);
    assert.match(out, /^1 of 1 Bundles loaded in [\d.]+ s: 2 resources created/m);
    const megabytes = (bundle.length / 1e6).toFixed(1);
    const [, waits] =
      new RegExp(`^1 transactions, ${megabytes} MB sent; told to wait (\\d+) times`, 'm').exec(out) ?? [];
    assert.ok(Number(waits) > 0, out);
    assert.equal(
      (await network.ask('stmary', `Observation?patient=${id}&value-quantity=ge5`, { token })).body.total,
      2,
    );
  });
});
