import { strict as assert } from 'node:assert';

import { IMPORT_LIMITS } from '@salus/gateway/fhir/import/limits';
import { Refusal } from '@salus/gateway/ledger/refusal';

import { holders } from '../support/bytes-search.js';
import { eventually } from '../support/eventually.js';
import { physician, type Json } from '../support/fhir-server.js';
import { FileServer, importsOfSuite, ndjson, patients } from './importing.js';
import { observation, patient } from './resources.js';

describe('FHIR $import', () => {
  const suite = importsOfSuite();

  const versions = async (name: string): Promise<unknown> => (await suite.world.ask(`GET ${name}/_history`)).json.total;

  it('takes files of resources, as JSON and as Parameters ask for them', async () => {
    const text = JSON.stringify(observation('Patient/p0', { id: 'o' })).replace('5.4', '5.40');
    const input = [
      { type: 'Patient', url: suite.files.put('/p', `${ndjson(...patients(3))}\n`) },
      { type: 'Observation', url: suite.files.put('/o', `\n\r\n${text}\r\n`) },
    ];
    const manifest = await suite.world.done(await suite.world.begun(input, { storageDetail: { type: 'https' } }));
    assert.equal(manifest.request, 'http://fhir.test/fhir/R4/$import');
    assert.match(manifest.transactionTime as string, /^20\d\d-.*Z$/);
    assert.deepEqual(
      (manifest.output as Json[]).map(({ type, inputUrl, count }) => [type, inputUrl, count] as unknown),
      [
        ['OperationOutcome', input[0]!.url, 3],
        ['OperationOutcome', input[1]!.url, 1],
      ],
    );
    assert.deepEqual(manifest.error, []);
    const { json, resource } = await suite.world.ask('GET Observation/o');
    assert.match(resource as string, /"value":5\.40,/);
    assert.equal(json.meta.source, 'https://other.example');
    assert.equal((await suite.world.ask('GET Patient?_total=accurate')).json.total, 3);
    const parameter = [
      { name: 'inputFormat', valueCode: 'application/fhir+ndjson' },
      { name: 'inputSource', valueUri: 'https://other.example' },
      { name: 'storageDetail', part: [{ name: 'type', valueCode: 'https' }] },
      ...input.map(({ type, url }) => ({
        name: 'input',
        part: [
          { name: 'type', valueCode: type },
          { name: 'url', valueUrl: url },
        ],
      })),
    ];
    const again = await suite.world.ask('POST $import', { body: { resourceType: 'Parameters', parameter } });
    assert.equal((await suite.world.done(suite.world.statusOf(again))).output[0].count, 3);
    // What is there already makes no new version.
    assert.equal(await versions('Patient/p0'), 1);
  });

  it('takes resources sent with the request, and keeps their text no longer than it takes', async () => {
    const body = ndjson(
      patient({ id: 'a', name: [{ family: 'CANARY-UPLOADED' }] }),
      observation('Patient/a', { id: 'o' }),
    );
    const headers = { 'content-type': 'application/fhir+ndjson' };
    const begun = await suite.world.ask('POST $import?inputSource=urn:x:y', { body, headers });
    const manifest = await suite.world.done(suite.world.statusOf(begun));
    assert.match(manifest.output[0].inputUrl as string, /^urn:uuid:/);
    assert.equal(manifest.output[0].count, 2);
    assert.equal((await suite.world.ask('GET Patient/a')).json.meta.source, 'urn:x:y');
    assert.deepEqual(holders(suite.world.folder.path, 'CANARY-UPLOADED'), []);
    assert.deepEqual([suite.world.rows('import_uploads'), suite.world.rows('import_parts')], [0, 0]);
    assert.equal((await suite.world.ask('POST $import', { body: ' ', headers })).status, 400);
  });

  it('tells each bad line by its number, and loses nothing else', async () => {
    suite.world.server.hidden.add('Patient/taken');
    await suite.world.ask('PUT Patient/taken', { body: patient({ id: 'taken' }) });
    const long = JSON.stringify(patient({ id: 'long', name: [{ family: 'x'.repeat(4_000) }] }));
    const lines = [
      patient({ id: 'first' }),
      '{"resourceType":"Patient",',
      '',
      observation('Patient/first', { id: 'o' }),
      patient({ id: 'wrong', gender: 'x' }),
      patient({ id: 'under_score' }),
      patient({ id: 'first', active: true }),
      long,
      patient({ id: 'taken', active: true }),
      '[]',
      '{"resourceType":"Nothing","id":"x"}',
      '{"resourceType":"Patient","active":true,"active":false}',
      patient(),
      patient({ id: 7 }),
    ];
    const bytes = Buffer.concat([
      Buffer.from(`${ndjson(...lines)}\n`),
      Buffer.from([0x7b, 0xff, 0x7d]),
      Buffer.from('\n'),
    ]);
    const url = suite.files.put('/bad', (_request, response) =>
      response.end(Buffer.concat([bytes, Buffer.from(ndjson(patient({ id: 'last' })))])),
    );
    suite.world.open({ lineBytes: 3_000 });
    const manifest = await suite.world.done(await suite.world.begun([{ type: 'Patient', url }]));
    const problems = await suite.world.problems(manifest);
    assert.deepEqual(
      problems.map(([line, code]) => [line, code]),
      [
        [2, 'structure'],
        [4, 'structure'],
        [5, 'code-invalid'],
        [6, 'invalid'],
        [8, 'structure'],
        [9, 'duplicate'],
        [10, 'structure'],
        [11, 'structure'],
        [12, 'structure'],
        [14, 'structure'],
        [15, 'structure'],
      ],
      JSON.stringify(problems),
    );
    assert.deepEqual([manifest.output[0].count, manifest.error[0].count], [4, 11]);
    assert.equal((await suite.world.ask('GET Patient/first')).json.active, true);
    assert.equal(await versions('Patient/first'), 2);
    assert.equal((await suite.world.ask('GET Patient/last')).status, 200);
    assert.equal((await suite.world.ask('GET Patient?_total=accurate')).json.total, 3);
  });

  it('writes many resources in one transaction', async () => {
    const url = suite.files.put('/many', ndjson(...patients(2 * IMPORT_LIMITS.partLines + 1)));
    const before = suite.world.server.ledger.writes;
    await suite.world.done(await suite.world.begun([{ type: 'Patient', url }]));
    assert.equal(suite.world.server.ledger.writes - before, 3);
  });

  it('asks no server that the operator did not name', async () => {
    const other = await new FileServer().listen();
    const secret = other.put('/secret', ndjson(patient({ id: 'x' })));
    const here = new URL(suite.files.origin);
    const urls = [
      ...[
        secret,
        'http://169.254.169.254/latest/meta-data',
        'file:///etc/passwd',
        'https://suite.files.example/x',
        'x',
        5,
        null,
      ],
      ...[
        `http://user:word@${here.host}/p`,
        `http://localhost:${here.port}/p`,
        `https://${here.host}/p`,
        `//${here.host}/p`,
      ],
    ];
    for (const url of urls) {
      await assert.rejects(
        suite.world.begun([{ type: 'Patient', url: url as string }]),
        /^Error: 4(00|22) /,
        String(url),
      );
    }
    // One that is allowed, and sends elsewhere.
    const moved = suite.files.put('/moved', (_request, response) =>
      response.writeHead(307, { location: secret }).end(),
    );
    await suite.world.done(await suite.world.begun([{ type: 'Patient', url: moved }]));
    assert.deepEqual(other.asked, []);
    other.close();
  });

  it('gives what another member keeps ids of its own, in references, too, the same each time', async () => {
    suite.world.elsewhere.add('Patient/p');
    const input = [
      { type: 'Observation', url: suite.files.put('/o', ndjson(observation('Patient/p', { id: 'o' }))) },
      { type: 'Patient', url: suite.files.put('/p', ndjson(patient({ id: 'p' }), patient({ id: 'q' }))) },
    ];
    for (const round of [1, 2]) {
      const manifest = await suite.world.done(await suite.world.begun(input));
      assert.deepEqual(manifest.error, [], `round ${round}`);
    }
    const { json } = await suite.world.ask('GET Observation/o');
    const moved = json.subject.reference as string;
    assert.notEqual(moved, 'Patient/p');
    const here = await suite.world.ask(`GET ${moved}`);
    assert.equal(here.status, 200);
    const { source, extension } = here.json.meta;
    assert.equal(source, 'https://other.example');
    assert.deepEqual(extension, [
      {
        url: 'http://hl7.org/fhir/StructureDefinition/import-source',
        valueIdentifier: { system: 'https://other.example', value: 'Patient/p' },
      },
    ]);
    assert.equal((await suite.world.ask('GET Patient/q')).json.meta.extension, undefined);
    assert.deepEqual(await Promise.all([versions(moved), versions('Observation/o')]), [1, 1]);
  });

  it('lets nobody write what they may not', async () => {
    const url = suite.files.put('/p', ndjson(patient({ id: 'p' })));
    suite.world.open(undefined, {
      decision: {
        allow: (_actor, type) => {
          throw new Refusal('forbidden', 'role-may-not-write', `role physician writes no ${type}`);
        },
      },
    });
    await assert.rejects(suite.world.begun([{ type: 'Patient', url }]), /403 .*writes no Patient/);
    assert.deepEqual(suite.files.asked, []);
  });

  it('is for who asked alone, until it is ended', async () => {
    const url = suite.files.put('/slow', (_request, response) =>
      response.write(`${ndjson(...patients(IMPORT_LIMITS.partLines + 1))}\n`),
    );
    const path = await suite.world.begun([{ type: 'Patient', url }]);
    const { status, headers } = await suite.world.ask(`GET ${path}`);
    assert.equal(status, 202);
    assert.match(headers['X-Progress'] ?? '', /^\d+ lines, 0 of 1 files done$/);
    assert.ok(Number(headers['Retry-After']) > 0);
    const other = { actor: { ...physician, user: 'dr-other' } };
    const id = path.split('/')[1] ?? '';
    for (const line of [`GET ${path}`, `DELETE ${path}`, `GET $import-file/${id}/0`]) {
      assert.equal((await suite.world.ask(line, other)).status, 404, line);
    }
    await eventually(async () => {
      assert.equal((await suite.world.ask('GET Patient/p0')).status, 200);
    });
    assert.equal((await suite.world.ask(`DELETE ${path}`)).status, 202);
    for (const line of [`GET ${path}`, `DELETE ${path}`, `GET $import-file/${id}/0`]) {
      assert.equal((await suite.world.ask(line)).status, 404, line);
    }
    assert.equal((await suite.world.ask('GET Patient/p0')).status, 200);
  });

  it('refuses what it does not do', async () => {
    const good = {
      inputFormat: 'application/fhir+ndjson',
      inputSource: 'https://x',
      input: [{ type: 'Patient', url: suite.files.put('/p', '') }],
    };
    const refused = async (body: unknown, status: number, headers = {}): Promise<void> => {
      const answer = await suite.world.ask('POST $import', {
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });
      assert.deepEqual([answer.status, answer.json.resourceType], [status, 'OperationOutcome'], JSON.stringify(body));
    };
    for (const change of [
      { inputFormat: 'text/csv' },
      { inputFormat: undefined },
      { inputSource: 'nowhere' },
      { inputSource: undefined },
      { input: [] },
      { input: [{ type: 'Nothing', url: good.input[0]!.url }] },
      { input: [null] },
      { storageDetail: { type: 'aws-s3' } },
      { storageDetail: null },
      { storageDetail: { type: 'https', contentEncoding: ['zstd'] } },
      { mode: 'transaction' },
    ]) {
      await refused({ ...good, ...change }, 400);
    }
    await refused('[]', 400);
    await refused('{', 400);
    await refused(good, 400, { prefer: 'return=minimal' });
    await refused('<x/>', 415, { 'content-type': 'application/xml' });
  });
});
