/** What one hospital exports, another imports, over HTTP against a running consortium. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { IMPORT_LIMITS } from '@salus/gateway/fhir/import/limits';
import { Authority } from '@salus/network/identity/authority';

import { holders } from '../support/bytes-search.js';
import { freePortBase } from '../support/free-ports.js';
import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';
import { eventually } from '../support/eventually.js';
import { scratchFolder } from '../support/scratch.js';
import type { Json } from '../support/fhir-server.js';
import { condition, glucose, optOut, patient } from '../story/people.js';
import { FileServer } from './importing.js';

const TYPES = ['Patient', 'Observation', 'Condition'];
/** Enough for parts of a file to come before and after a kill. */
const OBSERVATIONS = 6 * IMPORT_LIMITS.partLines;
/** How long a job may take, milliseconds. */
const PATIENCE_MS = 150_000;
const ndjson = { accept: 'application/fhir+ndjson' };

describe('an import at another hospital', function () {
  this.timeout(400_000);
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-import-'));
  const roots = scratchFolder();
  let files: FileServer;
  let network: TestNetwork;
  let wish: Parameters<typeof startNetwork>[0];
  const tokens: Record<string, string> = {};

  before(async () => {
    const authority = await Authority.create({ organisation: 'files', name: 'ca.files' });
    const { certificate, key } = await authority.tls({ organisation: 'files', name: 'files' }, ['127.0.0.1']);
    files = await new FileServer({ cert: certificate, key }).listen();
    const root = join(roots.path, 'files.pem');
    writeFileSync(root, authority.certificate);
    const env = { SALUS_IMPORT_ORIGINS: files.origin, NODE_EXTRA_CA_CERTS: root };
    wish = { stateDir, portBase: await freePortBase(), env };
    network = await startNetwork(wish);
    for (const member of ['stmary', 'northside']) {
      tokens[member] = await network.token({ member, user: `loader-${member}`, role: 'physician' });
    }
  });
  after(async () => {
    await network.stop();
    files.close();
    rmSync(stateDir, { recursive: true, force: true });
    roots.remove();
  });

  const ask = (member: string, path: string, more: object = {}): Promise<Answer> =>
    network.ask(member, path, { token: tokens[member]!, ...more });

  /** Path of a job's status below the FHIR base. */
  function jobOf({ status, headers, text }: Answer): string {
    assert.equal(status, 202, text);
    return (headers.get('content-location') ?? '').split('/fhir/R4/')[1] ?? '';
  }

  async function done(member: string, path: string): Promise<Json> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await ask(member, path);
      if (answer.status === 200) return answer.body;
      assert.ok(Date.now() < end, `${answer.status} ${answer.headers.get('x-progress')}`);
      await sleep(250);
    }
  }

  /** Everything of these types at a member, as ndjson by type. */
  async function exported(member: string): Promise<Map<string, string>> {
    const headers = { prefer: 'respond-async' };
    const job = jobOf(await ask(member, `$export?_type=${TYPES.join(',')}`, { headers }));
    const { output } = await done(member, job);
    const found = new Map<string, string>();
    for (const { type, url } of output as { type: string; url: string }[]) {
      const answer = await ask(member, url.split('/fhir/R4/')[1] ?? '', { headers: ndjson });
      assert.equal(answer.status, 200);
      found.set(type, answer.text);
    }
    return found;
  }

  const begin = async (member: string, source: string, urls: ReadonlyMap<string, string>): Promise<string> => {
    const input = [...urls].map(([type, url]) => ({ type, url }));
    const body = { inputFormat: 'application/fhir+ndjson', inputSource: source, input };
    const headers = { prefer: 'respond-async', 'content-type': 'application/json' };
    return jobOf(await ask(member, '$import', { body, headers }));
  };

  /** Without what each hospital says itself; patients under the names they had. */
  function bare(text: string, names: ReadonlyMap<string, string> = new Map()): unknown[] {
    const lines = text
      .trim()
      .split('\n')
      .map((line): Json => JSON.parse(line));
    const own = ['versionId', 'lastUpdated', 'source', 'extension'];
    const told = lines.map(({ meta, ...rest }) => {
      const kept = Object.entries(meta as object).filter(([name]) => !own.includes(name));
      return JSON.stringify({ meta: Object.fromEntries(kept), ...(rest as object) });
    });
    return told
      .map((text) => [...names].reduce((renamed, [now, was]) => renamed.replaceAll(now, was), text))
      .map((text) => JSON.parse(text) as { id: string })
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  it('brings what was exported, equal, and is gone on with after the gateways were killed', async () => {
    const id = String((await ask('stmary', 'Patient', { body: patient })).body.id);
    const entry = Array.from({ length: OBSERVATIONS }, (_, at) => ({
      resource: glucose(id, 80 + at / 10),
      request: { method: 'POST', url: 'Observation' },
    }));
    entry.push({ resource: condition(id), request: { method: 'POST', url: 'Condition' } });
    const posted = await ask('stmary', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    assert.equal(posted.status, 200, posted.text.slice(0, 300));
    const before = await exported('stmary');
    assert.deepEqual([...before.keys()].sort(), [...TYPES].sort());
    const urls = new Map([...before].map(([type, text]) => [type, files.put(`/${type}`, text)]));
    // The file of Observations comes in two halves; between them everything is killed.
    const whole = before.get('Observation') ?? '';
    const held = Promise.withResolvers<undefined>();
    let isHeld = true;
    files.put('/Observation', (_request, response) => {
      if (!isHeld) response.end(whole);
      else
        response.write(whole.slice(0, whole.length / 2), () => {
          held.resolve(undefined);
        });
    });
    const job = await begin('northside', 'https://stmary.example/fhir', urls);
    await held.promise;
    await eventually(async () => {
      const { headers } = await ask('northside', job);
      assert.ok(
        Number.parseInt(headers.get('x-progress') ?? '', 10) >= IMPORT_LIMITS.partLines,
        headers.get('x-progress') ?? '',
      );
    });
    await network.kill();
    isHeld = false;
    network = await startNetwork(wish);
    const manifest = await done('northside', job);
    assert.deepEqual(manifest.error, []);
    const counts = (manifest.output as Json[]).map(({ count }) => count as number);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      OBSERVATIONS + 2,
    );
    const after = await exported('northside');
    const [moved] = (after.get('Patient') ?? '')
      .trim()
      .split('\n')
      .map((line): Json => JSON.parse(line));
    // Ids are unique in the consortium: the patient's is taken.
    assert.notEqual(moved.id, id);
    assert.equal(moved.meta.extension[0].valueIdentifier.value, `Patient/${id}`);
    for (const type of TYPES) {
      const names = new Map([[moved.id as string, id]]);
      assert.deepEqual(bare(after.get(type) ?? '', names), bare(before.get(type) ?? ''), type);
      assert.ok(!(after.get(type) ?? '').includes('"versionId":"2"'), `${type}: a line was taken twice`);
    }
  });

  it('lets nobody in beyond what they may write, and says where', async () => {
    const auditor = await network.token({ member: 'northside', user: 'auditor-1', role: 'auditor' });
    const url = files.put('/none', '{"resourceType":"Patient"}');
    const body = { inputFormat: 'application/fhir+ndjson', inputSource: 'urn:x:y', input: [{ type: 'Patient', url }] };
    const headers = { prefer: 'respond-async', 'content-type': 'application/json' };
    assert.equal((await network.ask('northside', '$import', { token: auditor, body, headers })).status, 403);
    assert.equal((await network.ask('northside', '$import', { body, headers })).status, 401);
    const sent = { ...headers, 'content-type': 'application/fhir+ndjson' };
    const refused = await network.ask('northside', '$import', { token: auditor, body: 'x\n', headers: sent });
    assert.equal(refused.status, 403, refused.text);
    const narrow = await network.token({
      member: 'northside',
      user: 'app',
      role: 'physician',
      scope: 'user/Observation.cruds',
    });
    const lines = [
      { resourceType: 'Patient', id: 'narrow' },
      { ...glucose('x', 1), id: 'narrow' },
    ];
    const upload = await network.ask('northside', '$import', {
      token: narrow,
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
      headers: { prefer: 'respond-async', 'content-type': 'application/fhir+ndjson' },
    });
    tokens.northside = narrow;
    const { output, error } = await done('northside', jobOf(upload));
    assert.deepEqual([output[0].count, error[0].count], [1, 1]);
    const told = await ask('northside', (error[0].url as string).split('/fhir/R4/')[1] ?? '', { headers: ndjson });
    const { extension, issue } = JSON.parse(told.text);
    assert.deepEqual([extension[0].valuePositiveInt, issue[0].code], [1, 'forbidden']);
  });

  it('takes new versions of consents that are here, no new ones, and AuditEvents of nobody', async () => {
    tokens.northside = await network.token({ member: 'northside', user: 'loader-northside', role: 'physician' });
    const { body } = await ask('northside', 'metadata');
    const operations = (body.rest as Json[])[0].operation as { name: string }[];
    assert.ok(operations.some(({ name }) => name === 'import'));
    const id = String((await ask('northside', 'Patient', { body: patient })).body.id);
    const given = await ask('northside', 'Consent', { body: optOut(id, { type: 'deny' }) });
    assert.equal(given.status, 201, given.text);
    const consent = String(given.body.id);
    const lines = [
      { ...glucose(id, 1), id: 'before' },
      { ...optOut(id, { type: 'deny' }), id: consent, dateTime: '2026-01-12' },
      { ...optOut(id, { type: 'deny' }), id: 'unknown' },
      { resourceType: 'AuditEvent', id: 'x' },
    ];
    const upload = await ask('northside', '$import', {
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
      headers: { prefer: 'respond-async', 'content-type': 'application/fhir+ndjson' },
    });
    const { output, error } = await done('northside', jobOf(upload));
    const told = await ask('northside', (error[0].url as string).split('/fhir/R4/')[1] ?? '', { headers: ndjson });
    const problems = told.text.trim().split('\n');
    assert.deepEqual(
      problems.map((text): unknown => JSON.parse(text).extension[0].valuePositiveInt),
      [3, 4],
      told.text,
    );
    assert.deepEqual([output[0].count, error[0].count], [2, 2]);
    assert.equal((await ask('northside', `Consent/${consent}`)).body.dateTime, '2026-01-12');
  });

  it('leaves nothing of what was imported in logs, nor of the upload in clear on disk', () => {
    assert.deepEqual(holders(join(stateDir, 'log'), 'CANARYFAMILY'), []);
    const data = join(stateDir, 'members', 'northside', 'data');
    const kept = readdirSync(data).filter((name) => name.startsWith('keys.db'));
    // What was written last is in the log alone.
    assert.ok(kept.includes('keys.db-wal'), kept.join());
    for (const name of kept) assert.ok(!readFileSync(join(data, name)).includes('"narrow"'), name);
  });
});
