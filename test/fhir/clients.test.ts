import { strict as assert } from 'node:assert';

import { MedplumClient, OperationOutcomeError } from '@medplum/core';
import { Client } from 'fhir-kit-client';

import { eventually } from '../support/eventually.js';
import { networkOfSuite } from '../support/network.js';
import { glucose, patient } from '../story/people.js';

/** Clients as they come from the registry, against a running gateway. */
describe('an unmodified client', () => {
  const network = networkOfSuite();
  let token: string;
  before(async () => {
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  });

  it('fhir-kit-client creates, reads, searches, pages, patches, looks back and deletes', async () => {
    const client = new Client({ baseUrl: network.fhir('stmary'), bearerToken: token });
    const id = String((await client.create({ resourceType: 'Patient', body: patient })).id);
    assert.equal((await client.read({ resourceType: 'Patient', id })).gender, 'female');
    for (const value of [5, 6]) {
      await client.create({ resourceType: 'Observation', body: glucose(id, value) as never });
    }
    const page = await client.search({ resourceType: 'Observation', searchParams: { patient: id, _count: 1 } });
    assert.equal((page.entry as unknown[]).length, 1);
    const second = await client.nextPage({ bundle: page as never });
    assert.equal((second?.entry as unknown[]).length, 1);
    const jsonPatch = [{ op: 'replace' as const, path: '/gender', value: 'other' }];
    await client.patch({ resourceType: 'Patient', id, jsonPatch });
    assert.equal((await client.vread({ resourceType: 'Patient', id, version: '1' })).gender, 'female');
    const history = await client.history({ resourceType: 'Patient', id });
    assert.deepEqual([history.total, history.type], [2, 'history']);
    const statement = await client.capabilityStatement();
    assert.equal(statement.resourceType, 'CapabilityStatement');
    await client.delete({ resourceType: 'Patient', id });
    await assert.rejects(client.read({ resourceType: 'Patient', id }), (error: { response?: { status?: number } }) => {
      assert.equal(error.response?.status, 410);
      return true;
    });
  });

  it('MedplumClient creates, reads, searches, patches, looks back, batches and deletes', async () => {
    const { origin } = new URL(network.fhir('stmary'));
    const client = new MedplumClient({
      baseUrl: `${origin}/`,
      fhirUrlPath: 'fhir/R4',
      accessToken: token,
      cacheTime: 0,
    });
    const made = await client.createResource({ ...patient, resourceType: 'Patient', gender: 'female' });
    const id = made.id;
    assert.equal((await client.readResource('Patient', id)).birthDate, patient.birthDate);
    assert.deepEqual(
      (await client.searchResources('Patient', { _id: id })).map((each) => each.id),
      [id],
    );
    const patched = await client.patchResource('Patient', id, [{ op: 'add', path: '/active', value: true }]);
    assert.equal(patched.active, true);
    const updated = await client.updateResource({ ...patched, active: false });
    assert.equal(updated.meta?.versionId, '3');
    assert.equal((await client.readHistory('Patient', id)).entry?.length, 3);
    const entry = [{ request: { method: 'GET' as const, url: `Patient/${id}` } }];
    const answers = await client.executeBatch({ resourceType: 'Bundle', type: 'batch', entry });
    assert.equal(answers.entry?.[0]?.resource?.id, id);
    await client.deleteResource('Patient', id);
    await assert.rejects(client.readResource('Patient', id, { cache: 'reload' }), OperationOutcomeError);
  });

  it('a bulk exporter fetches ndjson, and the patient finds it on the list of who read the record', async () => {
    const ask = (path: string, headers: Record<string, string> = {}) => network.ask('stmary', path, { token, headers });
    const id = String((await network.ask('stmary', 'Patient', { token, body: patient })).body.id);
    const kickOff = await ask('Patient/$export?_type=Patient', { prefer: 'respond-async' });
    assert.equal(kickOff.status, 202, kickOff.text);
    const below = (url: string): string => url.slice(url.indexOf('$export'));
    const status = below(kickOff.headers.get('content-location') ?? '');
    let output: readonly { readonly url: string }[] = [];
    await eventually(async () => {
      const manifest = await ask(status);
      assert.equal(manifest.status, 200);
      output = manifest.body['output'] as typeof output;
    });
    const file = await ask(below(output[0]?.url ?? ''), { accept: 'application/fhir+ndjson' });
    assert.equal(file.headers.get('content-type'), 'application/fhir+ndjson');
    const ids = file.text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id);
    assert.ok(ids.includes(id));
    const officer = await network.token({ member: 'stmary', user: 'officer', role: 'privacy-officer' });
    const list = await network.ask('stmary', `AuditEvent?patient=${id}`, { token: officer });
    assert.equal(list.status, 200, list.text);
    assert.ok(
      (list.body.entry ?? []).some(({ resource }) => JSON.stringify(resource).includes('$export-file')),
      list.text,
    );
  });
});
