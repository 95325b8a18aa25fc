/** Long content of resources: encrypted beside the ledger, read wherever the resource is, told of where it is lost, gone when erased. */
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CONTENT_LIMIT } from '@salus/gateway/fhir/validate';
import { ON_LEDGER_LIMIT } from '@salus/gateway/keys/beside';

import { found } from '../support/bytes-search.js';
import { salus, type CommandResult } from '../support/command.js';
import { engineName } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { type Answer, type FhirBody, type TestNetwork, startNetwork } from '../support/network.js';
import { patient, treatmentByNorthside } from '../story/people.js';

const CHARACTERS = 1_200_000;
/** Base64 that no other content has; so many characters, a multiple of four. */
const base64 = (characters: number): string => randomBytes((characters / 4) * 3).toString('base64');

const report = (subject: string, data: string, more: object = {}): object => ({
  resourceType: 'DiagnosticReport',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '18748-4' }] },
  subject: { reference: `Patient/${subject}` },
  presentedForm: [{ contentType: 'application/pdf', title: 'scan', data }],
  ...more,
});

describe('long content beside the ledger', function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'salus-beside-'));
  const stateDir = join(folder, 'state');
  const files = join(stateDir, 'members', 'stmary', 'data', 'content');
  const data = base64(CHARACTERS);
  let network: TestNetwork;
  let portBase: number;
  let token: string;
  let patientId: string;
  let id: string;
  /** The file of its first version. */
  let first: string;

  const up = async (): Promise<void> => {
    network = await startNetwork({ stateDir, portBase });
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  };
  const ask = (path: string, body?: object, method = body === undefined ? 'GET' : 'POST'): Promise<Answer> =>
    network.ask('stmary', path, { token, method, ...(body === undefined ? {} : { body }) });
  const create = async (body: object): Promise<FhirBody> => {
    const answer = await ask(String((body as FhirBody).resourceType), body);
    assert.equal(answer.status, 201, answer.text.slice(0, 500));
    return answer.body;
  };
  const names = (): string[] =>
    readdirSync(files, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(files, name)).isFile());
  const dataOf = (resource: FhirBody | undefined): string | undefined =>
    (resource?.presentedForm as readonly { data?: string }[] | undefined)?.[0]?.data;
  const command = (...args: string[]): Promise<CommandResult> => salus(stateDir, args);
  const reports = ({ body }: Answer): FhirBody[] =>
    (body.entry ?? []).flatMap(({ resource }) => (resource?.resourceType === 'DiagnosticReport' ? [resource] : []));
  /** Neither the characters nor the bytes that they stand for are in a file; `within` them, where nothing compresses. */
  const clear = (within: string): Buffer[] => {
    const some = within.slice(40_000, 40_064);
    return [Buffer.from(some), Buffer.from(some, 'base64')];
  };

  before(async () => {
    portBase = await freePortBase();
    await up();
    patientId = String((await create(patient)).id);
    await create(
      treatmentByNorthside(patientId, {
        class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'DiagnosticReport' }],
      }),
    );
    id = String((await create(report(patientId, data))).id);
    first = names()[0]!;
  });
  after(async () => {
    await network.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lies there encrypted, one file for each, and in clear in no file of anybody', () => {
    assert.equal(names().length, 1);
    assert.equal(statSync(join(files, names()[0]!)).mode & 0o077, 0);
    assert.ok(statSync(join(files, names()[0]!)).size >= data.length);
    assert.deepEqual(found(stateDir, clear(data)), []);
    const control = join(folder, 'control');
    writeFileSync(control, data);
    assert.deepEqual(found(folder, clear(data)).length, 1, 'the search finds it where it lies');
    rmSync(control);
    const ciphertext = readFileSync(join(files, names()[0]!)).subarray(1_000, 1_032);
    assert.equal(found(stateDir, [ciphertext]).length, 1, 'nor does the ledger have the ciphertext');
  });

  it('is read by id, version, search, history, $everything, batch and export', async () => {
    assert.equal(dataOf((await ask(`DiagnosticReport/${id}`)).body), data);
    assert.equal(dataOf((await ask(`DiagnosticReport/${id}/_history/1`)).body), data);
    for (const path of [
      `DiagnosticReport?patient=${patientId}`,
      `Patient?_id=${patientId}&_revinclude=DiagnosticReport:subject`,
      `DiagnosticReport/${id}/_history`,
      `Patient/${patientId}/$everything`,
    ]) {
      assert.deepEqual(reports(await ask(path)).map(dataOf), [data], path);
    }
    const request = { method: 'GET', url: `DiagnosticReport/${id}` };
    const batch = await ask('', { resourceType: 'Bundle', type: 'batch', entry: [{ request }] });
    assert.deepEqual(reports(batch).map(dataOf), [data]);
    const headers = { prefer: 'respond-async' };
    const asked = await network.ask('stmary', '$export?_type=DiagnosticReport', { token, headers });
    const job = asked.headers.get('content-location') ?? '';
    const told = await network.ask('stmary', job.replace(/^.*\/fhir\/R4\//, ''), { token });
    const [output] = told.body.output as readonly { url: string }[];
    const lines = await network.ask('stmary', output!.url.replace(/^.*\/fhir\/R4\//, ''), { token });
    assert.equal(dataOf(JSON.parse(lines.text) as FhirBody), data);
  });

  it('is read at another hospital, which checks it against the block', async () => {
    const baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    await eventually(async () => {
      const answer = await network.ask('northside', `DiagnosticReport?patient=${patientId}`, { token: baker });
      assert.deepEqual(reports(answer).map(dataOf), [data], answer.text.slice(0, 500));
    });
    assert.deepEqual(found(join(stateDir, 'members', 'northside'), clear(data)), []);
  });

  it('makes no new version where nothing changed, and another file where something did', async () => {
    const { body } = await ask(`DiagnosticReport/${id}`);
    const same = await ask(`DiagnosticReport/${id}`, body, 'PUT');
    assert.deepEqual([same.status, same.headers.get('etag'), names().length], [200, 'W/"1"', 1]);
    const other = base64(40_000);
    const changed = await ask(`DiagnosticReport/${id}`, { ...report(patientId, other), id }, 'PUT');
    assert.deepEqual([changed.status, changed.headers.get('etag'), names().length], [200, 'W/"2"', 2]);
    const patch = [{ op: 'replace', path: '/status', value: 'amended' }];
    const patched = await network.ask('stmary', `DiagnosticReport/${id}`, {
      ...{ token, method: 'PATCH', body: patch, headers: { 'content-type': 'application/json-patch+json' } },
    });
    assert.deepEqual([patched.status, names().length], [200, 3], patched.text.slice(0, 300));
    assert.deepEqual(reports(await ask(`DiagnosticReport/${id}/_history`)).map(dataOf), [other, other, data]);
  });

  it('is all that is longer than the limit, and nothing that is not', async () => {
    const before = names().length;
    const at = await create({ resourceType: 'Binary', contentType: 'image/png', data: base64(ON_LEDGER_LIMIT) });
    assert.equal(names().length, before);
    const beyond = { resourceType: 'Binary', contentType: 'image/png', data: base64(ON_LEDGER_LIMIT + 4) };
    const made = await create(beyond);
    assert.equal(names().length, before + 1);
    assert.equal((await ask(`Binary/${String(made.id)}`)).body.data, beyond.data);
    assert.equal(String((await ask(`Binary/${String(at.id)}`)).body.data).length, ON_LEDGER_LIMIT);
  });

  it('is at most as long as said', async () => {
    const before = names().length;
    const binary = (bytes: number): object => {
      return { resourceType: 'Binary', contentType: 'image/png', data: randomBytes(bytes).toString('base64') };
    };
    const beyond = await ask('Binary', binary(CONTENT_LIMIT + 1));
    assert.deepEqual([beyond.status, names().length], [400, before], beyond.text.slice(0, 300));
    const { id: largest } = await create(binary(CONTENT_LIMIT));
    assert.equal(names().length, before + 1);
    assert.equal((await ask(`Binary/${String(largest)}`, undefined, 'DELETE')).status, 204);
  });

  it('is not shown to whoever writes its name', async () => {
    const [, file = ''] = /\/([0-9a-f]{64})$/.exec(names()[0] ?? '') ?? [];
    const valueSampledData = { origin: { value: 0 }, period: 1, dimensions: 1, data: `urn:salus:content:0:${file}` };
    const code = { text: 'curve' };
    const sampled = { resourceType: 'Observation', status: 'final', code, valueSampledData };
    const { id: curve } = await create(sampled);
    assert.deepEqual((await ask(`Observation/${String(curve)}`)).body.valueSampledData, valueSampledData);
  });

  it('is refused under an Idempotency-Key used before, and made once', async () => {
    const before = names().length;
    const headers = { 'idempotency-key': 'beside-1' };
    const body = report(patientId, base64(40_000));
    const twice = await Promise.all(
      [1, 2].map(() => network.ask('stmary', 'DiagnosticReport', { token, body, headers })),
    );
    assert.deepEqual(twice.map(({ status }) => status).sort(), [201, 201]);
    assert.equal(twice[0]?.body.id, twice[1]?.body.id);
    assert.equal(names().length, before + 1);
    const another = report(patientId, base64(40_000));
    const reused = await network.ask('stmary', 'DiagnosticReport', { token, body: another, headers });
    assert.deepEqual([reused.status, names().length], [422, before + 1]);
    await ask(`DiagnosticReport/${String(twice[0]?.body.id)}`, undefined, 'DELETE');
  });

  it('is told of where its file is damaged or missing, and everything else is served', async () => {
    const path = join(files, first);
    const whole = readFileSync(path);
    for (const isTorn of [true, false]) {
      if (isTorn) truncateSync(path, whole.length - 1);
      else renameSync(path, `${path}.away`);
      const read = await ask(`DiagnosticReport/${id}/_history/1`);
      assert.deepEqual([read.status, read.body.resourceType], [500, 'OperationOutcome'], read.text.slice(0, 300));
      assert.match(read.text, /is lost[^]*content-lost/);
      const history = await ask(`DiagnosticReport/${id}/_history`);
      assert.deepEqual([history.status, reports(history).length], [200, 2]);
      assert.match(history.text, /content of DiagnosticReport\/[^ ]+\/_history\/1 is lost/);
    }
    const { code, out, err } = await command('rebuild', '--member', 'stmary');
    assert.equal(code, 1, out);
    assert.match(err, new RegExp(`lost: content of DiagnosticReport/${id}/_history/1;`));
    await network.kill();
    await up();
    await eventually(async () => {
      const { body } = await network.ask('stmary', '/readyz');
      assert.equal((body.channels as Record<string, { lost: number }>).health?.lost, 1);
    });
    assert.match((await command('status')).out, /content of 1 versions is lost/);
    assert.match((await network.ask('stmary', '/metrics')).text, /salus_contents_lost\{[^}]*\} 1/);
    rmSync(`${path}.away`);
    writeFileSync(path, whole);
    assert.equal(dataOf((await ask(`DiagnosticReport/${id}/_history/1`)).body), data);
    assert.equal((await command('rebuild', '--member', 'stmary')).code, 0);
  });

  it('keeps no chart from being shown, and is written over by nothing that was made of it', async () => {
    const lost = base64(40_000);
    const before = new Set(names());
    const { id: torn } = await create(report(patientId, lost));
    const fresh = names().find((name) => !before.has(name));
    const file = join(files, fresh!);
    renameSync(file, `${file}.away`);
    const path = `DiagnosticReport?patient=${patientId}`;
    const biller = await network.token({ member: 'stmary', user: 'biller-dunn', role: 'biller' });
    const payment = { token: biller, headers: { 'x-purpose-of-use': 'HPAYMT' } };
    for (const found of [await ask(path), await network.ask('stmary', path, payment)]) {
      assert.deepEqual([found.status, reports(found).length], [200, 1], found.text.slice(0, 300));
      assert.equal(found.text.split('"OperationOutcome"').length, 2);
    }
    assert.equal((await ask(`Patient/${patientId}/$everything`)).status, 200);
    const patched = await network.ask('stmary', `DiagnosticReport/${String(torn)}`, {
      ...{ token, method: 'PATCH', body: [{ op: 'replace', path: '/status', value: 'amended' }] },
      headers: { 'content-type': 'application/json-patch+json' },
    });
    assert.equal(patched.status, 500);
    const again = await ask(`DiagnosticReport/${String(torn)}`, { ...report(patientId, lost), id: torn }, 'PUT');
    assert.deepEqual([again.status, again.headers.get('etag')], [200, 'W/"2"'], 'who has it may bring it again');
    assert.equal(dataOf((await ask(`DiagnosticReport/${String(torn)}`)).body), lost);
    renameSync(`${file}.away`, file);
  });

  it('comes back from a backup', async function () {
    if (engineName !== 'embedded') this.skip();
    const [copy, rest] = [join(folder, 'copy'), join(folder, 'rest')];
    for (const args of [[copy], ['--without-keys', rest]]) assert.equal((await command('backup', ...args)).code, 0);
    const below = (state: string): number => readdirSync(join(state, 'members', 'stmary', 'data', 'content')).length;
    assert.deepEqual([below(copy), below(rest)], [below(stateDir), below(stateDir)]);
    await network.stop();
    rmSync(stateDir, { recursive: true });
    assert.equal((await command('restore', copy)).code, 0);
    await up();
    assert.equal(dataOf((await ask(`DiagnosticReport/${id}/_history/1`)).body), data);
    for (const backup of [copy, rest]) rmSync(backup, { recursive: true });
  });

  it('is gone with the record that is erased, and the rest stays', async () => {
    const other = String((await create({ ...patient, birthDate: '1980-01-01' })).id);
    const kept = base64(40_000);
    const { id: stays } = await create(report(other, kept));
    const before = names().length;
    const parameter = [
      { name: 'basis', valueCode: 'unlawful-processing' },
      { name: 'reason', valueString: 'entered for the wrong person' },
    ];
    for (const user of ['officer-a', 'officer-b']) {
      const officer = await network.token({ member: 'stmary', user, role: 'privacy-officer' });
      const body = { resourceType: 'Parameters', parameter };
      const answer = await network.ask('stmary', `Patient/${patientId}/$erase`, { token: officer, body });
      assert.ok([200, 202].includes(answer.status), answer.text);
    }
    await eventually(async () => {
      assert.equal((await ask(`DiagnosticReport/${id}`)).status, 404);
      // The two Binaries and the sampled data are of no patient.
      assert.equal(names().length, 4, `of ${before}`);
      return Promise.resolve();
    });
    assert.deepEqual(found(stateDir, clear(data)), []);
    assert.equal(dataOf((await ask(`DiagnosticReport/${String(stays)}`)).body), kept);
    assert.equal((await command('rebuild', '--member', 'stmary')).code, 0);
  });
});
