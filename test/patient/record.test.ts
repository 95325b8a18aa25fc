import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { glucose, patient } from '../story/people.js';
import { type CommandResult, salus } from '../support/command.js';
import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';

describe('a record that a patient takes along', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-record-'));
  let network: TestNetwork;
  let id: string;
  let text: string;

  before(async () => {
    network = await startNetwork({ stateDir });
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    id = String((await network.ask('stmary', 'Patient', { token, body: patient })).body.id);
    // A decimal that no double keeps is in it as it was written.
    const body = JSON.stringify(glucose(id, 81)).replace('"value":81', '"value":81.50');
    const made = await network.ask('stmary', 'Observation', { token, body });
    assert.equal(made.status, 201, made.text);
  });
  after(async () => {
    await network.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  async function exported(role: string, wish: object = {}, patientId = id): Promise<Answer> {
    const token = await network.token({ member: 'stmary', user: `${role}-1`, role, ...wish });
    return await network.ask('stmary', `Patient/${patientId}/$export-record`, { token });
  }
  async function verified(bundle: string): Promise<CommandResult> {
    const file = join(stateDir, 'record.json');
    writeFileSync(file, bundle);
    return await salus(stateDir, ['verify-record', file]);
  }

  it('is everything that the hospital keeps of the patient, signed by it', async () => {
    const answer = await exported('patient', { patient: id });
    assert.equal(answer.status, 200, answer.text);
    text = answer.text;
    const types = (answer.body.entry ?? []).map(({ resource }) => resource?.resourceType).sort();
    assert.deepEqual(types, ['Observation', 'Patient']);
    assert.match(text, /81\.50/);
    assert.equal((answer.body['signature'] as { sigFormat: string }).sigFormat, 'application/jose');
  });

  it('is for the patient, a guardian and privacy officers alone', async () => {
    assert.equal((await exported('physician')).status, 403);
    assert.equal((await exported('patient', { patient: 'somebody-else' })).status, 404);
    assert.equal((await exported('privacy-officer', {}, 'nobody')).status, 404);
  });

  it('is taken in by another hospital whose patient this is, once, under ids of its own', async () => {
    const token = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const ask = (path: string, body?: unknown): Promise<Answer> =>
      network.ask('northside', path, body === undefined ? { token } : { token, body });
    const theirs = String((await ask('Patient', patient)).body.id);
    const stranger = { resourceType: 'Patient', name: [{ family: 'Ng', given: ['Wei'] }], birthDate: '1950-11-02' };
    const other = String((await ask('Patient', stranger)).body.id);
    const taken = await ask(`Patient/${theirs}/$import-record`, text);
    assert.equal(taken.status, 200, taken.text);
    assert.match(taken.text, /1 of 2 resources of stmary/);
    const chart = await ask(`Observation?subject=Patient/${theirs}`);
    assert.equal(chart.body.total, 1, chart.text);
    assert.match(chart.text, /"value":81\.50/);
    assert.match(chart.text, /"source":"urn:salus:member:stmary"/);
    assert.ok(!chart.text.includes(id), 'no id of the other hospital');
    const provenance = await ask(`Provenance?patient=${theirs}`);
    assert.equal(provenance.body.total, 2, 'what the import says, and who made the Patient here');
    assert.match(provenance.text, /"value":"stmary"[\s\S]*application\/jose/);
    assert.equal((await ask(`Patient/${theirs}/$import-record`, text)).status, 200);
    const again = await ask(`Observation?subject=Patient/${theirs}`);
    assert.deepEqual([again.body.total, again.text.includes('"versionId":"2"')], [1, false]);

    const changed = await ask(`Patient/${theirs}/$import-record`, text.replace('81.50', '81.51'));
    assert.deepEqual([changed.status, /not the record that stmary signed/.test(changed.text)], [422, true]);
    assert.equal((await ask(`Patient/${other}/$import-record`, text)).status, 409);
    assert.equal((await ask('Patient/nobody/$import-record', text)).status, 404);
    const biller = await network.token({ member: 'northside', user: 'b', role: 'biller' });
    const refused = await network.ask('northside', `Patient/${theirs}/$import-record`, { token: biller, body: text });
    assert.equal(refused.status, 403);
  });

  it('verifies with the blocks of another member, and no longer once anything is changed', async () => {
    const whole = await verified(text);
    assert.equal(whole.code, 0, whole.err);
    assert.match(whole.out, /2 resources/);
    const changed = await verified(text.replace('81.50', '81.51'));
    assert.equal(changed.code, 1);
    assert.match(changed.err, /not the record that stmary signed[\s\S]*Observation\/\S+ is not on the ledger/);
    const less = JSON.parse(text) as { entry: unknown[] };
    less.entry.pop();
    assert.match((await verified(JSON.stringify(less))).err, /left out/);
    const unsigned = await verified(text.replace(/"data":"[^"]+"/, '"data":"AAAA"'));
    assert.match(unsigned.err, /no member in force signed/);
    assert.equal((await verified('{"resourceType":"Patient"}')).code, 2);
  });
});
