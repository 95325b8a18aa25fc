import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Destinations, isPrivate } from '@salus/gateway/delivery/destinations';
import { post } from '@salus/gateway/delivery/post';

const found = (destinations: Destinations, address: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname } = new URL(address);
    destinations.lookup(address)(hostname, {}, (error, host) => {
      if (error === null) resolve(host as string);
      else reject(error);
    });
  });

describe('where subscribers may be told', () => {
  it('is https to the public internet, and plain HTTP on this machine only while it is no production', () => {
    const [near, production] = [new Destinations(false), new Destinations(true)];
    for (const each of [near, production])
      assert.equal(each.allowed('https://a.example/hook'), 'https://a.example/hook');
    assert.equal(near.allowed('http://127.0.0.1:81/hook'), 'http://127.0.0.1:81/hook');
    assert.equal(production.allowed('http://127.0.0.1:81/hook'), undefined);
    const never = [
      ...['http://a.example/', 'ftp://a.example/', 'https://me:secret@a.example/', 'a.example', '', 1, null],
      ...['https://localhost/', 'https://127.1/', 'https://10.0.0.1/', 'https://172.31.9.9/', 'https://192.168.1.1/'],
      ...[
        'https://169.254.169.254/latest',
        'https://0x7f000001/',
        'https://[::1]/',
        'https://[fd00::1]/',
        'https://[fe80::1]/',
      ],
      ...['https://[::ffff:10.0.0.1]/', 'https://100.64.0.1/', 'https://224.0.0.1/', 'https://0.0.0.0/'],
    ];
    for (const address of never) assert.equal(near.allowed(address), undefined, String(address));
    assert.equal(isPrivate('::ffff:127.0.0.1'), true);
    assert.equal(isPrivate('::ffff:8.8.8.8'), false);
    assert.equal(isPrivate('2001:4860:4860::8888'), false);
  });

  it('is what the operator named alone, where something is named, private or not', () => {
    const named = new Destinations(true, ['https://10.0.0.1:8443']);
    assert.equal(named.allowed('https://10.0.0.1:8443/hook'), 'https://10.0.0.1:8443/hook');
    for (const other of ['https://10.0.0.1/hook', 'https://a.example/hook', 'http://127.0.0.1/']) {
      assert.equal(named.allowed(other), undefined, other);
    }
  });

  it('is looked at again for each connection: a name that leads to a private address is not followed', async () => {
    await assert.rejects(
      found(new Destinations(true), 'https://localhost./hook'),
      /public internet|ENOTFOUND|EAI_AGAIN/,
    );
    await assert.rejects(found(new Destinations(true), 'https://127.0.0.1/hook'), /public internet/);
    assert.equal(await found(new Destinations(true, ['https://127.0.0.1']), 'https://127.0.0.1/hook'), '127.0.0.1');
  });
});

describe('a delivery by POST', () => {
  let server: Server;
  let origin: string;
  let status = 200;
  const asked: string[] = [];
  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (status > 0) response.writeHead(status, { location: `${origin}/elsewhere` }).end('taken');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const sent = (destinations = new Destinations(false), timeoutMs = 5_000): Promise<boolean> =>
    post(destinations, `${origin}/hook`, { headers: {}, text: '{}', timeoutMs });

  it('is taken by 2xx alone: no redirect is followed, nobody is waited for longer than said', async () => {
    for (const [answered, taken] of [
      [200, true],
      [204, true],
      [302, false],
      [410, false],
      [500, false],
    ] as const) {
      status = answered;
      assert.equal(await sent(), taken, String(answered));
    }
    status = 0;
    assert.equal(await sent(undefined, 200), false);
    assert.equal(asked.includes('/elsewhere'), false);
  });

  it('is not sent where it may not go', async () => {
    const before = asked.length;
    assert.equal(await sent(new Destinations(true)), false);
    assert.equal(asked.length, before);
  });
});
