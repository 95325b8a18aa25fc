import { strict as assert } from 'node:assert';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { IDEMPOTENCY_DAYS } from '@salus/chaincode/ehr/api';

import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import { salus } from '../support/command.js';
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
  const files = scratchFolder();
  /** By member, what its first request under the key made. */
  const made = new Map<string, string>();
  let consent: string;
  let survivor: string;
  let measured: string;
  let portBase: number;
  let network: TestNetwork;

  const outboxOf = (member: string): string => join(stateDir, 'members', member, 'data', 'outbox-gateway0.db');

  async function at(clockOffsetMs: number): Promise<void> {
    await (network as TestNetwork | undefined)?.stop();
    if (clockOffsetMs > DAYS_MS) keptLongAgo();
    if (clockOffsetMs > 0 && clockOffsetMs < DAYS_MS) {
      for (const end of ['', '-wal', '-shm']) rmSync(`${outboxOf('northside')}${end}`, { force: true });
    }
    network = await startNetwork({ stateDir, portBase, clockOffsetMs });
  }
  /** As if what was asked last had been kept with the first and endorsed anew now. */
  function keptLongAgo(): void {
    const database = new DatabaseSync(outboxOf('stmary'));
    database.exec('UPDATE calls SET created = (SELECT min(created) FROM calls)');
    database.close();
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
    survivor = String(together[0]?.body.id);
    measured = String((await post('stmary', 'Observation', glucose(made.get('stmary')!, 5), 'measured')).body.id);
    const entry = [
      { resource: { ...patient, name: [{ family: 'Loaded' }] }, request: { method: 'POST', url: 'Patient' } },
    ];
    writeFileSync(
      join(files.path, 'bundle.json'),
      JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
    );
    const { code, err } = await salus(stateDir, ['load', files.path, '--member', 'stmary']);
    assert.equal(code, 0, err);
  });
  after(async () => {
    await (network as TestNetwork | undefined)?.stop();
    folder.remove();
    files.remove();
  });

  it('answers within them what its first use made, also where the outbox is lost', async () => {
    await at(DAYS_MS - HOUR_MS);
    for (const [member, id] of made) {
      const again = await post(member, 'Patient', patient, 'once');
      assert.deepEqual([again.status, again.body.id], [201, id], again.text);
      assert.equal((await post(member, 'Patient', other, 'once')).status, 422);
    }
    assert.equal(isReplayed(await post('stmary', 'Patient', patient, 'once')), true);
    assert.equal((await post('stmary', 'Patient', { ...other, gender: 'other' }, 'late')).status, 201);
    const body = laboratoryForNorthside(made.get('stmary')!);
    assert.equal((await post('stmary', 'Consent', body, 'consented')).body.id, consent);
  });

  it('is used anew after them by another request; the same one still finds what it made', async () => {
    await at(DAYS_MS + HOUR_MS);
    for (const [member, id] of made) {
      const again = await post(member, 'Patient', patient, 'once');
      assert.deepEqual([again.status, again.body.id, isReplayed(again)], [201, id, true], again.text);
      const anew = await post(member, 'Patient', other, 'once');
      assert.deepEqual([anew.status, isReplayed(anew)], [201, false], anew.text);
      assert.notEqual(anew.body.id, id);
      assert.equal((await post(member, 'Patient', { ...other, gender: 'male' }, 'once')).status, 422);
    }
    const body = laboratoryForNorthside(made.get('stmary')!);
    const second = await post('stmary', 'Consent', body, 'consented');
    assert.deepEqual([second.status, second.body.id], [201, consent], second.text);
  });

  it('is not needed for a load that is repeated later: it makes no duplicate', async () => {
    const token = await network.token({ member: 'stmary', user: 'loader', role: 'admin' });
    const count = async (): Promise<unknown> =>
      (await network.ask('stmary', 'Patient?family=Loaded&_summary=count', { token })).body.total;
    assert.equal(await count(), 1);
    const { code, out } = await salus(stateDir, ['load', join(files.path, 'bundle.json'), '--member', 'stmary']);
    assert.deepEqual([code, await count()], [0, 1], out);
    assert.match(out, /1 Bundles were there already/);
  });

  it('does not bring back who was erased', async () => {
    const [id = ''] = [made.get('stmary')];
    const wish = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'basis', valueCode: 'unlawful-processing' },
        { name: 'reason', valueString: 'entered for the wrong person' },
      ],
    };
    let answer: Answer | undefined;
    for (const user of ['officer-a', 'officer-b']) {
      const token = await network.token({ member: 'stmary', user, role: 'privacy-officer' });
      answer = await network.ask('stmary', `Patient/${id}/$erase`, { token, body: wish });
    }
    assert.equal(answer?.status, 200, answer?.text);
    for (const [type, body, key] of [
      ['Patient', patient, 'once'],
      ['Observation', glucose(id, 5), 'measured'],
    ] as const) {
      const again = await post('stmary', type, body, key);
      assert.ok(again.status >= 400 && again.status < 500, again.text);
    }
    const token = await network.token({ member: 'stmary', user: 'dr-stmary', role: 'physician' });
    const body = { ...glucose(survivor, 6), id: measured };
    const taken = await network.ask('stmary', `Observation/${measured}`, { token, method: 'PUT', body });
    assert.match(taken.text, /id-taken/, 'not for another person either');
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
      assert.equal(left(), 1, 'but for the one that the ledger remembers for longer');
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
