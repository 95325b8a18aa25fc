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

  describe('Binary', () => {
    const bytes = Buffer.from([0, 255, 128, 10, 13]);
    const send = (
      path: string,
      method: string,
      type: string,
      body: Buffer<ArrayBuffer> | string,
      more = {},
    ): Promise<Response> => ask(path, { method, body, headers: { 'content-type': type, ...more } });
    const content = async (path: string, accept?: string): Promise<[string | null, Buffer, Response]> => {
      const answer = await ask(path, accept === undefined ? {} : { headers: { accept } });
      return [answer.headers.get('content-type'), Buffer.from(await answer.arrayBuffer()), answer];
    };

    it('is taken as it is, and given as it is or as a resource', async () => {
      const created = await send('/Binary', 'POST', 'image/png', bytes, { 'x-security-context': 'Patient/1' });
      const { id, ...made } = (await created.json()) as Json;
      assert.equal(created.status, 201);
      assert.deepEqual([made.contentType, made.data], ['image/png', bytes.toString('base64')]);
      for (const accept of [undefined, '*/*', 'image/png', 'application/pdf']) {
        const [type, found, { headers }] = await content(`/Binary/${id as string}`, accept);
        assert.deepEqual([type, found], ['image/png', bytes], accept);
        assert.deepEqual([headers.get('etag'), headers.get('x-security-context')], ['W/"1"', 'Patient/1']);
        assert.match(headers.get('content-security-policy') ?? '', /^sandbox/);
      }
      assert.deepEqual((await content(`/Binary/${id as string}/_history/1`))[1], bytes);
      for (const [path, accept] of [
        [`/Binary/${id as string}`, 'application/fhir+json'],
        [`/Binary/${id as string}`, 'application/json'],
        [`/Binary/${id as string}?_format=json`, '*/*'],
      ] as const) {
        const [type, found] = await content(path, accept);
        assert.equal(type, 'application/fhir+json; charset=utf-8');
        assert.equal(JSON.parse(found.toString()).data, bytes.toString('base64'));
      }
      assert.equal((await ask(`/Binary/${id as string}`, { headers: { accept: 'application/fhir+xml' } })).status, 406);
      assert.equal((await content(`/Binary/${id as string}`, '*/*'))[2].status, 200);
      assert.equal(await (await ask(`/Binary/${id as string}`, { method: 'HEAD' })).text(), '');
    });

    it('is replaced under its id, and text of any charset or JSON is content, too', async () => {
      assert.equal((await send('/Binary/b1', 'PUT', 'text/plain; charset=iso-8859-1', Buffer.from([228]))).status, 201);
      assert.deepEqual((await content('/Binary/b1')).slice(0, 2), [
        'text/plain; charset=iso-8859-1',
        Buffer.from([228]),
      ]);
      const other = '{"resourceType":"Patient"}';
      assert.equal((await send('/Binary/b1', 'PUT', 'application/fhir+json', other)).status, 200);
      assert.equal((await content('/Binary/b1', '*/*'))[1].toString(), other);
      const resource = JSON.stringify({ resourceType: 'Binary', id: 'b1', contentType: 'text/plain', data: 'QUJD' });
      assert.equal((await send('/Binary/b1', 'PUT', 'application/fhir+json', resource)).status, 200);
      assert.equal((await content('/Binary/b1'))[1].toString(), 'ABC');
      assert.equal((await send('/Binary/b1', 'PUT', 'application/fhir+json', '{')).status, 400);
      assert.equal((await send('/Patient', 'POST', 'text/plain', 'x')).status, 415);
      for (const more of ['fhirVersion=3.0', 'charset=x-none']) {
        assert.equal((await send('/Binary/b1', 'PUT', `application/fhir+json; ${more}`, resource)).status, 415, more);
      }
      assert.equal((await send('/Binary/b1', 'PUT', 'application/fhir+json; fhirVersion=4.0', resource)).status, 200);
      const gone = await content('/Binary/none');
      assert.deepEqual([gone[2].status, gone[0]], [404, 'application/fhir+json; charset=utf-8']);
    });

    it('takes a Binary in XML for a resource, which is not served, and other XML for content', async () => {
      const xml = '<Binary xmlns="http://hl7.org/fhir"><contentType value="text/plain"/><data value="QUJD"/></Binary>';
      for (const body of [xml, `<?xml version="1.0"?>\n<!-- x -->${xml}`]) {
        for (const type of ['application/fhir+xml', 'application/xml; charset=utf-8', 'text/xml']) {
          assert.equal((await send('/Binary', 'POST', type, body)).status, 415, `${type} ${body}`);
        }
      }
      for (const body of ['<Patient xmlns="http://hl7.org/fhir"/>', '<Binary xmlns="urn:other"/>']) {
        assert.equal((await send('/Binary/x1', 'PUT', 'application/fhir+xml', body)).ok, true);
        assert.equal((await content('/Binary/x1', '*/*'))[1].toString(), body);
      }
    });

    it('is a resource where parts of it are asked for, or its content may not be seen', async () => {
      assert.equal((await send('/Binary/p1', 'PUT', 'text/plain', 'ABC')).status, 201);
      for (const [query, data] of [
        ['_summary=true', undefined],
        ['_summary=data', 'QUJD'],
        ['_elements=contentType', undefined],
      ] as const) {
        const [type, found] = await content(`/Binary/p1?${query}`, '*/*');
        assert.equal(type, 'application/fhir+json; charset=utf-8', query);
        const { resourceType, ...shown } = JSON.parse(found.toString());
        assert.deepEqual([resourceType, shown.data], ['Binary', data], query);
      }
      const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'REDACTED' }];
      const without = JSON.stringify({
        resourceType: 'Binary',
        id: 'p2',
        contentType: 'text/plain',
        meta: { security },
      });
      assert.equal((await send('/Binary/p2', 'PUT', 'application/fhir+json', without)).status, 201);
      const [type, found] = await content('/Binary/p2', '*/*');
      assert.equal(type, 'application/fhir+json; charset=utf-8');
      assert.equal(JSON.parse(found.toString()).id, 'p2');
    });
  });

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
