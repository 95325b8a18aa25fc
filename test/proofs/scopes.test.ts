import { strict as assert } from 'node:assert';

import { type Answer, type AskOptions, networkOfSuite } from '../support/network.js';
import { closedTo, condition, glucose, laboratoryForNorthside, patient, resourcesOf } from '../story/people.js';

describe('a token of narrow scopes', () => {
  const network = networkOfSuite();
  let adams: string;
  let ann: string;
  let ben: string;
  let ofBen: string;

  before(async () => {
    adams = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    ann = await created({ ...patient, identifier: [{ system: 'urn:x', value: 'ann' }] });
    ben = await created({ ...patient, identifier: [{ system: 'urn:x', value: 'ben' }] });
    for (const id of [ann, ben]) await created(condition(id));
    await created(glucose(ann, 95.1));
    ofBen = await created(glucose(ben, 91.5));
  });

  const as =
    (token: string) =>
    (path: string, more: AskOptions = {}): Promise<Answer> =>
      network.ask('stmary', path, { token, ...more });
  const tokenOf = (scope: string, launch?: string): Promise<string> =>
    network.token({ member: 'stmary', user: 'dr-cook', role: 'physician', scope, patient: launch });

  async function created(resource: object, headers: Record<string, string> = {}): Promise<string> {
    const { resourceType } = resource as { resourceType: string };
    const answer = await network.ask('stmary', resourceType, { token: adams, body: resource, headers });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  }

  const typesOf = (answer: Answer): string[] =>
    [...new Set(resourcesOf(answer.body).map(({ resourceType = '' }) => resourceType))].sort();

  it('for one patient confines a member of staff to that patient', async () => {
    const ask = as(await tokenOf('patient/*.cruds', ann));
    assert.equal((await ask(`Patient/${ann}`)).status, 200);
    assert.equal((await ask(`Observation?patient=${ann}`)).body.total, 1);
    for (const path of [
      `Patient/${ben}`,
      `Observation/${ofBen}`,
      `Patient/${ben}/$everything`,
      `Patient/${ben}/_history`,
    ])
      assert.equal((await ask(path)).status, 404, path);
    for (const path of ['Observation', 'Patient?name=canaryfamily', 'Patient/_history', '_history', '?_type=Patient'])
      assert.doesNotMatch((await ask(path)).text, new RegExp(ben), path);
    assert.deepEqual(resourcesOf((await ask(`Observation?patient=${ben}`)).body), []);
    assert.equal((await ask('Observation?_summary=count')).body.total, 1);
    assert.equal((await ask(`/ledger/history/Patient/${ben}`)).status, 404);
  });

  it('for one patient writes to that patient alone, whatever the way', async () => {
    const ask = as(await tokenOf('patient/*.cruds', ann));
    assert.equal((await ask('Observation', { body: glucose(ann, 90.2) })).status, 201);
    const entry = { resource: glucose(ben, 1), request: { method: 'POST', url: 'Observation' } };
    const bundle = { resourceType: 'Bundle', entry: [entry] };
    const refused = [
      await ask('Observation', { body: glucose(ben, 1) }),
      await ask('Patient', { body: patient }),
      await ask('Consent', { body: laboratoryForNorthside(ben) }),
      await ask('', { body: { ...bundle, type: 'transaction' } }),
    ];
    assert.deepEqual(
      refused.map(({ status }) => status),
      [403, 403, 403, 403],
    );
    const batch = await ask('', { body: { ...bundle, type: 'batch' } });
    assert.equal(batch.body.entry?.[0]?.response?.status, '403');
  });

  it('for one patient grants nothing where it names none', async () => {
    const ask = as(await tokenOf('patient/*.rs'));
    assert.equal((await ask(`Patient/${ann}`)).status, 403);
  });

  it('for one type shows that type alone, in includes, chains, $everything, histories and batches', async () => {
    const ask = as(await tokenOf('user/Observation.rs user/Patient.c'));
    const found = await ask(`Observation?patient=${ann}&_include=Observation:patient`);
    assert.deepEqual(typesOf(found), ['Observation']);
    assert.equal((await ask(`Patient/${ann}`)).status, 403);
    assert.equal((await ask(`Patient/${ann}/$everything`)).status, 403);
    assert.equal((await ask('Observation?patient.identifier=urn:x|ann')).body.total, 0);
    assert.deepEqual(typesOf(await ask('_history')), ['Observation']);
    assert.deepEqual(typesOf(await ask('')), ['Observation']);
    const everything = as(await tokenOf('user/Patient.r user/Observation.r'));
    assert.deepEqual(typesOf(await everything(`Patient/${ann}/$everything`)), ['Observation', 'Patient']);
    const entry = [`Patient/${ann}`, `Observation/${ofBen}`].map((url) => ({ request: { method: 'GET', url } }));
    const batch = await ask('', { body: { resourceType: 'Bundle', type: 'batch', entry } });
    assert.deepEqual(
      batch.body.entry?.map(({ response }) => response?.status),
      ['403', '200'],
    );
    // To find out whether there is one already is to search.
    const headers = { 'if-none-exist': 'identifier=urn:x|ann' };
    assert.equal((await ask('Patient', { body: patient, headers })).status, 403);
    assert.equal((await ask('Observation', { body: glucose(ann, 90) })).status, 403);
  });

  it('takes no change of a consent that does not pass the ledger', async () => {
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: ann });
    const consent = await as(own)('Consent', { body: laboratoryForNorthside(ann) });
    assert.equal(consent.status, 201, consent.text);
    const body = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] };
    const id = String(consent.body.id);
    for (const operation of ['$meta-add', '$meta-delete']) {
      assert.equal((await as(adams)(`Consent/${id}/${operation}`, { body })).status, 405);
    }
    assert.equal((await as(adams)(`Consent/${id}`)).headers.get('etag'), 'W/"1"');
  });

  it('makes no AuditEvent, of whatever role', async () => {
    const event = {
      resourceType: 'AuditEvent',
      type: { code: 'rest' },
      recorded: '2026-01-01T00:00:00Z',
      agent: [{ requestor: true }],
      source: { observer: { display: 'x' } },
    };
    const administrator = await network.token({ member: 'stmary', user: 'root', role: 'admin' });
    for (const token of [adams, administrator]) {
      assert.equal((await as(token)('AuditEvent', { body: event })).status, 405);
      const put = { method: 'PUT', body: { ...event, id: 'x' } };
      assert.equal((await as(token)('AuditEvent/x', put)).status, 405);
    }
  });

  it('shows on the patient’s list who looked at the list, and at the ledger for the record', async () => {
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: ann });
    const officer = await network.token({ member: 'stmary', user: 'o-1', role: 'privacy-officer' });
    assert.equal((await as(adams)(`/ledger/history/Patient/${ann}`)).status, 200);
    assert.equal((await as(officer)(`AuditEvent?patient=${ann}`)).status, 200);
    const { text } = await as(own)(`AuditEvent?patient=${ann}&_count=1000`);
    assert.match(text, new RegExp(`GET /ledger/history/Patient/${ann}`));
    assert.match(text, /"privacy-officer"[^]*"GET AuditEvent"/);
  });

  it('shows to officers the searches that came upon nobody’s record', async () => {
    const officer = await network.token({ member: 'stmary', user: 'o-1', role: 'privacy-officer' });
    const listed = async (): Promise<number> => (await as(officer)('AuditEvent?patient:missing=true')).body.total ?? -1;
    const before = await listed();
    for (const path of ['Observation?subject:Patient.identifier=none', 'Patient?_has:Observation:patient:code=none'])
      assert.equal((await as(adams)(path)).body.total, 0);
    assert.equal((await as(adams)('Patient?name=none&_summary=count')).body.total, 0);
    // These, and the look at the list itself.
    assert.equal((await listed()) - before, 4);
    assert.equal((await as(adams)('AuditEvent?patient:missing=true')).status, 403);
  });

  it('decides again before a retry shows what was written', async () => {
    const cook = as(await tokenOf('user/*.cruds'));
    const ask = { body: glucose(ann, 77), headers: { 'idempotency-key': 'retried' } };
    const first = await cook('Observation', ask);
    assert.equal(first.status, 201);
    assert.match((await cook('Observation', ask)).text, /"value":77/);
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: ann });
    assert.equal((await as(own)('Consent', { body: closedTo(ann, 'dr-cook') })).status, 201);
    const again = await cook('Observation', ask);
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
    assert.equal(again.text, '');
    const entry = [{ resource: glucose(ann, 78), request: { method: 'POST', url: 'Observation' } }];
    const bundle = {
      body: { resourceType: 'Bundle', type: 'transaction', entry },
      headers: { 'idempotency-key': 'retried-bundle', prefer: 'return=representation' },
    };
    assert.match((await cook('', bundle)).text, /"value":78/);
    assert.doesNotMatch((await cook('', bundle)).text, /"value":78/);
  });

  it('counts nothing of a patient who is closed to whoever asks, however the question is put', async () => {
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: ann });
    const cook = as(await tokenOf('user/*.cruds'));
    const totals = async (): Promise<(number | undefined)[]> => {
      const found: (number | undefined)[] = [];
      for (const path of ['Condition?_summary=count', 'Condition?_count=1', '?_type=Condition&_summary=count'])
        found.push((await cook(path)).body.total);
      return found;
    };
    const closed = (await network.ask('stmary', 'Consent', { token: own, body: closedTo(ann, 'dr-cook') })).body;
    assert.deepEqual(await totals(), [1, 1, 1]);
    const ended = { ...closedTo(ann, 'dr-cook'), id: closed.id, status: 'inactive' };
    const put = { method: 'PUT', body: ended, headers: { 'if-match': 'W/"1"' } };
    assert.equal((await as(own)(`Consent/${String(closed.id)}`, put)).status, 200);
  });
});
