import { strict as assert } from 'node:assert';

import { BUNDLE_ENTRY_LIMIT } from '@salus/gateway/fhir/bundle';
import { BATCH_ANSWER_LIMIT } from '@salus/gateway/fhir/batch';

import { FhirServer, type Answer, type Json } from '../support/fhir-server.js';
import { entry, observation, patient } from './resources.js';

const bundle = (type: string, ...entries: Json[]): Json => ({ resourceType: 'Bundle', type, entry: entries });

describe('FHIR transaction and batch', () => {
  let server: FhirServer;
  beforeEach(() => {
    server = new FhirServer({ handlers: { Consent: (request, _interaction, proceed) => proceed(request) } });
  });
  afterEach(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });
  const post = (body: Json, headers: Record<string, string> = {}): Promise<Answer> =>
    server.ask('POST ', { body, headers });
  const statuses = (answer: Answer): string[] =>
    (answer.json.entry as Json[]).map((each) => (each.response.status as string).slice(0, 3));
  const refused = async (body: Json, status: number, code: string): Promise<string> => {
    const before = server.ledger.writes;
    const answer = await post(body);
    assert.equal(answer.status, status, JSON.stringify(answer.json));
    assert.equal(answer.json.issue[0].details.coding[0].code, code);
    assert.equal(server.ledger.writes, before, 'nothing may be written');
    return answer.json.issue[0].diagnostics as string;
  };

  it('writes a transaction as one, with references to new resources rewritten', async () => {
    const urn = 'urn:uuid:0f3c1f0a-7d53-4c57-9d1e-111111111111';
    const text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${urn}">p</a></div>` };
    const answer = await post(
      bundle(
        'transaction',
        entry('POST', 'Observation', observation(urn, { text })),
        entry('POST', 'Patient', patient(), { fullUrl: urn }),
      ),
    );
    assert.equal(answer.status, 200);
    assert.equal(server.ledger.writes, 1);
    assert.deepEqual(statuses(answer), ['201', '201']);
    const [first, second] = answer.json.entry as Json[];
    const at = (location: string): string =>
      location.replace('http://fhir.test/fhir/R4/', '').replace(/\/_history.*/, '');
    const stored = await server.ask(`GET ${at(first.response.location as string)}`);
    const name = at(second.response.location as string);
    assert.equal(stored.json.subject.reference, name);
    assert.match(stored.json.text.div as string, new RegExp(`href="${name}"`));
    assert.equal(first.response.etag, 'W/"1"');
  });

  it('rewrites links by their type: versions, relative references and uris, but no other strings', async () => {
    const urn = 'urn:uuid:0f3c1f0a-7d53-4c57-9d1e-222222222222';
    const base = 'http://elsewhere.test/fhir/';
    const sent = observation(`${urn}/_history/7`, {
      identifier: [{ system: urn, value: urn }],
      performer: [{ reference: 'Practitioner/one' }, { reference: '#own' }],
      contained: [{ resourceType: 'CareTeam', id: 'own', subject: { reference: urn } }],
      extension: [
        { url: 'urn:x', valueUri: urn },
        { url: 'urn:x', valueString: urn },
      ],
    });
    const answer = await post(
      bundle(
        'transaction',
        entry('POST', 'Observation', sent, { fullUrl: `${base}Observation/1` }),
        entry('POST', 'Patient', patient(), { fullUrl: urn }),
        entry('POST', 'Practitioner', { resourceType: 'Practitioner' }, { fullUrl: `${base}Practitioner/one` }),
      ),
      { prefer: 'return=representation' },
    );
    const [{ resource: made }, { resource: subject }, { resource: performer }] = answer.json.entry as [
      Json,
      Json,
      Json,
    ];
    const name = `Patient/${subject.id as string}`;
    assert.equal(made.subject.reference, `${name}/_history/1`);
    assert.deepEqual(made.identifier, [{ system: name, value: urn }]);
    assert.deepEqual(
      (made.extension as Json[]).map((each) => (each.valueUri ?? each.valueString) as string),
      [name, urn],
    );
    assert.equal(made.performer[0].reference, `Practitioner/${performer.id as string}`);
    assert.equal(made.contained[0].subject.reference, name, 'in contained resources, too');
  });

  it('patches in a transaction and in a batch, by a Binary', async () => {
    await server.ask('PUT Patient/a', { body: patient({ id: 'a' }) });
    const change = (operations: unknown): Json => ({
      resourceType: 'Binary',
      contentType: 'application/json-patch+json',
      data: Buffer.from(JSON.stringify(operations)).toString('base64'),
    });
    const male = change([{ op: 'replace', path: '/gender', value: 'male' }]);
    const active = change([{ op: 'add', path: '/active', value: true }]);
    const other = entry('POST', 'Patient', patient());
    assert.deepEqual(statuses(await post(bundle('transaction', entry('PATCH', 'Patient/a', male), other))), [
      ...['200', '201'],
    ]);
    assert.deepEqual(statuses(await post(bundle('batch', entry('PATCH', 'Patient/a', active)))), ['200']);
    const { json } = await server.ask('GET Patient/a');
    assert.deepEqual([json.gender, json.active, json.meta.versionId], ['male', true, '3']);
    await refused(bundle('transaction', other, entry('PATCH', 'Patient/none', male)), 404, 'not-found');
    await refused(bundle('transaction', other, entry('PATCH', 'Patient?name=nobody', male)), 404, 'not-found');
    await refused(bundle('transaction', other, entry('PATCH', 'Patient/a', patient())), 415, 'media-type');
  });

  it('keeps decimals in entries', async () => {
    const body = JSON.stringify(bundle('transaction', entry('POST', 'Observation', observation('Patient/x'))));
    await server.ask('POST ', { body: body.replace('5.4', '5.40') });
    const found = await server.ask('GET Observation');
    assert.match(found.resource as string, /"value":5\.40,/);
  });

  it('creates conditionally, updates, deletes and reads in one', async () => {
    await server.ask('PUT Patient/a', { body: patient({ id: 'a', identifier: [{ system: 'urn:x', value: '1' }] }) });
    await server.ask('PUT Patient/b', { body: patient({ id: 'b' }) });
    const answer = await post(
      bundle(
        'transaction',
        entry('GET', 'Patient/c'),
        entry('POST', 'Patient', patient(), { ifNoneExist: 'identifier=urn:x|1', fullUrl: 'urn:uuid:p' }),
        entry('POST', 'Observation', observation('urn:uuid:p')),
        entry('POST', 'Observation', observation('Patient?identifier=urn:x|1')),
        entry('PUT', 'Patient/c', patient({ id: 'c' })),
        entry('DELETE', 'Patient/b'),
      ),
    );
    assert.deepEqual(statuses(answer), ['200', '200', '201', '201', '201', '204']);
    assert.equal(answer.json.entry[0].resource.id, 'c');
    assert.equal((await server.ask('GET Observation?subject=Patient/a')).json.total, 2);
    assert.equal((await server.ask('GET Patient/b')).status, 410);
  });

  it('returns resources when the client prefers them', async () => {
    const body = bundle('transaction', entry('POST', 'Patient', patient()));
    const answer = await post(body, { prefer: 'return=representation' });
    assert.equal(answer.json.entry[0].resource.resourceType, 'Patient');
    assert.equal((await post(body)).json.entry[0].resource, undefined);
  });

  it('takes effect once under one Idempotency-Key', async () => {
    const body = bundle('transaction', entry('POST', 'Patient', patient()));
    const first = await post(body, { 'idempotency-key': 'k' });
    const second = await post(body, { 'idempotency-key': 'k' });
    assert.deepEqual(second.json, first.json);
    assert.equal((await server.ask('GET Patient')).json.total, 1);
  });

  it('refuses the whole transaction and names the entry', async () => {
    const good = entry('POST', 'Patient', patient());
    const where = await refused(
      bundle('transaction', good, entry('POST', 'Observation', { resourceType: 'Observation', status: 'final' })),
      400,
      'structure',
    );
    assert.match(where, /Missing required/);
    const stale = entry('PUT', 'Patient/x', patient({ id: 'x' }), { ifMatch: 'W/"3"' });
    assert.match(await refused(bundle('transaction', good, stale), 412, 'precondition-failed'), /Bundle\.entry\[1\]/);
    const twice = entry('PUT', 'Patient/x', patient({ id: 'x' }));
    await refused(bundle('transaction', twice, twice), 422, 'invalid-content');
    const nowhere = entry('POST', 'Observation', observation('Patient?identifier=none'));
    await refused(bundle('transaction', nowhere), 412, 'precondition-failed');
    await refused(bundle('collection', good), 400, 'structure');
    await refused(bundle('transaction', entry('POST', 'Observation', patient())), 400, 'structure');
    await refused(bundle('transaction', entry('FLY', 'Patient', patient())), 400, 'structure');
    await refused(bundle('transaction', { resource: patient() }), 400, 'structure');
  });

  it('refuses a transaction that mixes Consent with others', async () => {
    const consent = { resourceType: 'Consent', status: 'active' };
    const mixed = bundle('transaction', entry('POST', 'Patient', patient()), entry('POST', 'Consent', consent));
    await refused(mixed, 422, 'unprocessable');
  });

  it(`takes ${BUNDLE_ENTRY_LIMIT} entries and not one more`, async () => {
    const reads = Array.from({ length: BUNDLE_ENTRY_LIMIT }, (): unknown => entry('GET', 'Patient/none'));
    assert.equal((await post(bundle('batch', ...reads))).status, 200);
    assert.equal((await post(bundle('batch', ...reads, entry('GET', 'Patient/none')))).status, 413);
  });

  it('reads no more in a batch whose answer is full', async () => {
    const size = (await server.ask('GET metadata')).resource?.length ?? 0;
    const count = 64 + Math.ceil(BATCH_ANSWER_LIMIT / Number(size));
    const reads = Array.from({ length: count }, (): unknown => entry('GET', 'metadata'));
    const codes = statuses(await post(bundle('batch', ...reads)));
    assert.equal(codes[0], '200');
    assert.equal(codes.at(-1), '413');
  });

  it('answers each entry of a batch on its own', async () => {
    const answer = await post(
      bundle(
        'batch',
        entry('POST', 'Patient', patient()),
        entry('POST', 'Patient', patient({ nonsense: 1 })),
        entry('GET', 'Patient/none'),
        entry('GET', 'Patient?name=nobody'),
      ),
    );
    assert.deepEqual(statuses(answer), ['201', '400', '404', '200']);
    assert.equal(answer.json.entry[1].response.outcome.resourceType, 'OperationOutcome');
    assert.equal(answer.json.entry[3].resource.type, 'searchset');
  });
});
