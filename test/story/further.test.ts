import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';

import { type Answer, networkOfSuite } from '../support/network.js';
import { condition, glucose, laboratoryForNorthside, patient, resourcesOf } from './people.js';

const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const ROLE_CODE = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';

describe('the story goes on: a child, what is sensitive, research, an emergency, and the end', () => {
  const network = networkOfSuite();
  let staff: string;
  let mother: string;
  let child: string;
  let result: string;
  let researcher: string;
  let physician: string;

  const to = (member: string, code: string, more: object = {}): object => ({
    ...laboratoryForNorthside(child),
    provision: {
      type: 'permit',
      actor: [{ role: { coding: [{ code: 'IRCP' }] }, reference: { identifier: { value: member } } }],
      purpose: [{ system: ACT_REASON, code }],
      ...more,
    },
  });

  async function created(token: string, body: object): Promise<string> {
    const { resourceType } = body as { resourceType: string };
    const answer = await network.ask('stmary', resourceType, { token, body });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  }

  const research = (path: string, custodian = 'stmary', purpose = 'HRESCH'): Promise<Answer> =>
    network.ask('acme', path, {
      token: researcher,
      headers: { 'x-custodian': custodian, 'x-purpose-of-use': purpose },
    });

  before(async () => {
    staff = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    physician = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    researcher = await network.token({ member: 'acme', user: 'r-3', role: 'researcher' });
    child = await created(staff, { ...patient, birthDate: new Date().toISOString().slice(0, 10) });
    result = await created(staff, glucose(child, 88));
    await created(staff, condition(child));
    const hiv = { coding: [{ system: 'http://snomed.info/sct', code: '86406008' }] };
    await created(staff, { ...condition(child), code: hiv });
    await created(staff, {
      resourceType: 'RelatedPerson',
      patient: { reference: `Patient/${child}` },
      identifier: [{ system: 'urn:salus:user', value: 'mum' }],
      relationship: [{ coding: [{ system: ROLE_CODE, code: 'MTH' }] }],
    });
    mother = await network.token({ member: 'stmary', user: 'mum', role: 'guardian', patient: child });
  });

  it('opens the record to northside by the mother of the child, but not what is sensitive', async () => {
    await created(mother, to('northside', 'TREAT', { securityLabel: [{ system: CONFIDENTIALITY, code: 'N' }] }));
    const seen = await network.ask('northside', `Condition?patient=${child}`, { token: physician });
    assert.equal(resourcesOf(seen.body).length, 1, seen.text);
    assert.doesNotMatch(seen.text, /86406008/);
  });

  it('shows a researcher of a member outside of care nothing without consent, as of nobody', async () => {
    for (const path of ['Patient/ID', 'Observation?patient=ID', 'Patient/ID/$everything']) {
      const known = await research(path.replace('ID', child));
      const unknown = await research(path.replace('ID', randomUUID()));
      assert.equal(known.status, unknown.status, path);
      assert.deepEqual(resourcesOf(known.body), [], path);
      assert.deepEqual(resourcesOf(unknown.body), [], path);
    }
  });

  it('and by consent what it lists, for research, checked against the ledger', async () => {
    const types = [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }];
    await created(mother, to('acme', 'HRESCH', { class: types }));
    const seen = await research(`Observation?patient=${child}`);
    assert.deepEqual(
      resourcesOf(seen.body).map(({ id }) => id),
      [result],
      seen.text,
    );
    assert.match(seen.text, /urn:salus:member:stmary/);
    assert.deepEqual(resourcesOf((await research(`Condition?patient=${child}`)).body), []);
    assert.equal((await research(`Patient/${child}`)).status, 404);
    for (const other of ['northside', 'nobody']) {
      assert.deepEqual(resourcesOf((await research(`Observation?patient=${child}`, other)).body), [], other);
    }
  });

  it('tells the mother who did research', async () => {
    const list = await network.ask('stmary', `AuditEvent?patient=${child}&_count=1000`, { token: mother });
    const events = resourcesOf(list.body).map((event) => JSON.stringify(event));
    const byAcme = events.filter((event) => event.includes('acme/r-3'));
    assert.ok(
      byAcme.some((event) => event.includes('HRESCH') && event.includes('"permit"')),
      list.text,
    );
    assert.ok(byAcme.some((event) => event.includes('"deny"')));
  });

  it('opens the summary in an emergency', async () => {
    const parameter = [
      { name: 'reason', valueCode: 'unconscious' },
      { name: 'text', valueString: 'fell from a swing' },
    ];
    const answer = await network.ask('northside', `Patient/${child}/$break-glass`, {
      token: physician,
      headers: { 'x-purpose-of-use': 'BTG' },
      body: { resourceType: 'Parameters', parameter },
    });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /86406008/);
  });

  it('ends: erased by two officers, the record is nobody’s to all of them', async () => {
    const parameter = [
      { name: 'basis', valueCode: 'unlawful-processing' },
      { name: 'reason', valueString: 'entered for the wrong child' },
    ];
    for (const user of ['officer-a', 'officer-b']) {
      const token = await network.token({ member: 'stmary', user, role: 'privacy-officer' });
      const body = { resourceType: 'Parameters', parameter };
      const answer = await network.ask('stmary', `Patient/${child}/$erase`, { token, body });
      assert.ok([200, 202].includes(answer.status), answer.text);
    }
    assert.deepEqual(resourcesOf((await research(`Observation?patient=${child}`)).body), []);
    const path = `Observation?patient=${child}`;
    assert.deepEqual(resourcesOf((await network.ask('northside', path, { token: physician })).body), []);
    assert.equal((await network.ask('stmary', `Observation/${result}`, { token: staff })).status, 404);
  });
});
