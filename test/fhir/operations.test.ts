import { strict as assert } from 'node:assert';

import { generatedDefinitions } from '@salus/gateway/projection/generated';

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

  it('$validate holds a resource to profiles that are stored here, and looks for what it refers to', async () => {
    const { snapshot } = generatedDefinitions('Patient') as { snapshot: { element: { id: string }[] } };
    const element = snapshot.element.map((each) => ({
      ...{ ...each, definition: 'as in R4' },
      ...(each.id === 'Patient.birthDate' ? { min: 1 } : {}),
    }));
    const head = {
      resourceType: 'StructureDefinition',
      url: 'http://example.org/born',
      name: 'Born',
      status: 'active',
    };
    const kind = { fhirVersion: '4.0.1', kind: 'resource', abstract: false, type: 'Patient', derivation: 'constraint' };
    const baseDefinition = 'http://hl7.org/fhir/StructureDefinition/Patient';
    const body = { ...head, ...kind, id: 'born', baseDefinition, snapshot: { element } };
    const stored = await server.ask('PUT StructureDefinition/born', { body });
    assert.equal(stored.status, 201, JSON.stringify(stored.json));
    const issues = async (resource: Json, query = ''): Promise<string[]> =>
      ((await server.ask(`POST Patient/$validate${query}`, { body: resource })).json.issue as Json[]).map(
        (each) => `${each.severity as string} ${each.code as string} ${(each.expression?.[0] ?? '') as string}`,
      );
    const profile = ['http://example.org/born'];
    const unborn = patient({ birthDate: undefined });
    assert.deepEqual(await issues(unborn), ['information informational ']);
    assert.deepEqual(await issues({ ...unborn, meta: { profile } }), ['error structure Patient.birthDate']);
    assert.deepEqual(await issues(unborn, `?profile=${profile[0] ?? ''}`), ['error structure Patient.birthDate']);
    assert.deepEqual(await issues(patient({ meta: { profile } })), ['information informational ']);
    const managingOrganization = { reference: 'Organization/none' };
    assert.deepEqual(
      await issues(patient({ managingOrganization, link: [{ type: 'seealso', other: { reference: 'Patient/p' } }] })),
      ['warning not-found Patient.managingOrganization.reference'],
    );
  });

  it('$meta gathers what a type, the server and a version have', async () => {
    await server.ask('PUT Patient/q', { body: patient({ id: 'q', meta: { tag: [{ system: 's', code: 'b' }] } }) });
    await server.ask('PUT Basic/x', {
      body: { resourceType: 'Basic', id: 'x', code: { text: 'x' }, meta: { profile: ['urn:x'] } },
    });
    const codes = async (path: string): Promise<[string[], unknown]> => {
      const { valueMeta } = (await server.ask(`GET ${path}`)).json.parameter[0];
      return [((valueMeta.tag ?? []) as Json[]).map((tag) => tag.code as string), valueMeta.profile];
    };
    assert.deepEqual(await codes('Patient/$meta'), [['a', 'b'], undefined]);
    assert.deepEqual(await codes('$meta'), [['a', 'b'], ['urn:x']]);
    await server.ask('PUT Patient/p', { body: patient({ id: 'p' }) });
    assert.deepEqual(await codes('Patient/p/_history/1/$meta'), [['a'], undefined]);
    server.hidden.add('Patient/q').add('Patient/p');
    assert.deepEqual(await codes('Patient/$meta'), [[], undefined]);
    assert.equal((await server.ask('GET Patient/p/_history/1/$meta')).status, 404);
  });

  it('$everything takes a period of care, pages, and the same by POST', async () => {
    const put = (id: string, more: Json): Promise<unknown> =>
      server.ask(`PUT Observation/${id}`, { body: observation('Patient/p', { id, ...more }) });
    await put('old', { effectiveDateTime: '2001-05-06' });
    await put('new', { effectiveDateTime: '2021-05-06' });
    const ids = (answer: Answer): string[] => (answer.json.entry as Json[]).map((each) => each.resource.id as string);
    assert.deepEqual(ids(await server.ask('GET Patient/p/$everything?start=2020&end=2021')), ['p', 'new']);
    assert.deepEqual(ids(await server.ask('GET Patient/p/$everything?end=2002-01')), ['p', 'old']);
    const first = await server.ask('GET Patient/p/$everything?_count=2');
    assert.deepEqual([ids(first), first.json.total], [['p', 'old'], 3]);
    const { url } = (first.json.link as { relation: string; url: string }[])[1] ?? assert.fail('no next page');
    const second = await server.ask(`GET ${url.replace('http://fhir.test/fhir/R4/', '')}`);
    const relations = (second.json.link as { relation: string }[]).map(({ relation }) => relation);
    assert.deepEqual([ids(second), relations], [['new'], ['self', 'previous', 'first']]);
    const parameter = [
      { name: 'start', valueDate: '2020' },
      { name: '_type', valueCode: 'Observation' },
    ];
    const posted = await server.ask('POST Patient/p/$everything', { body: { resourceType: 'Parameters', parameter } });
    assert.deepEqual(ids(posted), ['new']);
    for (const query of ['start=soon', 'nonsense=1', '_count=1&_cursor=x']) {
      assert.equal((await server.ask(`GET Patient/p/$everything?${query}`)).status, 400, query);
    }
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
