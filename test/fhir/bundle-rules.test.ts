import { strict as assert } from 'node:assert';

import { type Answer, type Json, serverOfSuite } from '../support/fhir-server.js';
import { entry, patient } from './resources.js';

/** Rules of R4 http.html#transaction that are about what an entry asks for. */
describe('R4 bundles', () => {
  const server = serverOfSuite();
  before(() => server.ask('PUT Patient/p', { body: patient({ id: 'p' }) }));
  const post = (type: string, entries: readonly Json[], headers: Record<string, string> = {}): Promise<Answer> =>
    server.ask('POST ', { body: { resourceType: 'Bundle', type, entry: entries }, headers });
  const responses = ({ json }: Answer): Json[] =>
    (json.entry as { response: Json }[]).map((each): Json => each.response);
  const identified = (more: Json = {}): Json => patient({ identifier: [{ system: 'urn:b', value: '1' }], ...more });

  it('a read that fails refuses the whole transaction, before anything is written', async () => {
    const writes = server.ledger.writes;
    const answer = await post('transaction', [entry('POST', 'Patient', patient()), entry('GET', 'Patient/none')]);
    assert.deepEqual([answer.status, answer.json.issue[0].expression], [404, ['Bundle.entry[1]']]);
    assert.equal(server.ledger.writes, writes);
    const made = await post('transaction', [
      entry('GET', 'Patient/new'),
      entry('PUT', 'Patient/new', patient({ id: 'new' })),
      entry('GET', 'Patient?_id=p'),
      entry('POST', 'Patient/_search?_id=p'),
      entry('HEAD', 'Patient/p'),
    ]);
    assert.deepEqual(
      responses(made).map(({ status }) => (status as string).slice(0, 3)),
      ['200', '201', '200', '200', '200'],
    );
    assert.deepEqual([made.json.entry[0].resource.id, made.json.entry[3].resource.total], ['new', 1]);
    assert.equal(made.json.entry[4].resource, undefined);
  });

  it('what an entry finds by criteria no other entry writes', async () => {
    const criteria = 'identifier=urn:o|1';
    const own = patient({ id: 'o', identifier: [{ system: 'urn:o', value: '1' }] });
    await server.ask('PUT Patient/o', { body: own });
    const found = entry('POST', 'Patient', patient({ identifier: own.identifier }), { ifNoneExist: criteria });
    for (const other of [entry('DELETE', 'Patient/o'), entry('PUT', 'Patient/o', { ...own, gender: 'male' })]) {
      for (const entries of [
        [found, other],
        [other, found],
      ]) {
        const answer = await post('transaction', entries);
        assert.deepEqual([answer.status, answer.json.issue?.[0].details.coding[0].code], [422, 'invalid-content']);
      }
    }
    assert.equal((await server.ask('GET Patient/o')).json.meta.versionId, '1');
    const both = await post('transaction', [found, found]);
    assert.deepEqual(
      responses(both).map(({ status }) => status as string),
      ['200 OK', '200 OK'],
    );
  });

  it('full URLs are each one entry’s, and elements are those of R4', async () => {
    const fullUrl = 'urn:uuid:88f151c0-a954-468a-88bd-5ae15c08e059';
    const twice = [entry('POST', 'Patient', patient(), { fullUrl }), entry('POST', 'Patient', patient(), { fullUrl })];
    assert.equal((await post('transaction', twice)).status, 400);
    assert.equal((await post('transaction', [{ ...entry('POST', 'Patient', patient()), nonsense: 1 }])).status, 400);
    const request = { method: 'GET', url: 'Patient/p', nonsense: 1 };
    assert.equal((await post('transaction', [{ request }])).status, 400);
    assert.equal((await post('transaction', [entry('POST', 'Patient/$validate', patient())])).status, 400);
  });

  it('an entry of a batch that cannot be read is refused alone', async () => {
    const answer = await post('batch', [{ resource: patient() }, entry('BOGUS', 'Patient'), entry('GET', 'Patient/p')]);
    assert.deepEqual(
      responses(answer).map(({ status }) => status as string),
      ['400', '400', '200'],
    );
    const checked = await post('batch', [entry('POST', 'Patient/$validate', patient())]);
    assert.equal(checked.json.entry[0].resource.resourceType, 'OperationOutcome');
  });

  it('an entry of a batch finds what those before it did', async () => {
    const codes = async (entries: readonly Json[]): Promise<string[]> =>
      responses(await post('batch', entries)).map(({ status }) => status as string);
    const about = { resourceType: 'Observation', id: 'o1', status: 'final', code: { text: 'x' } };
    const answer = await post('batch', [
      entry('GET', 'Patient/b1'),
      entry('PUT', 'Patient/b1', patient({ id: 'b1' })),
      entry('PUT', 'Observation/o1', { ...about, subject: { reference: 'Patient/b1' } }),
      entry('GET', 'Observation?subject=Patient/b1'),
      entry('PUT', 'Patient/b1', patient({ id: 'b1', active: true })),
      entry('PUT', 'Patient/b1', patient({ id: 'b1', active: false })),
      entry('GET', 'Patient/b1'),
      entry('DELETE', 'Observation/o1'),
      entry('HEAD', 'Observation/o1'),
    ]);
    assert.deepEqual(
      responses(answer).map(({ status }) => status as string),
      ['404', '201', '201', '200', '200', '200', '200', '204', '410'],
    );
    assert.equal(answer.json.entry[3].resource.total, 1);
    assert.deepEqual(
      [answer.json.entry[6].resource.active, answer.json.entry[6].resource.meta.versionId],
      [false, '3'],
    );
    assert.deepEqual(await codes([entry('DELETE', 'Patient/b1'), entry('DELETE', 'Patient/b1')]), ['204', '204']);
  });

  it('an entry of a batch that refers to what another one creates is refused alone', async () => {
    const fullUrl = 'urn:uuid:0f9a4a5c-5f1c-4a4e-8e0a-1b7d8e0c2a11';
    const about = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: fullUrl },
    };
    for (const made of [
      entry('POST', 'Patient', patient(), { fullUrl }),
      entry('PUT', 'Patient/b2', patient({ id: 'b2' }), { fullUrl }),
    ]) {
      const answer = await post('batch', [entry('POST', 'Observation', about), made]);
      const [refused, done] = responses(answer);
      assert.deepEqual([refused?.status, done?.status], ['422', '201']);
      assert.match(refused?.outcome.issue[0].diagnostics as string, /^Observation.subject.reference refers to another/);
    }
    const own = {
      ...about,
      focus: [{ reference: 'urn:uuid:0f9a4a5c-5f1c-4a4e-8e0a-1b7d8e0c2a12' }],
      subject: undefined,
    };
    assert.equal(responses(await post('batch', [entry('POST', 'Observation', own)]))[0].status, '201');
  });

  it('conditions on reads are those of a request', async () => {
    const { meta } = (await server.ask('GET Patient/p')).json;
    const read = (more: Json): Json => ({ request: { method: 'GET', url: 'Patient/p', ...more } });
    const answer = await post('batch', [
      read({ ifNoneMatch: `W/"${meta.versionId as string}"` }),
      read({ ifModifiedSince: meta.lastUpdated }),
      read({ ifModifiedSince: '2000-01-01T00:00:00Z' }),
    ]);
    assert.deepEqual(
      responses(answer).map(({ status }) => status as string),
      ['304', '304', '200'],
    );
  });

  it('an update by criteria may name the id that it makes, and none but that of the match', async () => {
    const url = 'Patient?identifier=urn:b|1';
    const made = await post('transaction', [entry('PUT', url, identified({ id: 'own' }))]);
    assert.match(responses(made)[0].location as string, /Patient\/own\/_history\/1$/);
    assert.equal((await post('transaction', [entry('PUT', url, identified({ id: 'another' }))])).status, 400);
    const changed = await post('transaction', [entry('PUT', url, identified({ id: 'own', active: true }))]);
    assert.match(responses(changed)[0].status as string, /^200/);
  });

  it('Prefer: return=OperationOutcome says of each entry what became of it', async () => {
    const headers = { prefer: 'return=OperationOutcome' };
    const { json } = await post('transaction', [entry('POST', 'Patient', patient())], headers);
    assert.deepEqual(
      [json.entry[0].response.outcome.resourceType, json.entry[0].resource],
      ['OperationOutcome', undefined],
    );
  });
});
