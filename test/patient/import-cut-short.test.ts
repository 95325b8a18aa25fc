import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { glucose, patient } from '../story/people.js';
import { freePortBase } from '../support/free-ports.js';
import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';

/** So many that they are written in several parts. */
const OBSERVATIONS = 1_000;
const AT_ONCE = 500;

describe('an import that is cut short', function () {
  this.timeout(240_000);
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-import-'));
  let portBase: number;
  let network: TestNetwork;
  let record: string;
  let theirs: string;

  async function ask(member: string, path: string, body?: unknown, wish: object = {}): Promise<Answer> {
    const token = await network.token({ member, user: `dr-${member}`, role: 'physician', ...wish });
    return await network.ask(member, path, body === undefined ? { token } : { token, body });
  }
  const counted = async (): Promise<number> =>
    (await ask('northside', `Observation?subject=Patient/${theirs}&_summary=count`)).body.total ?? 0;
  const provenances = async (): Promise<number | undefined> =>
    (await ask('northside', `Provenance?patient=${theirs}&signature-type=1.2.840.10065.1.12.1.5&_summary=count`)).body
      .total;

  before(async () => {
    portBase = await freePortBase();
    network = await startNetwork({ stateDir, portBase });
    const id = String((await ask('stmary', 'Patient', patient)).body.id);
    theirs = String((await ask('northside', 'Patient', patient)).body.id);
    for (let from = 0; from < OBSERVATIONS; from += AT_ONCE) {
      const entry = Array.from({ length: AT_ONCE }, (_, at) => ({
        resource: glucose(id, from + at),
        request: { method: 'POST', url: 'Observation' },
      }));
      const made = await ask('stmary', '', { resourceType: 'Bundle', type: 'transaction', entry });
      assert.equal(made.status, 200, made.text.slice(0, 300));
    }
    const exported = await ask('stmary', `Patient/${id}/$export-record`, undefined, { role: 'patient', patient: id });
    assert.equal(exported.status, 200, exported.text.slice(0, 300));
    record = exported.text;
  });
  after(async () => {
    await network.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('is not called whole, goes on where it is asked for again, and writes nothing twice', async () => {
    const cut = ask('northside', `Patient/${theirs}/$import-record`, record).catch(() => undefined);
    while ((await counted()) === 0) await sleep(20);
    await network.kill();
    assert.equal(await cut, undefined);
    network = await startNetwork({ stateDir, portBase });
    const half = await counted();
    assert.ok(half > 0 && half < OBSERVATIONS, `${half} are in`);
    assert.equal(await provenances(), 0);
    const again = await Promise.all([1, 2].map(() => ask('northside', `Patient/${theirs}/$import-record`, record)));
    for (const { status, text } of again) assert.equal(status, 200, text);
    assert.deepEqual([await counted(), await provenances()], [OBSERVATIONS, 1]);
    const page = await ask('northside', `Observation?subject=Patient/${theirs}&_count=1000`);
    assert.equal(page.text.match(/"versionId":"1"/g)?.length, OBSERVATIONS);
  });
});
