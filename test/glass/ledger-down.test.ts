import { strict as assert } from 'node:assert';

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GLASS_BUDGET } from '@salus/gateway/glass/store';

import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';
import { condition, patient } from '../story/people.js';

describe('breaking the glass while the ledger stands still', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-glass-'));
  let portBase: number;
  let network: TestNetwork;
  let requester: string;
  let patientId: string;

  before(async () => {
    portBase = await freePortBase();
    network = await startNetwork({ stateDir, portBase });
    const physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    requester = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const created = await network.ask('stmary', 'Patient', { token: physician, body: patient });
    patientId = String(created.body.id);
    const more = await network.ask('stmary', 'Condition', { token: physician, body: condition(patientId) });
    assert.equal(more.status, 201, more.text);
  });

  after(async () => {
    network.standStill(false);
    await network.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  const urgent = { 'x-purpose-of-use': 'BTG' };
  const broken = (member = 'northside', token = requester): Promise<Answer> =>
    network.ask(member, `Patient/${patientId}/$break-glass`, {
      method: 'POST',
      token,
      headers: urgent,
      body: {
        resourceType: 'Parameters',
        parameter: [
          { name: 'reason', valueCode: 'unconscious' },
          { name: 'text', valueString: 'found unconscious' },
        ],
      },
    });

  const own = (): Promise<string> => network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  const read = async (): Promise<Answer> =>
    await network.ask('stmary', `Patient/${patientId}`, { token: await own(), headers: urgent });
  const listed = async (): Promise<string> => {
    const token = await network.token({ member: 'stmary', user: 'officer', role: 'privacy-officer' });
    return (await network.ask('stmary', '$break-glass', { token })).text;
  };

  it('opens the own record once why is on disk, says so, and tells the officer', async () => {
    network.standStill(true);
    const before = await read();
    assert.equal(before.status, 503, before.text);
    assert.doesNotMatch(before.text, /CANARY/);
    const opened = await broken('stmary', await own());
    assert.equal(opened.status, 202, opened.text);
    assert.match(opened.text, /queued.*on disk here/);
    const seen = await read();
    assert.equal(seen.status, 200, seen.text);
    assert.match(seen.text, /CANARY/);
    const acts = await listed();
    assert.match(acts, /"state","valueString":"queued".*"review","valueString":"due"/);
    assert.doesNotMatch(acts, /"recorded"/);
    assert.match((await network.ask('stmary', '/metrics')).text, /salus_alarms_total\{alarm="glass-broken"[^}]*\} 1/);
  }).timeout(180_000);

  it('opens no more without the ledger than the budget of an hour', async () => {
    const token = await own();
    const more = await Promise.all(Array.from({ length: GLASS_BUDGET.clinician }, () => broken('stmary', token)));
    const statuses = more.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [...Array<number>(GLASS_BUDGET.clinician - 1).fill(202), 503]);
  }).timeout(180_000);

  it('has it on the ledger, marked late, when that answers again, whatever was killed meanwhile', async () => {
    await network.kill();
    network = await startNetwork({ stateDir, portBase });
    await eventually(async () => {
      const acts = await listed();
      assert.doesNotMatch(acts, /"queued"/);
      assert.equal(acts.match(/"late"/g)?.length, GLASS_BUDGET.clinician, acts);
      assert.equal(acts.match(/"recorded"/g)?.length, GLASS_BUDGET.clinician + 1, acts);
    });
    const token = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: patientId });
    const told = await network.ask('stmary', `Communication?subject=Patient/${patientId}`, { token });
    assert.match(told.text, /In an emergency \(unconscious\) a physician of stmary/);
  }).timeout(240_000);

  it('opens the emergency summary as soon as the ledger goes on, with the act on the patient’s list', async () => {
    let opened = await broken();
    for (let tries = 0; opened.status === 503 && tries < 30; tries += 1) opened = await broken();
    assert.equal(opened.status, 200, opened.text);
    assert.match(opened.text, /CANARY/);
    const mine = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: patientId });
    const list = await network.ask('stmary', `AuditEvent?patient=${patientId}`, { token: mine });
    assert.match(list.text, /break-glass: unconscious/);
  }).timeout(180_000);
});
