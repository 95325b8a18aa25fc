import { strict as assert } from 'node:assert';

import { PATCH_LIMIT } from '@salus/gateway/fhir/patch';

import { FhirServer, type Answer } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

describe('FHIR create, read, update, delete', () => {
  let server: FhirServer;
  beforeEach(() => {
    server = new FhirServer({ catchUpMs: 50 });
  });
  afterEach(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });
  const code = (answer: Answer): string => answer.json.issue[0].details.coding[0].code as string;
  const made = async (resource = patient()): Promise<string> =>
    (await server.ask(`POST ${resource.resourceType as string}`, { body: resource })).json.id as string;

  it('answers a create with 201 and where, when and in which block it is', async () => {
    const answer = await server.ask('POST Patient', { body: patient({ id: 'mine' }) });
    assert.equal(answer.status, 201);
    const id = answer.json.id as string;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(answer.headers.ETag, 'W/"1"');
    assert.equal(answer.headers.Location, `http://fhir.test/fhir/R4/Patient/${id}/_history/1`);
    assert.equal(answer.headers['X-Block'], '1');
    assert.match(answer.headers['X-Tx-Id'] ?? '', /^[0-9a-f]{64}$/);
    assert.equal(answer.headers['Last-Modified'], new Date(answer.json.meta.lastUpdated as string).toUTCString());
    const read = await server.ask(`GET Patient/${id}`);
    assert.deepEqual(read.json, answer.json);
    assert.equal(read.headers.ETag, 'W/"1"');
  });

  it('keeps decimals digit by digit', async () => {
    const text = JSON.stringify(observation('Patient/x')).replace('5.4', '5.400');
    const created = await server.ask('POST Observation', { body: text });
    const read = await server.ask(`GET Observation/${created.json.id as string}`);
    assert.match(read.resource as string, /"value":5\.400,/);
  });

  it('sends a resource again only when it changed', async () => {
    const id = await made();
    const same = await server.ask(`GET Patient/${id}`, { headers: { 'if-none-match': 'W/"1"' } });
    assert.equal(same.status, 304);
    assert.equal(same.resource, undefined);
    const other = await server.ask(`GET Patient/${id}`, { headers: { 'if-none-match': 'W/"2"' } });
    assert.equal(other.status, 200);
  });

  it('updates by If-Match, and refuses an old version with 412', async () => {
    const id = await made();
    const body = patient({ id, active: true });
    const updated = await server.ask(`PUT Patient/${id}`, { body, headers: { 'if-match': 'W/"1"' } });
    assert.equal(updated.status, 200);
    assert.equal(updated.headers.ETag, 'W/"2"');
    const late = await server.ask(`PUT Patient/${id}`, { body, headers: { 'if-match': 'W/"1"' } });
    assert.equal(late.status, 412);
    assert.equal(code(late), 'precondition-failed');
    assert.equal((await server.ask(`GET Patient/${id}/_history/1`)).json.active, undefined);
    assert.equal((await server.ask(`GET Patient/${id}/_history/2`)).json.active, true);
  });

  it('creates by If-None-Match: *, and refuses to write over what is there', async () => {
    const put = (headers: Record<string, string>): Promise<{ status: number }> =>
      server.ask('PUT Patient/once', { body: patient({ id: 'once' }), headers });
    assert.equal((await put({ 'if-none-match': '*' })).status, 201);
    assert.equal((await put({ 'if-none-match': '*' })).status, 412);
    assert.equal((await server.ask('GET Patient/once', { headers: { 'if-none-match': '*' } })).status, 304);
  });

  it('makes no version of identical content', async () => {
    const id = await made();
    const writes = server.ledger.writes;
    const again = await server.ask(`PUT Patient/${id}`, { body: patient({ id }) });
    assert.equal(again.status, 200);
    assert.equal(again.headers.ETag, 'W/"1"');
    assert.equal(server.ledger.writes, writes);
  });

  it('creates under an id of the client by update', async () => {
    const answer = await server.ask('PUT Patient/own-id', { body: patient({ id: 'own-id' }) });
    assert.equal(answer.status, 201);
    assert.equal((await server.ask('GET Patient/own-id')).json.id, 'own-id');
  });

  it('answers 410 with the version of the deletion, and lets the id live again', async () => {
    const id = await made();
    assert.equal((await server.ask(`DELETE Patient/${id}`)).status, 204);
    const gone = await server.ask(`GET Patient/${id}`);
    assert.equal(gone.status, 410);
    assert.equal(gone.headers.ETag, 'W/"2"');
    assert.equal((await server.ask(`DELETE Patient/${id}`)).status, 204);
    assert.equal((await server.ask(`GET Patient?_id=${id}`)).json.total, 0);
    const back = await server.ask(`PUT Patient/${id}`, { body: patient({ id }) });
    assert.equal(back.headers.ETag, 'W/"3"');
    const history = await server.ask(`GET Patient/${id}/_history`);
    assert.deepEqual(
      (history.json.entry as { request: { method: string } }[]).map((each) => each.request.method),
      ['PUT', 'DELETE', 'POST'],
    );
  });

  it('creates conditionally: none, one, several', async () => {
    const headers = { 'if-none-exist': 'identifier=urn:x|1' };
    const body = patient({ identifier: [{ system: 'urn:x', value: '1' }] });
    const first = await server.ask('POST Patient', { body, headers });
    assert.equal(first.status, 201);
    const second = await server.ask('POST Patient', { body, headers });
    assert.equal(second.status, 200);
    assert.equal(second.json.id, first.json.id);
    await made(body);
    const third = await server.ask('POST Patient', { body, headers });
    assert.equal(third.status, 412);
    assert.equal(code(third), 'multiple-matches');
  });

  it('updates conditionally: none, one, several', async () => {
    const identifier = [{ system: 'urn:x', value: '7' }];
    const line = 'PUT Patient?identifier=urn:x|7';
    const first = await server.ask(line, { body: patient({ identifier }) });
    assert.equal(first.status, 201);
    const second = await server.ask(line, { body: patient({ identifier, active: true }) });
    assert.equal(second.status, 200);
    assert.equal(second.json.id, first.json.id);
    assert.equal(second.headers.ETag, 'W/"2"');
    assert.equal((await server.ask(line, { body: patient({ identifier, id: 'other' }) })).status, 400);
    const named = await server.ask('PUT Patient?identifier=urn:x|8', { body: patient({ id: 'named' }) });
    assert.equal(named.json.id, 'named');
    await made(patient({ identifier }));
    assert.equal((await server.ask(line, { body: patient({ identifier }) })).status, 412);
    assert.equal((await server.ask('PUT Patient', { body: patient() })).status, 412);
  });

  it('patches by JSON Patch, keeping what it does not touch', async () => {
    const text = JSON.stringify(observation('Patient/x')).replace('5.4', '5.40');
    const id = (await server.ask('POST Observation', { body: text })).json.id as string;
    const headers = { 'content-type': 'application/json-patch+json', 'if-match': 'W/"1"' };
    const body = [
      { op: 'test', path: '/status', value: 'final' },
      { op: 'replace', path: '/status', value: 'amended' },
      { op: 'add', path: '/note', value: [{ text: 'x' }] },
    ];
    const answer = await server.ask(`PATCH Observation/${id}`, { body, headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.json.status, 'amended');
    assert.match(answer.resource as string, /"value":5\.40,/);
    assert.equal((await server.ask(`PATCH Observation/${id}`, { body, headers })).status, 412);
    const type = { 'content-type': 'application/json-patch+json' };
    const refusals: [unknown, number][] = [
      [body, 422],
      [[{ op: 'remove', path: '/nothing' }], 422],
      [[{ op: 'replace', path: '/id', value: 'other' }], 422],
      [[{ op: 'remove', path: '/status' }], 400],
      [[{ op: 'add', path: '/__proto__/x', value: 1 }], 400],
      [[{ op: 'fly', path: '/status' }], 400],
      [{}, 400],
      [Array(PATCH_LIMIT + 1).fill({ op: 'test', path: '/status', value: 'amended' }), 413],
    ];
    for (const [patchBody, status] of refusals) {
      const refused = await server.ask(`PATCH Observation/${id}`, { body: patchBody, headers: type });
      assert.equal(refused.status, status, JSON.stringify(patchBody).slice(0, 100));
    }
    assert.equal((await server.ask(`PATCH Observation/${id}`, { body })).status, 415);
    const matched = await server.ask('PATCH Observation?status=amended', {
      body: Array(PATCH_LIMIT).fill({ op: 'test', path: '/status', value: 'amended' }),
      headers: type,
    });
    assert.equal(matched.headers.ETag, 'W/"2"');
    assert.equal((await server.ask('PATCH Observation/none', { body, headers: type })).status, 404);
  });

  for (const catchUpMs of [60_000, 0]) {
    it(`makes one resource of 50 conditional creates at once, waiting ${catchUpMs} ms for the projection`, async () => {
      const own = new FhirServer({ catchUpMs });
      for (let round = 0; round < 20; round++) {
        const body = patient({ identifier: [{ system: 'urn:race', value: `${round}` }] });
        const headers = { 'if-none-exist': `identifier=urn:race|${round}` };
        const answers = await Promise.all(Array.from({ length: 50 }, () => own.ask('POST Patient', { body, headers })));
        const statuses = new Set(answers.map((answer) => answer.status));
        if (catchUpMs > 0) assert.deepEqual(statuses, new Set([201, 200]));
        await own.projection.reached(own.ledger.chain.length - 1, 60_000);
        assert.equal((await own.ask(`GET Patient?identifier=urn:race|${round}`)).json.total, 1);
      }
      await own.close();
      assert.deepEqual(own.faults, []);
    });
  }

  it('lets concurrent updates each take effect, one after the other', async () => {
    const id = await made();
    const names = ['a', 'b', 'c'];
    const answers = await Promise.all(
      names.map((family) => server.ask(`PUT Patient/${id}`, { body: patient({ id, name: [{ family }] }) })),
    );
    assert.deepEqual(answers.map((answer) => answer.headers.ETag).toSorted(), ['W/"2"', 'W/"3"', 'W/"4"']);
  });

  it('takes effect once under one Idempotency-Key', async () => {
    const ask = { body: patient(), headers: { 'idempotency-key': 'k1' } };
    const first = await server.ask('POST Patient', ask);
    const second = await server.ask('POST Patient', ask);
    assert.equal(second.status, 201);
    assert.equal(second.json.id, first.json.id);
    assert.equal((await server.ask('GET Patient')).json.total, 1);
  });

  it('answers 202 and where to ask when the outcome is unknown', async () => {
    server.ledger.silent = true;
    const answer = await server.ask('POST Patient', { body: patient(), headers: { 'idempotency-key': 'k 1' } });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers['Content-Location'], '/fhir/R4/$write-status/k%201');
  });

  it('refuses what is no resource, each with its status and outcome', async () => {
    const cases: [string, unknown, number, string, Record<string, string>?][] = [
      ['POST Patient', '{', 400, 'structure'],
      ['POST Patient', '{"resourceType":"Patient","resourceType":"Patient"}', 400, 'structure'],
      ['POST Patient', '{"resourceType":"Patient","__proto__":{}}', 400, 'structure'],
      ['POST Patient', patient({ nonsense: 1 }), 400, 'structure'],
      ['POST Patient', patient({ birthDate: '30.3.1970' }), 400, 'structure'],
      ['POST Patient', observation('Patient/x'), 400, 'structure'],
      ['POST Patient', patient({ contact: [{ gender: 'male' }] }), 422, 'invalid-content'],
      ['POST Patient', patient({ gender: 'f' }), 422, 'invalid-content'],
      ['POST Patient', patient(), 415, 'media-type', { 'content-type': 'text/plain' }],
      ['POST Nothing', patient(), 404, 'unknown-type'],
      ['PUT Patient/1', patient({ id: '2' }), 400, 'structure'],
      ['PUT Patient/a_b', patient({ id: 'a_b' }), 400, 'bad-value'],
      ['PUT Patient/1/_history', patient(), 405, 'method-not-allowed'],
      ['GET Patient/unknown', undefined, 404, 'not-found'],
      ['GET Patient/unknown/_history', undefined, 404, 'not-found'],
      ['GET Patient/1?_format=xml', undefined, 406, 'not-acceptable'],
      ['GET Patient/1', undefined, 406, 'not-acceptable', { accept: 'application/fhir+xml' }],
    ];
    for (const [line, body, status, refusal, headers] of cases) {
      const answer = await server.ask(line, { body, ...(headers && { headers }) });
      assert.equal(answer.status, status, line);
      assert.equal(answer.json.resourceType, 'OperationOutcome', line);
      assert.equal(code(answer), refusal, line);
    }
  });

  it('waits for the block the client saw, and says 503 when it does not come', async () => {
    const id = await made();
    const seen = await server.ask(`GET Patient/${id}`, { headers: { 'x-min-block': '1' } });
    assert.equal(seen.status, 200);
    const behind = await server.ask(`GET Patient/${id}`, { headers: { 'x-min-block': '99' } });
    assert.equal(behind.status, 503);
    assert.equal(code(behind), 'behind');
    const bad = await server.ask(`GET Patient/${id}`, { headers: { 'x-min-block': 'x' } });
    assert.equal(bad.status, 400);
  });

  it('answers alike for what is hidden and what is absent', async () => {
    const id = await made();
    server.hidden.add(`Patient/${id}`);
    const hidden = await server.ask(`GET Patient/${id}`);
    const absent = await server.ask(`GET Patient/${'0'.repeat(id.length)}`);
    assert.equal(hidden.status, absent.status);
    assert.deepEqual(
      JSON.stringify(hidden.json).replace(id, ''),
      JSON.stringify(absent.json).replace('0'.repeat(id.length), ''),
    );
    for (const path of [`Patient/${id}/_history`, `Patient/${id}/_history/1`, `Patient/${id}/$everything`]) {
      assert.equal((await server.ask(`GET ${path}`)).status, 404, path);
    }
    assert.equal((await server.ask('GET Patient')).json.total, 0);
    assert.equal((await server.ask('GET Patient?_summary=count')).json.total, 0);
    assert.equal((await server.ask('GET _history')).json.total, 0);
  });
});
