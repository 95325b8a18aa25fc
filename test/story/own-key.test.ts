import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { salus } from '../support/command.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { glucose, heartRate, laboratoryForNorthside, patient, resourcesOf } from './people.js';

/** The same without what is for people's eyes: what is signed. */
function careForm(consent: object): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(consent, (name, value: unknown) => (name === 'display' ? undefined : value)),
  ) as Record<string, unknown>;
}

describe('the story of a patient with a key of the own', () => {
  const network = networkOfSuite();
  let staff: string;
  let requester: string;
  let patientId: string;
  const folder = mkdtempSync(join(tmpdir(), 'salus-own-key-'));
  const own = join(folder, 'phone.jwk');
  const consentId = randomUUID();

  before(async () => {
    staff = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    requester = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const created = await network.ask('stmary', 'Patient', { token: staff, body: patient });
    patientId = String(created.body.id);
    for (const body of [glucose(patientId, 95.1), heartRate(patientId)]) {
      assert.equal((await network.ask('stmary', 'Observation', { token: staff, body })).status, 201);
    }
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Signs with `salus sign`, which makes the key where there is none; resolves with what it printed. */
  async function signed(consent: object, version: number, key: string): Promise<{ out: string; err: string }> {
    const file = join(folder, 'consent.json');
    writeFileSync(file, JSON.stringify(consent));
    const wish = ['--patient', patientId, '--key', key, '--consent-version', String(version)];
    const { code, out, err } = await salus(network.stateDir, ['sign', file, ...wish]);
    assert.equal(code, 0, err);
    return { out: out.trim(), err };
  }

  /** Sends a version of the consent to northside, signed. */
  async function send(version: number, status: string, key = own, id = consentId): Promise<Answer> {
    const body = { ...careForm(laboratoryForNorthside(patientId)), id, status };
    const { out: statement } = await signed(body, version, key);
    return await network.ask('northside', `Consent/${id}`, {
      method: 'PUT',
      token: requester,
      body,
      headers: { 'x-statement': statement },
    });
  }

  const seen = async (): Promise<number> => {
    const answer = await network.ask('northside', `Observation?patient=${patientId}`, { token: requester });
    return resourcesOf(answer.body).length;
  };

  it('has the key registered at the hospital that keeps the record', async () => {
    const consent = { ...careForm(laboratoryForNorthside(patientId)), id: consentId };
    const jwk = /^\{.*\}$/m.exec((await signed(consent, 1, own)).err)?.[0];
    assert.equal(statSync(own).mode & 0o777, 0o600, 'the key is its owner’s alone');
    assert.doesNotMatch(jwk ?? '', /"d":/, 'what is shown is the public part');
    const parameter = [{ name: 'jwk', valueString: jwk }];
    const answer = await network.ask('stmary', `Patient/${patientId}/$patient-key`, {
      token: staff,
      body: { resourceType: 'Parameters', parameter },
    });
    assert.equal(answer.status, 200, answer.text);
  });

  it('is told where to go without a statement', async () => {
    const body = laboratoryForNorthside(patientId);
    const answer = await network.ask('northside', 'Consent', { token: requester, body });
    assert.equal(answer.status, 422, answer.text);
    assert.match(answer.text, /X-Statement/);
  });

  it('opens nothing with a key that nobody registered', async () => {
    const forged = await send(1, 'active', join(folder, 'foreign.jwk'), randomUUID());
    assert.ok(forged.status >= 400, forged.text);
    assert.equal(await seen(), 0);
  });

  it('permits at the other hospital', async () => {
    const answer = await send(1, 'active');
    assert.equal(answer.status, 201, answer.text);
    assert.equal(await seen(), 1);
  });

  it('cannot have a statement counted twice', async () => {
    const again = await send(1, 'active');
    assert.ok(again.status >= 400, again.text);
  });

  it('withdraws at the other hospital', async () => {
    const answer = await send(2, 'inactive');
    assert.equal(answer.status, 200, answer.text);
    assert.equal(await seen(), 0);
  });
});
