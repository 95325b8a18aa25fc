import { strict as assert } from 'node:assert';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { IDEMPOTENCY_DAYS } from '@salus/chaincode/ehr/api';

import { laboratoryForNorthside, patient } from '../story/people.js';
import { engineName } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';

const HOUR_MS = 3_600_000;
const DAYS_MS = IDEMPOTENCY_DAYS * 24 * HOUR_MS;
const other = { ...patient, name: [{ family: 'Another' }] };

describe(`an Idempotency-Key, ${IDEMPOTENCY_DAYS} days long`, function () {
  this.timeout(240_000);
  // Fabric's own programs know no other time than the machine's.
  if (engineName !== 'embedded') return;
  const folder = scratchFolder();
  const stateDir = folder.path;
  /** By member, what its first request under the key made. */
  const made = new Map<string, string>();
  let consent: string;
  let portBase: number;
  let network: TestNetwork;

  const outboxOf = (member: string): string => join(stateDir, 'members', member, 'data', 'outbox-gateway0.db');

  async function at(clockOffsetMs: number): Promise<void> {
    await (network as TestNetwork | undefined)?.stop();
    if (clockOffsetMs > 0 && clockOffsetMs < DAYS_MS) {
      for (const end of ['', '-wal', '-shm']) rmSync(`${outboxOf('northside')}${end}`, { force: true });
    }
    network = await startNetwork({ stateDir, portBase, clockOffsetMs });
  }
  async function post(member: string, type: string, body: unknown, key?: string): Promise<Answer> {
    const token = await network.token({ member, user: `dr-${member}`, role: 'physician' });
    return await network.ask(member, type, {
      token,
      body,
      headers: key === undefined ? {} : { 'idempotency-key': key },
    });
  }
  const isReplayed = ({ headers }: Answer): boolean => headers.get('idempotent-replayed') === 'true';

  before(async () => {
    portBase = await freePortBase();
    await at(0);
    for (const member of ['stmary', 'northside']) {
      const first = await post(member, 'Patient', patient, 'once');
      assert.equal(first.status, 201, first.text);
      made.set(member, String(first.body.id));
    }
    const body = laboratoryForNorthside(made.get('stmary')!);
    consent = String((await post('stmary', 'Consent', body, 'consented')).body.id);
    const together = await Promise.all(
      ['a', 'b', 'c'].map((family) => post('stmary', 'Patient', { ...other, id: family })),
    );
    assert.deepEqual(new Set(together.map(({ status }) => status)), new Set([201]));
  });
  after(async () => {
    await (network as TestNetwork | undefined)?.stop();
    folder.remove();
  });

  it('answers within them what its first use made, also where the outbox is lost', async () => {
    await at(DAYS_MS - HOUR_MS);
    for (const [member, id] of made) {
      const again = await post(member, 'Patient', patient, 'once');
      assert.deepEqual([again.status, again.body.id], [201, id], again.text);
      assert.equal((await post(member, 'Patient', other, 'once')).status, 422);
    }
    assert.equal(isReplayed(await post('stmary', 'Patient', patient, 'once')), true);
    const body = laboratoryForNorthside(made.get('stmary')!);
    assert.equal((await post('stmary', 'Consent', body, 'consented')).body.id, consent);
  });

  it('is used anew after them: by the same request for another resource, and by another request', async () => {
    await at(DAYS_MS + HOUR_MS);
    for (const [member, id] of made) {
      const anew = await post(member, 'Patient', patient, 'once');
      assert.equal(anew.status, 201, anew.text);
      assert.notEqual(anew.body.id, id);
      assert.equal(isReplayed(anew), false);
      const again = await post(member, 'Patient', patient, 'once');
      assert.deepEqual([again.body.id, isReplayed(again)], [anew.body.id, true]);
      assert.equal((await post(member, 'Patient', other, 'once')).status, 422);
    }
    const body = laboratoryForNorthside(made.get('stmary')!);
    const second = await post('stmary', 'Consent', body, 'consented');
    assert.equal(second.status, 201, second.text);
    assert.notEqual(second.body.id, consent);
  });

  it('is let go of then, on the ledger and in the outbox', async () => {
    const used = Date.now() + HOUR_MS;
    const left = (): unknown => {
      const database = new DatabaseSync(outboxOf('stmary'), { readOnly: true });
      const row = database.prepare('SELECT count(*) AS n FROM calls WHERE created < ?').get(used);
      database.close();
      return row?.n;
    };
    await eventually(() => {
      assert.equal(left(), 0);
      return Promise.resolve();
    });
    const seen: string[] = [];
    for (let number = 0; ; number += 1) {
      const block = await network.ask('acme', `/ledger/blocks/${number}`, { headers: { accept: 'application/json' } });
      if (block.status !== 200) break;
      seen.push(block.text);
    }
    assert.match(seen.join(''), /ehr:forget/);
    assert.doesNotMatch((await network.ask('acme', '/metrics')).text, /salus_alarms_total\{alarm="purge/);
  });
});
