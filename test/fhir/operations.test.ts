import { strict as assert } from 'node:assert';

import { FhirServer, idsOf, type Answer, type Json } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

describe('FHIR operations', () => {
  let server: FhirServer;
  beforeEach(async () => {
    server = new FhirServer();
    await server.ask('PUT Patient/p', { body: patient({ id: 'p', meta: { tag: [{ system: 's', code: 'a' }] } }) });
  });
  afterEach(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });

  it('$validate says what is wrong and where, and writes nothing', async () => {
    const writes = server.ledger.writes;
    const severities = async (line: string, body?: Json): Promise<string[]> => {
      const answer: Answer = await server.ask(line, body === undefined ? {} : { body });
      assert.equal(answer.status, 200, line);
      return (answer.json.issue as Json[]).map((each) => `${each.severity} ${each.expression?.[0] ?? ''}`);
    };
    assert.deepEqual(await severities('POST Patient/$validate', patient()), ['information ']);
    assert.deepEqual(await severities('POST $validate', patient({ gender: 'x' })), ['error Patient.gender']);
    assert.deepEqual(await severities('POST Patient/p/$validate'), ['information ']);
    assert.deepEqual(await severities('GET Patient/p/$validate'), ['information ']);
    assert.deepEqual(await severities('POST Observation/$validate', patient()), ['error resourceType']);
    const wrapped = (resource: Json, ...more: Json[]): Json => ({
      resourceType: 'Parameters',
      parameter: [{ name: 'resource', resource }, ...more],
    });
    assert.deepEqual(await severities('POST Patient/$validate', wrapped(patient({ nonsense: 1 }))), [
      'error Patient.nonsense',
    ]);
    const profile = { name: 'profile', valueUri: 'http://example.org/profile' };
    assert.deepEqual(await severities('POST Patient/$validate', wrapped(patient(), profile)), ['error ']);
    assert.equal((await server.ask('POST Patient/$validate', { body: '{' })).status, 400);
    assert.equal((await server.ask('GET Patient/none/$validate')).status, 404);
    assert.equal(server.ledger.writes, writes);
  });

  it('$meta shows tags, $meta-add and $meta-delete change them in a new version', async () => {
    const codes = (answer: Answer): string[] =>
      ((answer.json.parameter[0].valueMeta.tag ?? []) as Json[]).map((tag) => tag.code as string);
    assert.deepEqual(codes(await server.ask('GET Patient/p/$meta')), ['a']);
    const body = (...tags: string[]): Json => ({
      resourceType: 'Parameters',
      parameter: [{ name: 'meta', valueMeta: { tag: tags.map((code) => ({ system: 's', code })) } }],
    });
    const added = await server.ask('POST Patient/p/$meta-add', { body: body('a', 'b') });
    assert.deepEqual(codes(added), ['a', 'b']);
    assert.equal(added.headers.ETag, 'W/"2"');
    assert.deepEqual(codes(await server.ask('POST Patient/p/$meta-delete', { body: body('a', 'b') })), []);
    assert.equal((await server.ask('GET Patient/p')).headers.ETag, 'W/"3"');
    assert.equal((await server.ask('POST Patient/none/$meta-add', { body: body('a') })).status, 404);
    assert.equal((await server.ask('POST Patient/p/$meta-add', { body: patient() })).status, 400);
  });

  it('$lastn gives the newest of each code', async () => {
    const put = (id: string, code: string, effectiveDateTime: string): Promise<unknown> =>
      server.ask(`PUT Observation/${id}`, {
        body: observation('Patient/p', { id, effectiveDateTime, code: { coding: [{ system: 'urn:c', code }] } }),
      });
    await put('a1', 'a', '2020-01-01');
    await put('a2', 'a', '2021-01-01');
    await put('a3', 'a', '2019-01-01');
    await put('b1', 'b', '2018-01-01');
    const last = async (query: string): Promise<string[]> =>
      idsOf((await server.ask(`GET Observation/$lastn?${query}`)).json);
    assert.deepEqual(await last('patient=p'), ['a2', 'b1']);
    assert.deepEqual(await last('patient=p&max=2'), ['a2', 'a1', 'b1']);
    assert.deepEqual(await last('patient=p&code=b'), ['b1']);
    assert.equal((await server.ask('GET Observation/$lastn')).status, 400);
    assert.equal((await server.ask('GET Observation/$lastn?patient=p&max=0')).status, 400);
  });
});
