import { strict as assert } from 'node:assert';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { fhirExpress } from '@salus/gateway/fhir/express';
import { BODY_LIMIT } from '@salus/gateway/fhir/received';
import { Refusal } from '@salus/gateway/ledger/refusal';
import express from 'express';

import { FhirServer, physician, type Json } from '../support/fhir-server.js';
import { patient } from './resources.js';

describe('FHIR over HTTP', () => {
  let fhir: FhirServer;
  let server: Server;
  let base: string;
  before(async () => {
    fhir = new FhirServer();
    const app = express().disable('x-powered-by');
    app.use(
      '/fhir/R4',
      fhirExpress(fhir.router, (request) =>
        request.headers.authorization === 'Bearer good'
          ? Promise.resolve(physician)
          : Promise.reject(new Refusal('forbidden', 'unauthenticated', 'send a bearer token')),
      ),
    );
    await new Promise<void>((resolve) => {
      server = app.listen(0, '127.0.0.1', () => {
        resolve();
      });
    });
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir/R4`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await fhir.close();
    assert.deepEqual(fhir.faults, []);
  });
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(base + path, {
      ...init,
      headers: { authorization: 'Bearer good', ...(init.headers as Record<string, string>) },
    });
  const json = { 'content-type': 'application/fhir+json; charset=utf-8' };

  it('creates, reads, and answers HEAD without a body', async () => {
    const created = await ask('/Patient', { method: 'POST', headers: json, body: JSON.stringify(patient()) });
    assert.equal(created.status, 201);
    assert.equal(created.headers.get('content-type'), 'application/fhir+json; charset=utf-8');
    assert.equal(created.headers.get('cache-control'), 'no-store');
    const { id } = (await created.json()) as Json;
    const read = await ask(`/Patient/${id as string}?_pretty=true`);
    assert.match(await read.text(), /\n {2}"gender": "female"/);
    const head = await ask(`/Patient/${id as string}`, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('etag'), 'W/"1"');
    assert.equal(await head.text(), '');
  });

  it('keeps unicode and decimals of a body', async () => {
    const text = JSON.stringify(patient({ name: [{ family: 'Ω 漢字 🏥' }] })).replace(
      '}]',
      '}],"multipleBirthInteger":2',
    );
    const created = await ask('/Patient', { method: 'POST', headers: json, body: text });
    assert.equal(((await created.json()) as Json).name[0].family, 'Ω 漢字 🏥');
  });

  it('lets nobody in without a token, but shows what it can do', async () => {
    const refused = await ask('/Patient', { headers: { authorization: '' } });
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
    assert.equal(((await refused.json()) as Json).resourceType, 'OperationOutcome');
    const metadata = await ask('/metadata', { headers: { authorization: '' } });
    assert.equal(((await metadata.json()) as Json).fhirVersion, '4.0.1');
  });

  it('answers every failure of the transport with an OperationOutcome', async () => {
    const cases: [string, RequestInit, number][] = [
      ['/Patient', { method: 'POST', headers: json, body: ' '.repeat(BODY_LIMIT + 1) }, 413],
      ['/Patient', { method: 'POST', headers: { ...json, 'content-encoding': 'br-x' }, body: '{}' }, 415],
      [
        '/Patient',
        { method: 'POST', headers: { 'content-type': 'application/fhir+json; charset=x-none' }, body: '{}' },
        415,
      ],
      ['/Patient', { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: 'no gzip' }, 400],
      ['/Patient', { method: 'POST', body: new Uint8Array([1, 2]) }, 415],
      ['/Patient/%', {}, 400],
      ['/Patient/..%2fx', {}, 400],
      ['/Patient/1', { method: 'PATCH', headers: json, body: '[]' }, 415],
      ['/', { method: 'PUT' }, 405],
      ['/x/y/z', {}, 404],
    ];
    for (const [path, init, status] of cases) {
      const answer = await ask(path, init);
      const text = await answer.text();
      assert.equal(answer.status, status, `${path}: ${text}`);
      assert.equal(JSON.parse(text).resourceType, 'OperationOutcome', path);
    }
  });

  it('says which methods there are where one is not', async () => {
    const cases = { '/Patient/x': 'GET, PUT, DELETE, PATCH', '/metadata': 'GET, HEAD', '/Patient/_search': 'POST' };
    for (const [path, allowed] of Object.entries(cases)) {
      const refused = await ask(path, {
        method: path === '/Patient/_search' ? 'GET' : 'POST',
        headers: json,
        body: path.includes('_s') ? null : '{}',
      });
      assert.deepEqual([refused.status, refused.headers.get('allow')], [405, allowed], path);
    }
  });

  it('lets scripts of any origin ask', async () => {
    const headers = { authorization: '', 'access-control-request-headers': 'authorization,if-match' };
    const preflight = await ask('/Patient', { method: 'OPTIONS', headers });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
    assert.equal(preflight.headers.get('access-control-allow-headers'), 'authorization,if-match');
    assert.match((await ask('/metadata')).headers.get('access-control-expose-headers') ?? '', /ETag/);
  });

  it('takes a body of the largest size', async () => {
    const text = JSON.stringify(patient());
    const body = text + ' '.repeat(BODY_LIMIT - Buffer.byteLength(text));
    assert.equal((await ask('/Patient', { method: 'POST', headers: json, body })).status, 201);
  });
});
