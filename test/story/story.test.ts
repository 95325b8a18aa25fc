import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';

import { type Answer, networkOfSuite } from '../support/network.js';
import { condition, glucose, heartRate, laboratoryForNorthside, patient, resourcesOf } from './people.js';

/** What a program can see of an answer, with what is random in each replaced. */
function visible(answer: Answer, ...ids: string[]): object {
  let text = answer.text;
  for (const id of ids) text = text.replaceAll(id, '<id>');
  const masked = text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
  const names = [...answer.headers.keys()].filter((name) => name !== 'content-length').sort();
  return { status: answer.status, names, etag: answer.headers.get('etag'), masked };
}

describe("the story: a patient's record travels between two hospitals by consent", () => {
  const network = networkOfSuite();
  let physician: string;
  let requester: string;
  let patientToken: string;
  let patientId: string;
  let consent: Answer;

  const created = async (resource: object): Promise<string> => {
    const type = (resource as { resourceType: string }).resourceType;
    const answer = await network.ask('stmary', type, { token: physician, body: resource });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  let asked = 0;
  const northside = (path: string): Promise<Answer> => {
    if (path.includes(patientId)) asked += 1;
    return network.ask('northside', path, { token: requester });
  };

  before(async () => {
    physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    requester = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    patientId = await created(patient);
    patientToken = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: patientId });
    await created(glucose(patientId, 95.1));
    await created(glucose(patientId, 101.2));
    await created(heartRate(patientId));
    await created(condition(patientId));
  });

  const doors = (id: string): string[] => [
    `Patient/${id}`,
    `Patient/${id}/$everything`,
    `Observation?patient=${id}`,
    `Condition?patient=${id}`,
    `Observation?patient=${id}&_summary=count`,
    `Observation?subject=Patient/${id}&_include=Observation:subject`,
  ];

  it('answers northside, before any consent, as for a patient who does not exist', async () => {
    const unknown = randomUUID();
    for (const [index, path] of doors(patientId).entries()) {
      const known = await northside(path);
      const stranger = await northside(doors(unknown)[index] ?? '');
      assert.deepEqual(visible(known, patientId), visible(stranger, unknown), path);
    }
    assert.equal((await northside(`Patient/${patientId}`)).status, 404);
  });

  it('lets the patient permit treatment by northside, laboratory results only', async () => {
    consent = await network.ask('stmary', 'Consent', { token: patientToken, body: laboratoryForNorthside(patientId) });
    assert.equal(consent.status, 201, consent.text);
  });

  it('gives northside the laboratory results and nothing else', async () => {
    const results = await northside(`Observation?patient=${patientId}`);
    assert.equal(results.status, 200, results.text);
    const observations = resourcesOf(results.body);
    assert.equal(observations.length, 2);
    for (const observation of observations) {
      assert.match(JSON.stringify(observation), /"laboratory"/);
      assert.match(String((observation['meta'] as { source?: string }).source), /stmary/);
    }
    const everything = resourcesOf((await northside(`Patient/${patientId}/$everything`)).body);
    assert.deepEqual([...new Set(everything.map((resource) => resource.resourceType))], ['Observation']);
    assert.equal(everything.length, 2);
  });

  it('shows no total, no include and no history around them', async () => {
    const results = await northside(`Observation?patient=${patientId}&_include=Observation:subject`);
    assert.deepEqual(
      resourcesOf(results.body).map((resource) => resource.resourceType),
      ['Observation', 'Observation'],
    );
    assert.equal(results.body.total, undefined, 'nothing is counted across custodians');
    const conditions = await northside(`Condition?patient=${patientId}`);
    assert.deepEqual(resourcesOf(conditions.body), []);
    assert.equal((await northside(`Patient/${patientId}`)).status, 404);
    for (const path of [`Patient/${patientId}/_history`, `Patient/${patientId}/_history/1`]) {
      assert.equal((await northside(path)).status, 404, path);
    }
  });

  it('says on every answer that it may be incomplete', async () => {
    for (const id of [patientId, randomUUID()]) {
      const answer = await northside(`Observation?patient=${id}`);
      assert.match(answer.text, /incomplete/i);
    }
  });

  it('refuses northside from the withdrawal on', async () => {
    const withdrawn = { ...laboratoryForNorthside(patientId), id: String(consent.body.id), status: 'inactive' };
    const answer = await network.ask('stmary', `Consent/${String(consent.body.id)}`, {
      method: 'PUT',
      token: patientToken,
      body: withdrawn,
      headers: { 'if-match': 'W/"1"' },
    });
    assert.equal(answer.status, 200, answer.text);
    const unknown = randomUUID();
    for (const [index, path] of doors(patientId).entries()) {
      const known = await northside(path);
      assert.deepEqual(visible(known, patientId), visible(await northside(doors(unknown)[index] ?? ''), unknown), path);
    }
  });

  it('shows the patient who asked, when, why and what was decided', async () => {
    const list = await network.ask('stmary', `AuditEvent?patient=${patientId}&_count=1000`, { token: patientToken });
    assert.equal(list.status, 200, list.text);
    const remote = resourcesOf(list.body).filter((event) => JSON.stringify(event).includes('northside'));
    const outcomes = new Set<string>();
    for (const event of remote) {
      const text = JSON.stringify(event);
      assert.match(text, /dr-baker/);
      assert.match(text, /TREAT/);
      assert.match(String(event['recorded']), /^\d{4}-\d\d-\d\dT/);
      outcomes.add(String(event['outcomeDesc']));
    }
    assert.deepEqual([...outcomes].sort(), ['deny', 'permit']);
    assert.equal(remote.length, asked);
  });

  it("lists the custodian's own reads, even one that found nothing", async () => {
    const found = await network.ask('stmary', `Immunization?patient=${patientId}&_summary=count`, { token: physician });
    assert.equal(found.body.total, 0, found.text);
    const list = await network.ask('stmary', `AuditEvent?patient=${patientId}&_count=1000`, { token: patientToken });
    const own = resourcesOf(list.body).map((event) => JSON.stringify(event));
    assert.ok(own.some((event) => event.includes('dr-adams') && event.includes('Immunization')));
  });

  it("lets the patient withdraw at northside what stmary's wallet signed, and refuses northside from then on", async () => {
    const body = laboratoryForNorthside(patientId);
    const again = await network.ask('stmary', 'Consent', { token: patientToken, body });
    assert.equal(resourcesOf((await northside(`Observation?patient=${patientId}`)).body).length, 2);
    const visitor = await network.token({ member: 'northside', user: 'pat', role: 'patient', patient: patientId });
    const id = String(again.body.id);
    const answer = await network.ask('northside', `Consent/${id}`, {
      method: 'PUT',
      token: visitor,
      body: { ...body, id, status: 'inactive' },
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.get('etag'), 'W/"2"');
    const refused = await northside(`Observation?patient=${patientId}`);
    assert.deepEqual(resourcesOf(refused.body), []);
    const list = await network.ask('stmary', `AuditEvent?patient=${patientId}&_count=1000`, { token: patientToken });
    const ends = resourcesOf(list.body).filter(
      (event) => event['action'] === 'U' && JSON.stringify(event).includes('northside/'),
    );
    assert.equal(ends.length, 1);
    assert.match(JSON.stringify(ends[0]), new RegExp(`northside/.*Consent/${id}/_history/2`));
  });

  it('shows the list to nobody else', async () => {
    const list = await network.ask('northside', `AuditEvent?patient=${patientId}`, { token: requester });
    assert.deepEqual(resourcesOf(list.body), []);
  });

  it('opens the emergency summary to northside when the glass is broken, and nothing without a reason', async () => {
    const urgent = (path: string, body?: object) =>
      network.ask('northside', path, {
        token: requester,
        headers: { 'x-purpose-of-use': 'BTG' },
        ...(body && { body }),
      });
    const parameter = [
      { name: 'reason', valueCode: 'unconscious' },
      { name: 'text', valueString: 'found beside the road' },
    ];
    const path = `Patient/${patientId}/$break-glass`;
    const summary = await urgent(path, { resourceType: 'Parameters', parameter });
    assert.equal(summary.status, 200, summary.text);
    const types = resourcesOf(summary.body).map(({ resourceType }) => resourceType);
    assert.deepEqual(types.sort(), ['Composition', 'Condition', 'Patient']);
    assert.notEqual((await urgent(`Observation?patient=${patientId}`)).status, 200);
    const told = await network.ask('stmary', `Communication?subject=Patient/${patientId}`, { token: patientToken });
    assert.equal(resourcesOf(told.body).length, 1, told.text);
  });
});
