import { strict as assert } from 'node:assert';

import { BASE, type Answer, type Ask, type Json, serverOfSuite } from '../support/fhir-server.js';
import { patient } from './resources.js';

/** The rules of R4 http.html one after the other; docs/conformance.md leads from each to its test. */
describe('R4 http', () => {
  const server = serverOfSuite();
  const ask = (line: string, more: Ask = {}): Promise<Answer> => server.ask(line, more);
  const put = (id: string, more: Json = {}, headers = {}): Promise<Answer> =>
    ask(`PUT Patient/${id}`, { body: patient({ id, ...more }), headers });
  const identified = (value: string, more: Json = {}): Json =>
    patient({ identifier: [{ system: 'urn:c', value }], ...more });
  /** Of `METHOD path`, by lines of what is asked. */
  const statuses = async (cases: Readonly<Record<string, number>>, more: Ask = {}): Promise<void> => {
    for (const [line, status] of Object.entries(cases)) assert.equal((await ask(line, more)).status, status, line);
  };

  it('create: 201, an id of its own, version 1, Location, ETag and Last-Modified', async () => {
    const meta = { versionId: '9', lastUpdated: '2001-01-01T00:00:00Z' };
    const { status, headers, json } = await ask('POST Patient', { body: patient({ id: 'mine', meta }) });
    assert.deepEqual([status, json.id === 'mine', json.meta.versionId, headers.ETag], [201, false, '1', 'W/"1"']);
    assert.equal(headers.Location, `${BASE}/Patient/${json.id as string}/_history/1`);
    assert.equal(headers['Last-Modified'], new Date(json.meta.lastUpdated as string).toUTCString());
  });

  it('update: 200 with the next version, 201 where there was none or it had been deleted', async () => {
    assert.equal((await put('u')).status, 201);
    const second = await put('u', { active: true });
    assert.deepEqual([second.status, second.headers.ETag, second.json.meta.versionId], [200, 'W/"2"', '2']);
    assert.equal((await put('u', { active: true })).headers.ETag, 'W/"2"');
    assert.equal((await ask('DELETE Patient/u')).status, 204);
    const again = await put('u');
    assert.deepEqual([again.status, again.headers.ETag], [201, 'W/"4"']);
    await ask('DELETE Patient/u');
    const request = { method: 'PUT', url: 'Patient/u' };
    const entry = [{ resource: patient({ id: 'u' }), request }];
    const { json } = await ask('POST ', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    assert.equal(json.entry[0].response.status, '201 Created');
  });

  it('update: the id is in the body, and is the one in the URL', async () => {
    assert.equal((await ask('PUT Patient/u', { body: patient({ id: 'other' }) })).status, 400);
    assert.equal((await ask('PUT Patient/u', { body: patient() })).status, 400);
    assert.equal((await put('bad_id')).status, 400);
    assert.equal((await put('x'.repeat(65))).status, 400);
  });

  it('If-Match: the version in force, or any that is there', async () => {
    await put('m');
    assert.equal((await put('m', { active: true }, { 'if-match': 'W/"9"' })).status, 412);
    assert.equal((await put('m', { active: true }, { 'if-match': 'W/"1"' })).status, 200);
    assert.equal((await put('m', { active: false }, { 'if-match': '*' })).status, 200);
    assert.equal((await put('m', {}, { 'if-match': '3' })).status, 400);
    assert.equal((await ask('DELETE Patient/m', { headers: { 'if-match': 'W/"1"' } })).status, 412);
    assert.equal((await put('none', {}, { 'if-match': '*' })).status, 412);
    await ask('DELETE Patient/m');
    assert.equal((await put('m', {}, { 'if-match': '*' })).status, 412);
  });

  it('read: 304 by If-None-Match and by If-Modified-Since', async () => {
    await put('r');
    const later = new Date(Date.now() + 5_000).toUTCString();
    const answer = await ask('GET Patient/r', { headers: { 'if-none-match': 'W/"1"' } });
    assert.deepEqual([answer.status, answer.resource], [304, undefined]);
    assert.equal((await ask('GET Patient/r', { headers: { 'if-modified-since': later } })).status, 304);
    assert.equal((await ask('GET Patient/r', { headers: { 'if-none-match': 'W/"2"' } })).status, 200);
    await statuses({ 'GET Patient/bad_id': 400, 'GET Patient/nobody': 404, 'GET Nonsense/1': 404 });
  });

  it('vread: each version as it was, 404 of what never was', async () => {
    await put('v');
    await put('v', { active: true });
    const first = await ask('GET Patient/v/_history/1');
    assert.deepEqual([first.status, first.headers.ETag, first.json.active], [200, 'W/"1"', undefined]);
    await statuses({ 'GET Patient/v/_history/9': 404, 'GET Patient/v/_history/abc': 404 });
  });

  it('delete: 204, then 410 with the version of the deletion; again, and of what never was, 204', async () => {
    await put('d');
    const gone = await ask('DELETE Patient/d');
    assert.deepEqual([gone.status, gone.headers.ETag], [204, 'W/"2"']);
    const read = await ask('GET Patient/d');
    assert.deepEqual([read.status, read.headers.ETag, read.json.resourceType], [410, 'W/"2"', 'OperationOutcome']);
    await statuses({ 'GET Patient/d/_history/2': 410, 'GET Patient/d/_history/1': 200 });
    await statuses({ 'DELETE Patient/d': 204, 'DELETE Patient/never': 204 });
  });

  it('history: each version with what made it, newest first', async () => {
    const { json } = await ask('GET Patient/d/_history');
    const told = (json.entry as Json[]).map(
      ({ request, response }) => `${request.method} ${request.url} ${response.status}`,
    );
    assert.deepEqual([json.type, json.total, told], ['history', 2, ['DELETE Patient/d 204', 'PUT Patient/d 201']]);
    const posted = await ask('POST Patient', { body: patient() });
    const one = await ask(`GET Patient/${posted.json.id as string}/_history`);
    assert.deepEqual(one.json.entry[0].request, { method: 'POST', url: 'Patient' });
    assert.equal((await ask('GET _history?_count=2')).json.entry.length, 2);
    assert.equal((await ask('GET Patient/never/_history')).status, 404);
  });

  it('Prefer: return=minimal, representation, OperationOutcome', async () => {
    const wanted = { minimal: undefined, representation: 'Patient', OperationOutcome: 'OperationOutcome' };
    for (const [what, type] of Object.entries(wanted)) {
      const { status, json } = await ask('POST Patient', { body: patient(), headers: { prefer: `return=${what}` } });
      assert.deepEqual([status, json?.resourceType], [201, type], what);
    }
  });

  it('conditional create: made, found, refused where several match', async () => {
    const create = (): Promise<Answer> =>
      ask('POST Patient', { body: identified('1'), headers: { 'if-none-exist': 'identifier=urn:c|1' } });
    const made = await create();
    const found = await create();
    assert.deepEqual([made.status, found.status, found.json.id], [201, 200, made.json.id]);
    assert.equal(found.headers.Location, `${BASE}/Patient/${made.json.id as string}/_history/1`);
    await ask('POST Patient', { body: identified('1') });
    assert.equal((await create()).status, 412);
    const unknown = { body: patient(), headers: { 'if-none-exist': 'nonsense=1' } };
    assert.equal((await ask('POST Patient', unknown)).status, 400);
  });

  it('conditional update: made, changed, refused where another id or several match', async () => {
    const update = (value: string, more: Json = {}): Promise<Answer> =>
      ask(`PUT Patient?identifier=urn:c|${value}`, { body: identified(value, more) });
    const made = await update('2');
    const changed = await update('2', { active: true });
    assert.deepEqual([made.status, changed.status, changed.json.id], [201, 200, made.json.id]);
    assert.equal((await update('2', { id: made.json.id })).status, 200);
    assert.equal((await update('2', { id: 'another' })).status, 400);
    assert.deepEqual((await update('3', { id: 'own3' })).json.id, 'own3');
    assert.equal((await update('1')).status, 412);
  });

  it('conditional patch of the one that matches, and delete of all that do', async () => {
    const body = [{ op: 'add', path: '/active', value: true }];
    const headers = { 'content-type': 'application/json-patch+json' };
    const of = (value: string): string => `PATCH Patient?identifier=urn:c|${value}`;
    await statuses({ [of('3')]: 200, [of('none')]: 404, [of('1')]: 412 }, { body, headers });
    await statuses({ 'DELETE Patient?identifier=urn:c|3': 204, 'DELETE Patient?identifier=urn:c|none': 204 });
    assert.equal((await ask('GET Patient/own3')).status, 410);
    await statuses({ 'DELETE Patient?identifier=urn:c|1&_count=1': 412, 'DELETE Patient': 412 });
    assert.equal((await ask('GET Patient?identifier=urn:c|1')).json.total, 2);
    await statuses({ 'DELETE Patient?identifier=urn:c|1': 204 });
    assert.equal((await ask('GET Patient?identifier=urn:c|1')).json.total, 0);
  });

  it('patch: changes what is there, and nothing where it cannot', async () => {
    await put('p');
    const patch = (body: unknown, more = {}): Promise<Answer> =>
      ask('PATCH Patient/p', { body, headers: { 'content-type': 'application/json-patch+json', ...more } });
    assert.equal((await patch([{ op: 'replace', path: '/gender', value: 'male' }])).json.gender, 'male');
    for (const [body, status] of [
      [[{ op: 'test', path: '/gender', value: 'other' }], 422],
      [[{ op: 'remove', path: '/nonsense' }], 422],
      [[{ op: 'add', path: '/gender', value: 'x' }], 422],
      [[{ op: 'replace', path: '/id', value: 'x' }], 422],
      [[{ op: 'nope', path: '/active' }], 400],
      [[{ op: 'remove', path: 'gender' }], 400],
      [[{ op: 'copy', path: '/gender', from: 'gender' }], 400],
      ['{', 400],
    ] as const) {
      assert.equal((await patch(body)).status, status, JSON.stringify(body));
    }
    assert.equal((await patch([{ op: 'remove', path: '/gender' }], { 'if-match': 'W/"1"' })).status, 412);
    assert.equal((await ask('GET Patient/p')).headers.ETag, 'W/"2"');
  });

  it('what is no FHIR resource is 400, what breaks its rules 422, each with where', async () => {
    for (const [body, status, expression] of [
      ['{"resourceType":"Patient",', 400, undefined],
      ['{"resourceType":"Patient","active":true,"active":false}', 400, undefined],
      [patient({ nonsense: 1 }), 400, 'Patient.nonsense'],
      [patient({ name: { family: 'x' } }), 400, 'Patient.name'],
      [patient({ name: [] }), 400, 'Patient.name'],
      [patient({ active: 'true' }), 400, 'Patient.active'],
      [patient({ active: null }), 400, 'Patient.active'],
      [patient({ identifier: [{ system: {} }] }), 400, 'Patient.identifier[0].system'],
      [patient({ link: {} }), 400, 'Patient.link'],
      [patient({ text: [] }), 400, 'Patient.text'],
      [patient({ birthDate: '1970-02-30' }), 400, 'Patient.birthDate'],
      [patient({ gender: 'x' }), 422, 'Patient.gender'],
      [patient({ contact: [{ relationship: [{ text: 'x' }] }] }), 422, 'Patient.contact[0]'],
      [{ resourceType: 'Observation' }, 400, undefined],
    ] as const) {
      const answer = await ask('POST Patient', { body });
      const where = answer.json.issue[0].expression?.[0] as unknown;
      assert.deepEqual([answer.status, where], [status, expression], JSON.stringify(body));
    }
  });

  it('rules that speak of UCUM are looked at', async () => {
    const prediction = (unit: string): Json => [{ probabilityRange: { low: { value: 1, code: unit, system: unit } } }];
    const risk = { resourceType: 'RiskAssessment', status: 'final', subject: { reference: 'Patient/p' } };
    const fine = await ask('POST RiskAssessment', { body: { ...risk, prediction: [{ probabilityDecimal: 0.8 }] } });
    assert.equal(fine.status, 201, JSON.stringify(fine.json));
    const wrong = await ask('POST RiskAssessment', { body: { ...risk, prediction: prediction('kg') } });
    assert.deepEqual(
      [wrong.status, wrong.json.issue[0].expression],
      [422, ['RiskAssessment.prediction[0].probability']],
    );
  });

  it('a code may have extensions beside it, and is looked at all the same', async () => {
    const extension = [{ url: 'http://example.org/own', valueCode: 'M' }];
    const told = (gender?: string): Json => patient({ gender, _gender: { extension } });
    assert.equal((await ask('POST Patient', { body: told('male') })).status, 201);
    assert.equal((await ask('POST Patient', { body: told() })).status, 201);
    assert.equal((await ask('POST Patient', { body: told('x') })).status, 422);
  });

  it('base64 may hold white space', async () => {
    const binary = (data: string): Json => ({ resourceType: 'Binary', contentType: 'text/plain', data });
    assert.equal((await ask('POST Binary', { body: binary('QUJD\n  REVG') })).status, 201);
    assert.equal((await ask('POST Binary', { body: binary('QUJ DE') })).status, 400);
  });

  it('media types: JSON of R4 in and out, 415 and 406 for anything else', async () => {
    const sent = (type: string): Ask => ({ body: patient(), headers: { 'content-type': type } });
    assert.equal((await ask('POST Patient', sent('application/json'))).status, 201);
    assert.equal((await ask('POST Patient', sent('application/fhir+json; fhirVersion=4.0'))).status, 201);
    assert.equal((await ask('POST Patient', sent('application/fhir+json; fhirVersion=3.0'))).status, 415);
    assert.equal((await ask('POST Patient', sent('application/fhir+xml'))).status, 415);
    for (const [accept, status] of [
      ['application/fhir+json; fhirVersion=4.0', 200],
      ['application/fhir+json; fhirVersion=3.0', 406],
      ['application/fhir+xml, application/fhir+json;q=0.5', 200],
      ['application/fhir+xml', 406],
      ['text/html, */*', 200],
    ] as const) {
      assert.equal((await ask('GET Patient/p', { headers: { accept } })).status, status, accept);
    }
    await statuses({ 'GET Patient/p?_format=json': 200 }, { headers: { accept: 'application/fhir+xml' } });
    await statuses({ 'GET Patient/p?_format=xml': 406 });
  });

  it('methods and paths that are not served: 405 and 404', () =>
    statuses({
      ...{ 'PUT Patient/p/_history/1': 405, 'POST Patient/p': 405, 'PUT ': 405, 'GET Patient/p/$nonsense': 404 },
      ...{ 'GET $nonsense': 404, 'POST Nonsense': 404, 'GET Patient/p/_history/1/x': 404 },
    }));

  it('$meta by GET and by POST', async () => {
    for (const line of ['GET Patient/p/$meta', 'POST Patient/p/$meta', 'POST Patient/$meta', 'POST $meta']) {
      assert.equal((await ask(line)).json.parameter[0].name, 'return', line);
    }
  });
});
