import { strict as assert } from 'node:assert';

import { EXPORT_LIMIT } from '@salus/gateway/fhir/export';

import { eventually } from '../support/eventually.js';
import { FhirServer, physician, type Answer, type Ask, type Json } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

describe('FHIR $export', () => {
  let server: FhirServer;
  before(async () => {
    server = new FhirServer();
    const put = (resource: Json): Promise<unknown> =>
      server.ask(`PUT ${resource.resourceType as string}/${resource.id as string}`, { body: resource });
    await put(patient({ id: 'a' }));
    await put(patient({ id: 'b', gender: 'male' }));
    await put(observation('Patient/a', { id: 'oa' }));
    await put(observation('Patient/b', { id: 'ob' }));
    await put({ resourceType: 'Organization', id: 'org', name: 'Klinik' });
    const member = [{ entity: { reference: 'Patient/b' } }];
    await put({ resourceType: 'Group', id: 'g', type: 'person', actual: true, member });
  });
  after(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });
  const prefer = { prefer: 'respond-async' };
  const at = (url: string): string => url.replace('http://fhir.test/fhir/R4/', '');

  async function kickedOff(line: string, ask: Ask = {}): Promise<string> {
    const { status, headers, json } = await server.ask(line, { headers: prefer, ...ask });
    assert.equal(status, 202, JSON.stringify(json));
    return at(headers['Content-Location'] ?? '');
  }

  async function manifest(line: string, ask: Ask = {}): Promise<Json> {
    const status = await kickedOff(line, ask);
    let answer: Answer | undefined;
    await eventually(async () => {
      answer = await server.ask(`GET ${status}`);
      assert.equal(answer.status, 200);
    });
    return answer?.json;
  }

  async function file(url: string): Promise<Json[]> {
    const { lines, headers } = await server.ask(`GET ${at(url)}`, { headers: { accept: 'application/fhir+ndjson' } });
    assert.equal(headers['Content-Type'], 'application/fhir+ndjson');
    const resources: Json[] = [];
    for await (const text of lines ?? []) resources.push(JSON.parse(text));
    return resources;
  }

  /** `Type/id` of everything in an export. */
  async function exported(line: string, ask: Ask = {}): Promise<string[]> {
    const { output } = (await manifest(line, ask)) as { output: { type: string; url: string }[] };
    const files = await Promise.all(output.map(({ url }) => file(url)));
    return files.flat().map(({ resourceType, id }) => `${resourceType as string}/${id as string}`);
  }

  it('gives all, what is of patients, or what is of the members of a group', async () => {
    const all = ['Group/g', 'Observation/oa', 'Observation/ob', 'Organization/org', 'Patient/a', 'Patient/b'];
    assert.deepEqual(await exported('GET $export'), all);
    assert.deepEqual(
      await exported('GET Patient/$export'),
      all.filter((name) => name !== 'Organization/org'),
    );
    assert.deepEqual(await exported('GET Group/g/$export'), ['Group/g', 'Observation/ob', 'Patient/b']);
    const parameter = [{ name: '_type', valueString: 'Patient' }];
    const body = { resourceType: 'Parameters', parameter };
    assert.deepEqual(await exported('POST $export', { body }), all.slice(4));
    assert.deepEqual(await exported('GET $export?_typeFilter=Patient%3Fgender=male&_type=Patient'), ['Patient/b']);
    assert.deepEqual(await exported('GET $export?_since=2099-01-01T00:00:00Z'), []);
  });

  it('says what was asked, as of when, and gives the elements asked for', async () => {
    const told = await manifest('GET Patient/$export?_type=Patient&_elements=gender');
    assert.equal(told.request, 'http://fhir.test/fhir/R4/Patient/$export?_type=Patient&_elements=gender');
    assert.equal(told.requiresAccessToken, true);
    assert.match(told.transactionTime as string, /^2026-/);
    const [first] = await file(told.output[0].url as string);
    assert.deepEqual(Object.keys(first as object), ['resourceType', 'id', 'meta', 'gender']);
    assert.match(JSON.stringify(first), /"code":"SUBSETTED"/);
  });

  it('says how far it is until it knows what there is', async () => {
    const job = await kickedOff('GET $export');
    const { status, headers } = await server.ask(`GET ${job}`);
    assert.equal(status, 202);
    assert.match(headers['X-Progress'] ?? '', /^\d+ of \d+ types$/);
    assert.ok(Number(headers['Retry-After']) > 0);
    await eventually(async () => {
      assert.equal((await server.ask(`GET ${job}`)).status, 200);
    });
  });

  it('stays as of its block while others write, and shows nothing hidden since', async () => {
    const told = await manifest('GET $export?_type=Observation,Patient');
    const urls = (told.output as { url: string }[]).map(({ url }) => url);
    await server.ask('PUT Patient/a', { body: patient({ id: 'a', active: true }) });
    await server.ask('PUT Patient/late', { body: patient({ id: 'late' }) });
    await server.ask('DELETE Observation/oa');
    server.hidden.add('Patient/b');
    assert.deepEqual(
      (await file(urls[0] ?? '')).map(({ id }) => id as string),
      ['oa', 'ob'],
    );
    const patients = await file(urls[1] ?? '');
    assert.deepEqual(
      patients.map(({ id, active }) => [id, active] as unknown),
      [['a', undefined]],
    );
    server.hidden.clear();
  });

  it('is for who asked alone, until it is ended or forgotten', async () => {
    const job = await kickedOff('GET $export');
    const other = { actor: { ...physician, user: 'dr-other' } };
    const name = job.split('/')[1] ?? '';
    for (const line of [`GET ${job}`, `DELETE ${job}`, `GET $export-file/${name}/Patient`]) {
      assert.equal((await server.ask(line, other)).status, 404, line);
    }
    assert.equal((await server.ask(`DELETE ${job}`)).status, 202);
    assert.equal((await server.ask(`GET ${job}`)).status, 404);
    const first = await kickedOff('GET $export?_type=Basic');
    for (let more = 1; more < EXPORT_LIMIT; more++) await kickedOff('GET $export?_type=Basic');
    assert.notEqual((await server.ask(`GET ${first}`)).status, 404);
    await kickedOff('GET $export?_type=Basic');
    assert.equal((await server.ask(`GET ${first}`)).status, 404);
  });

  it('refuses what it does not do', async () => {
    assert.equal((await server.ask('GET $export')).status, 400);
    for (const query of ['_type=Nothing', '_since=then', '_outputFormat=csv', '_typeFilter=x', 'nonsense=1']) {
      assert.equal((await server.ask(`GET $export?${query}`, { headers: prefer })).status, 400, query);
    }
    assert.equal((await server.ask('GET Group/none/$export', { headers: prefer })).status, 404);
  });
});
