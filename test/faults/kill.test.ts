import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { campaign } from '../support/campaigns.js';
import { salus } from '../support/command.js';
import { type TestNetwork, freePortBase, startNetwork } from '../support/network.js';
import { glucose, patient } from '../story/people.js';

/** Kills in the slice that every test run takes, and in the whole campaign. */
const kills = campaign('kill').size({ slice: 3, full: 20 });
const clients = 8;

interface Acknowledged {
  readonly key: string;
  readonly id: string;
}

describe(`kill -9 of the whole system while it writes, ${kills} times`, () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-kill-'));
  const acknowledged: Acknowledged[] = [];
  const unresolved: string[] = [];
  const random = campaign('kill').random();
  let network: TestNetwork;
  let portBase: number;
  let token: string;
  let patientId: string;
  let written = 0;

  const up = async (): Promise<void> => {
    network = await startNetwork({ stateDir, portBase });
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  };

  before(async () => {
    portBase = await freePortBase();
    await up();
    const created = await network.ask('stmary', 'Patient', { token, body: patient });
    assert.equal(created.status, 201, created.text);
    patientId = String(created.body.id);
  });

  after(async () => {
    await network.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  /** Writes until the system is gone; the value tells each resource apart. */
  async function writeUntilKilled(): Promise<void> {
    for (;;) {
      written += 1;
      const key = `kill-${written}`;
      if (!(await write(key))) return;
    }
  }

  async function write(key: string): Promise<boolean> {
    try {
      const body = glucose(patientId, Number(key.slice(5)));
      const answer = await network.ask('stmary', 'Observation', { token, body, headers: { 'idempotency-key': key } });
      if (answer.status === 201) acknowledged.push({ key, id: String(answer.body.id) });
      else unresolved.push(key);
      return true;
    } catch {
      unresolved.push(key);
      return false;
    }
  }

  it('loses nothing acknowledged and writes nothing twice', async () => {
    for (let round = 0; round < kills; round += 1) {
      const writers = Array.from({ length: clients }, () => writeUntilKilled());
      await sleep(200 + random() * 1_500);
      await network.kill();
      await Promise.all(writers);
      await up();
      // What was left open is asked again under its key, and takes effect once.
      for (const key of unresolved.splice(0)) assert.ok(await write(key), `${key} is not answered after the restart`);
      assert.deepEqual(unresolved.splice(0), [], 'every key is resolved after the restart');
      for (const { id } of acknowledged.slice(-50)) {
        assert.equal((await network.ask('stmary', `Observation/${id}`, { token })).status, 200, id);
      }
    }
    assert.ok(acknowledged.length > kills);
    const values = await allValues(network, token, patientId);
    const expected = acknowledged.map(({ key }) => Number(key.slice(5))).sort((a, b) => a - b);
    assert.deepEqual(values, expected);
    await rebuildsAlike(network);
  }).timeout(kills * 60_000);
});

/** Every hospital's projection is what the ledger gives from genesis on. */
async function rebuildsAlike(network: TestNetwork): Promise<void> {
  for (const member of ['stmary', 'northside']) {
    const rebuilt = await salus(network.stateDir, ['rebuild', '--member', member]);
    assert.equal(rebuilt.code, 0, rebuilt.err);
  }
}

async function allValues(network: TestNetwork, token: string, patientId: string): Promise<number[]> {
  const values: number[] = [];
  for (let next: string | undefined = `Observation?patient=${patientId}&_count=1000`; next !== undefined;) {
    const { body } = await network.ask('stmary', next, { token });
    for (const { resource } of body.entry ?? []) {
      values.push((resource?.['valueQuantity'] as { value: number }).value);
    }
    const url = ((body['link'] ?? []) as { relation: string; url: string }[]).find(
      (link) => link.relation === 'next',
    )?.url;
    next = url === undefined ? undefined : new URL(url).pathname + new URL(url).search;
  }
  return values.sort((a, b) => a - b);
}
