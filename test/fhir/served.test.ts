import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';

import { BODY_LIMIT } from '@salus/gateway/fhir/received';

import { engineName } from '../support/engine.js';
import { type Answer, type AskOptions, networkOfSuite } from '../support/network.js';
import { glucose, laboratoryForNorthside, patient } from '../story/people.js';

interface Listed {
  readonly type: string;
  readonly interaction: readonly { readonly code: string }[];
  readonly operation: readonly { readonly name: string; readonly definition: string }[];
  readonly searchParam: readonly { readonly name: string }[];
  readonly conditionalCreate: boolean;
}

/** What a running gateway serves, over HTTP. */
describe('a gateway of the consortium', () => {
  const network = networkOfSuite();
  let token: string;
  let id: string;
  const types = ['Patient', 'Observation', 'Consent', 'AuditEvent', 'ResearchStudy', 'Subscription'];

  before(async () => {
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    id = String((await ask('Patient', { body: patient })).body.id);
  });

  const ask = (path: string, options: AskOptions = {}): Promise<Answer> =>
    network.ask('stmary', path, { token, ...options });
  const codeOf = ({ text }: Answer): string | undefined =>
    text === '' ? undefined : /"system":"urn:salus:refusal","code":"([a-z-]+)"/.exec(text)?.[1];

  async function listed(type: string): Promise<Listed> {
    const [rest] = (await ask('metadata')).body['rest'] as { resource: Listed[] }[];
    return rest?.resource.find((each) => each.type === type) ?? assert.fail(`${type} is not listed`);
  }

  /** A request for each interaction, by its code. */
  const requests = (type: string): Readonly<Record<string, readonly [path: string, options: AskOptions]>> => {
    const body = { resourceType: type };
    const json = { 'content-type': 'application/json-patch+json' };
    return {
      'search-type': [`${type}?_count=1`, {}],
      create: [type, { body: { ...body, nonsense: true } }],
      read: [`${type}/none`, {}],
      vread: [`${type}/none/_history/1`, {}],
      update: [`${type}/none`, { method: 'PUT', body: { ...body, id: 'none', nonsense: true } }],
      patch: [`${type}/none`, { method: 'PATCH', body: [], headers: json }],
      delete: [`${type}/none`, { method: 'DELETE' }],
      'history-type': [`${type}/_history?_count=1`, {}],
      'history-instance': [`${type}/none/_history`, {}],
    };
  };

  for (const type of types) {
    it(`lists of ${type} what it serves in /metadata, and nothing else`, async () => {
      const { interaction, operation, conditionalCreate } = await listed(type);
      const named = interaction.map(({ code }) => code);
      for (const [code, [path, options]] of Object.entries(requests(type))) {
        const { status, text } = await ask(path, options);
        assert.equal(status !== 405, named.includes(code), `${code} of ${type}: ${status} ${text.slice(0, 200)}`);
      }
      for (const { name, definition } of operation) {
        const paths = [`${type}/$${name}`, `${type}/none/$${name}`];
        const answers = await Promise.all(paths.map((path) => ask(path, { body: { resourceType: 'Parameters' } })));
        const served = answers.some((answer) => answer.status !== 405 && codeOf(answer) !== 'unknown-type');
        const read = (await ask(paths[1] ?? '')).status !== 405;
        assert.ok(served || read, `$${name} of ${type}, ${definition}`);
      }
      const criteria = { 'if-none-exist': 'identifier=urn:none|1' };
      const created = await ask(type, { body: { resourceType: type, nonsense: true }, headers: criteria });
      if (!conditionalCreate) assert.ok(['not-supported', 'method-not-allowed'].includes(codeOf(created) ?? ''));
    });
  }

  it('lists of AuditEvent the one parameter that finds any', async () => {
    assert.deepEqual(
      (await listed('AuditEvent')).searchParam.map(({ name }) => name),
      ['patient'],
    );
  });

  it('makes no consent of a conditional request, alone or in a batch', async () => {
    const body = laboratoryForNorthside(id);
    const path = 'Consent?identifier=urn:x|1';
    const request = { method: 'PUT', url: path };
    assert.equal((await ask(path, { method: 'PUT', body })).status, 405);
    assert.equal((await ask('Consent', { body, headers: { 'if-none-exist': 'identifier=urn:x|1' } })).status, 400);
    const batch = await ask('', {
      body: { resourceType: 'Bundle', type: 'batch', entry: [{ resource: body, request }] },
    });
    assert.match(batch.body.entry?.[0]?.response?.status ?? '', /^405/);
    assert.equal((await ask(`Consent?patient=${id}&_summary=count`)).body.total, 0);
  });

  it('answers each failure with its status and an OperationOutcome', async () => {
    const gone = String((await ask('Patient', { body: patient })).body.id);
    assert.equal((await ask(`Patient/${gone}`, { method: 'DELETE' })).status, 204);
    const baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const elsewhere = String((await network.ask('northside', 'Patient', { token: baker, body: patient })).body.id);
    const old = { method: 'PUT', body: { ...patient, id }, headers: { 'if-match': 'W/"9"' } };
    const failures: readonly [status: number, path: string, options: AskOptions][] = [
      [400, 'Patient', { body: '{"resourceType":"Patient",' }],
      [404, 'Patient/none', {}],
      [409, `Patient/${elsewhere}`, { method: 'PUT', body: { ...patient, id: elsewhere } }],
      [410, `Patient/${gone}`, {}],
      [412, `Patient/${id}`, old],
      [413, 'Patient', { body: ' '.repeat(BODY_LIMIT + 1) }],
      [415, 'Patient', { body: '<Patient/>', headers: { 'content-type': 'application/fhir+xml' } }],
      [422, 'Patient', { body: { ...patient, gender: 'f' } }],
      [503, `Patient/${id}`, { headers: { 'x-min-block': '99999999' } }],
    ];
    for (const [status, path, options] of failures) {
      const answer = await ask(path, options);
      assert.equal(answer.status, status, `${path}: ${answer.text.slice(0, 200)}`);
      assert.equal(answer.body.resourceType, 'OperationOutcome', path);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/fhir\+json/);
    }
  });

  it('answers 202 while nobody knows, and tells under that address how the write ended', async () => {
    network.standStill(true);
    const headers = { 'idempotency-key': 'asked-again' };
    const unknown = await ask('Observation', { body: glucose(id, 7), headers }).finally(() => {
      network.standStill(false);
    });
    assert.equal(unknown.status, 202, unknown.text);
    const address = unknown.headers.get('content-location') ?? '';
    assert.equal(address, '/fhir/R4/$write-status/asked-again');
    let told = await ask(address);
    while (told.status === 202) {
      await sleep(250);
      told = await ask(address);
    }
    assert.equal(told.status, 200, told.text);
    const written = await ask(new URL(told.headers.get('location') ?? '').pathname);
    assert.match(written.text, /"value":7\b/);
    const again = await ask('Observation', { body: glucose(id, 7), headers });
    assert.equal(again.body.id, written.body.id);
  }).timeout(120_000);

  // The last one: nobody is there afterwards.
  it('answers what is under way before it stops, and takes nothing new', async () => {
    const own = engineName === 'fabric' ? 'gateway0.stmary' : 'gateways';
    const gateways = network.consortium.children.find(({ name }) => name === own) ?? assert.fail(`no ${own}`);
    const watching = await fetch(new URL('/ledger/events', network.fhir('stmary')));
    network.standStill(true);
    const underWay = ask('Observation', { body: glucose(id, 8) });
    await sleep(500);
    process.kill(gateways.pid, 'SIGTERM');
    await sleep(500);
    await assert.rejects(ask('metadata'));
    network.standStill(false);
    const answer = await underWay;
    assert.equal(answer.status, 201, answer.text);
    assert.equal(await gateways.ended, 'exit code 0');
    await watching.body?.cancel();
  });
}).timeout(60_000);
