import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';

import { type Answer, networkOfSuite } from '../support/network.js';
import { glucose, laboratoryForNorthside, patient, resourcesOf } from '../story/people.js';

const RESTRICTED = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] };

describe('flagged patients and teams, over HTTP', () => {
  const network = networkOfSuite();
  const tokens: Record<string, string> = {};
  let vip: string;
  let result: string;
  let newest = 0;

  async function ask(name: string, path: string, options: { body?: object; purpose?: string } = {}): Promise<Answer> {
    const [member = '', user = ''] = name.split('/');
    tokens[name] ??= await network.token({ member, user, role: 'physician' });
    const headers = {
      'x-min-block': String(member === 'stmary' ? newest : 0),
      ...(options.purpose === undefined ? {} : { 'x-purpose-of-use': options.purpose }),
    };
    const { body } = options;
    return await network.ask(member, path, { token: tokens[name], headers, ...(body === undefined ? {} : { body }) });
  }

  async function created(body: object): Promise<string> {
    const { resourceType } = body as { resourceType: string };
    const answer = await ask('stmary/dr-desk', resourceType, { body });
    assert.equal(answer.status, 201, answer.text);
    newest = Number(answer.headers.get('x-block'));
    return String(answer.body.id);
  }

  async function given(body: object): Promise<void> {
    const token = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: vip });
    const answer = await network.ask('stmary', 'Consent', { token, body });
    assert.equal(answer.status, 201, answer.text);
  }

  before(async () => {
    vip = await created({ ...patient, meta: RESTRICTED });
    result = await created(glucose(vip, 95.1));
    await created({ ...patient, name: [{ family: 'Plain' }] });
  });

  const ways = (): string[] => [
    `Patient/${vip}`,
    `Observation/${result}`,
    `Patient/${vip}/_history`,
    `Patient/${vip}/$everything`,
  ];

  it('hides a flagged patient from who does not care for the patient, on every way, and counts nothing', async () => {
    for (const path of ways()) assert.equal((await ask('stmary/dr-adams', path)).status, 404, path);
    for (const path of [`Observation?patient=${vip}`, `Patient?_id=${vip}`]) {
      assert.deepEqual(resourcesOf((await ask('stmary/dr-adams', path)).body), [], path);
    }
    for (const path of ['Patient?family=CANARYFAMILY', 'Observation?code=2339-0']) {
      const answer = await ask('stmary/dr-adams', `${path}&_summary=count`);
      assert.equal(answer.body.total, 0, `${path}: ${answer.text}`);
    }
    assert.equal((await ask('stmary/dr-adams', 'Patient?family=Plain&_summary=count')).body.total, 1);
  });

  it('opens to who treats the patient', async () => {
    await created({
      resourceType: 'Encounter',
      status: 'in-progress',
      class: { code: 'IMP' },
      subject: { reference: `Patient/${vip}` },
      participant: [{ individual: { identifier: { system: 'urn:salus:user', value: 'dr-adams' } } }],
    });
    for (const path of ways()) assert.equal((await ask('stmary/dr-adams', path)).status, 200, path);
    assert.equal((await ask('stmary/dr-chan', `Patient/${vip}`)).status, 404);
  });

  it('opens in an emergency to who says why', async () => {
    const parameter = [
      { name: 'reason', valueCode: 'unconscious' },
      { name: 'text', valueString: 'found on the stairs' },
    ];
    assert.notEqual((await ask('stmary/dr-chan', `Patient/${vip}`, { purpose: 'BTG' })).status, 200);
    const body = { resourceType: 'Parameters', parameter };
    const broken = await ask('stmary/dr-chan', `Patient/${vip}/$break-glass`, { purpose: 'BTG', body });
    assert.equal(broken.status, 200, broken.text);
    assert.equal((await ask('stmary/dr-chan', `Patient/${vip}`, { purpose: 'BTG' })).status, 200);
    assert.equal((await ask('stmary/dr-chan', `Patient/${vip}`)).status, 404);
  });

  it('opens to the members of a team that the patient permits, at another hospital, and to nobody beside them', async () => {
    const team = await created({
      resourceType: 'CareTeam',
      status: 'active',
      subject: { reference: `Patient/${vip}` },
      participant: [{ member: { identifier: { system: 'urn:salus:user', value: 'northside/dr-baker' } } }],
    });
    const actor = [{ role: { coding: [{ code: 'IRCP' }] }, reference: { reference: `CareTeam/${team}` } }];
    await given({ ...laboratoryForNorthside(vip), provision: { type: 'permit', actor } });
    const seen = await ask('northside/dr-baker', `Observation?patient=${vip}`);
    assert.deepEqual(
      resourcesOf(seen.body).map(({ id }) => id),
      [result],
      seen.text,
    );
    assert.equal((await ask('northside/dr-baker', `Patient/${vip}`)).status, 200);
    for (const path of [`Observation?patient=${vip}`, `Patient/${vip}`, `Patient/${vip}/$everything`]) {
      const unknown = await ask('northside/dr-dunn', path.replace(vip, randomUUID()));
      const hidden = await ask('northside/dr-dunn', path);
      assert.deepEqual([hidden.status, resourcesOf(hidden.body)], [unknown.status, resourcesOf(unknown.body)], path);
      assert.equal(hidden.body.total, unknown.body.total);
    }
  });

  it('refuses what a listed resource refers to, and shows the rest', async () => {
    const list = await created({
      resourceType: 'List',
      status: 'current',
      mode: 'working',
      subject: { reference: `Patient/${vip}` },
      entry: [{ item: { reference: `Observation/${result}` } }],
    });
    const other = await created(glucose(vip, 101.2));
    const data = [{ meaning: 'related', reference: { reference: `List/${list}` } }];
    await given({ ...laboratoryForNorthside(vip), provision: { type: 'deny', data } });
    for (const name of ['stmary/dr-adams', 'northside/dr-baker']) {
      const { body } = await ask(name, `Observation?patient=${vip}`);
      assert.deepEqual(
        resourcesOf(body).map(({ id }) => id),
        [other],
        name,
      );
    }
  });
});
