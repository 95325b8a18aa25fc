import { strict as assert } from 'node:assert';

import { eventually } from '../support/eventually.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { newJwk } from '../support/sharing-world.js';
import { condition, glucose, laboratoryForNorthside, patient, resourcesOf } from '../story/people.js';

const ROLE_CODE = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';

describe('guardians and delegates, over HTTP', () => {
  const network = networkOfSuite();
  let infant: string;
  let result: string;
  let mother: string;
  let motherAsRelated: string;
  let aunt: string;
  let auntAsRelated: string;
  let staff: string;
  let newest = 0;

  async function ask(token: string, path: string, body?: object, method?: string): Promise<Answer> {
    const headers = { 'x-min-block': String(newest) };
    const sent = { ...(body === undefined ? {} : { body }), ...(method === undefined ? {} : { method }) };
    const answer = await network.ask('stmary', path, { token, headers, ...sent });
    newest = Math.max(newest, Number(answer.headers.get('x-block') ?? 0));
    return answer;
  }

  async function created(body: object): Promise<string> {
    const { resourceType } = body as { resourceType: string };
    const answer = await ask(staff, resourceType, body);
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  }

  const related = (user: string, code: string, fields: object = {}): object => ({
    resourceType: 'RelatedPerson',
    patient: { reference: `Patient/${infant}` },
    identifier: [{ system: 'urn:salus:user', value: user }],
    relationship: [{ coding: [{ system: ROLE_CODE, code }] }],
    ...fields,
  });
  const comingFor = (user: string): Promise<string> =>
    network.token({ member: 'stmary', user, role: 'guardian', patient: infant });
  const toAunt = (fields: object = {}): object => ({
    ...laboratoryForNorthside(infant),
    provision: {
      type: 'permit',
      actor: [{ role: { coding: [{ code: 'IRCP' }] }, reference: { reference: `RelatedPerson/${auntAsRelated}` } }],
      class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }],
      ...fields,
    },
  });

  before(async () => {
    staff = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    infant = await created({ ...patient, birthDate: new Date().toISOString().slice(0, 10) });
    result = await created(glucose(infant, 80));
    await created(condition(infant));
    mother = await comingFor('mum');
    aunt = await comingFor('aunt');
  });

  it('shows nothing to whom the issuer names, and the hospital does not', async () => {
    assert.equal((await ask(mother, `Patient/${infant}`)).status, 404);
    assert.equal((await ask(mother, 'Consent', laboratoryForNorthside(infant))).status, 403);
    assert.deepEqual(resourcesOf((await ask(mother, `AuditEvent?patient=${infant}`)).body), []);
  });

  it('lets the mother of an infant read, and give a consent that opens the record', async () => {
    const laboratory = await network.token({ member: 'stmary', user: 'l-1', role: 'laboratory' });
    assert.equal((await ask(laboratory, 'RelatedPerson', related('l-1', 'GUARD'))).status, 403);
    motherAsRelated = await created(related('mum', 'MTH'));
    assert.equal((await ask(mother, `Patient/${infant}/$everything`)).status, 200);
    const given = await ask(mother, 'Consent', laboratoryForNorthside(infant));
    assert.equal(given.status, 201, given.text);
    const baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const seen = await network.ask('northside', `Observation?patient=${infant}`, { token: baker });
    assert.deepEqual(
      resourcesOf(seen.body).map(({ id }) => id),
      [result],
    );
  });

  it('keeps a delegate to what the consent permits, and to reading', async () => {
    auntAsRelated = await created(related('aunt', 'AUNT'));
    assert.equal((await ask(aunt, `Observation/${result}`)).status, 404);
    const given = await ask(mother, 'Consent', toAunt());
    assert.equal(given.status, 201, given.text);
    assert.equal((await ask(aunt, `Observation/${result}`)).status, 200);
    for (const path of [`Patient/${infant}`, `Patient/${infant}/_history`]) {
      assert.equal((await ask(aunt, path)).status, 404, path);
    }
    const types = resourcesOf((await ask(aunt, `Patient/${infant}/$everything`)).body).map((each) => each.resourceType);
    assert.deepEqual(types, ['Observation']);
    assert.equal((await ask(aunt, 'Consent', toAunt({ class: [] }))).status, 403);
    assert.deepEqual(resourcesOf((await ask(aunt, `AuditEvent?patient=${infant}`)).body), []);
    const withdrawn = { ...toAunt(), id: given.body.id, status: 'inactive' };
    assert.equal((await ask(aunt, `Consent/${String(given.body.id)}`, withdrawn, 'PUT')).status, 403);
    assert.equal((await ask(mother, `Consent/${String(given.body.id)}`, withdrawn, 'PUT')).status, 200);
    assert.equal((await ask(aunt, `Observation/${result}`)).status, 404);
  });

  it('shows the delegate on the list, and on the page, as who came', async () => {
    const list = await ask(mother, `AuditEvent?patient=${infant}&_count=1000`);
    const text = resourcesOf(list.body).map((event) => JSON.stringify(event));
    const byAunt = text.filter((event) => event.includes(`RelatedPerson/${auntAsRelated}`));
    assert.ok(byAunt.length > 0 && byAunt.every((event) => event.includes('"code":"delegate"')), byAunt[0]);
    assert.ok(text.some((event) => event.includes(`RelatedPerson/${motherAsRelated}`) && event.includes('"guardian"')));
    const body = new URLSearchParams({ token: mother, patient: infant, view: 'list' }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const page = await network.ask('stmary', '/record', { method: 'POST', body, headers });
    assert.match(page.text, new RegExp(`RelatedPerson/${auntAsRelated}, delegate`));
  });

  it('ends with the mandate: reading, consenting, and the key', async () => {
    const { public: jwk } = newJwk();
    const parameter = [
      { name: 'jwk', valueString: JSON.stringify(jwk) },
      { name: 'holder', valueCode: 'guardian' },
    ];
    const person = { name: 'related-person', valueString: auntAsRelated };
    const keys = `Patient/${infant}/$patient-key`;
    assert.equal(
      (await ask(staff, keys, { resourceType: 'Parameters', parameter: [...parameter, person] })).status,
      422,
    );
    const own = { name: 'related-person', valueString: motherAsRelated };
    const registered = await ask(staff, keys, { resourceType: 'Parameters', parameter: [...parameter, own] });
    assert.equal(registered.status, 200, registered.text);
    const ended = { ...related('mum', 'MTH'), id: motherAsRelated, active: false };
    assert.equal((await ask(staff, `RelatedPerson/${motherAsRelated}`, ended, 'PUT')).status, 200);
    assert.equal((await ask(mother, `Patient/${infant}`)).status, 404);
    assert.equal((await ask(mother, 'Consent', laboratoryForNorthside(infant))).status, 403);
    await eventually(async () => {
      // Revoked for good: the same key cannot come back.
      const again = { resourceType: 'Parameters', parameter: [...parameter.slice(0, 1)] };
      assert.match((await ask(staff, keys, again)).text, /key-revoked/);
    });
  }).timeout(90_000);
});
