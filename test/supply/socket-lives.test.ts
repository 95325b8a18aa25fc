import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_SOCKETS, MAX_USER_SOCKETS } from '@salus/gateway/supply/epcis/sockets';
import { MAX_SUBSCRIPTIONS } from '@salus/gateway/supply/epcis/subscribe';
import { AWAY_MS } from '@salus/gateway/supply/epcis/subscriptions';
import type { ClientOptions } from 'ws';

import { EpcisServer } from './epcis-server.js';
import { documentOf, objectEvent } from './events.js';
import { Listener } from './listener.js';

const event = (id: string): Record<string, unknown> => objectEvent({ eventID: `urn:uuid:${id}` });
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

describe('websockets of subscribers', function () {
  this.timeout(60_000);
  let server: EpcisServer;
  beforeEach(async () => {
    server = await EpcisServer.start();
    await name('shipped');
  });
  afterEach(async () => {
    await server.close();
  });

  const name = async (query: string): Promise<void> => {
    assert.equal((await server.post('/queries', { name: query, query: { EQ_bizStep: ['shipping'] } })).status, 201);
  };
  const listen = (search = 'stream=true', query = 'shipped', options?: ClientOptions): Promise<Listener> =>
    Listener.open(server.socketUrl(`/queries/${query}/events?${search}`), options);
  const again = (one: Listener): Promise<Listener> => listen(`subscriptionID=${one.location.split('/').at(-1) ?? ''}`);
  const kept = async (): Promise<number> =>
    ((await server.ask('/queries/shipped/subscriptions')).json as readonly unknown[]).length;
  const url = (): string => server.socketUrl('/queries/shipped/events?stream=true').replace('ws:', 'http:');
  const HEADERS = { authorization: 'Bearer good', connection: 'Upgrade', upgrade: 'websocket' };
  const answered = async (options: RequestOptions): Promise<IncomingMessage> => {
    const [response] = (await once(request(url(), options).end(), 'response')) as [IncomingMessage];
    response.resume();
    return response;
  };

  it('leave nothing behind where the handshake is broken: no subscription, no address for the next one', async () => {
    const good = { 'sec-websocket-key': KEY, 'sec-websocket-version': '13' };
    const broken = [{ 'sec-websocket-key': 'x' }, { 'sec-websocket-version': '7' }, { 'sec-websocket-protocol': ',' }];
    for (const each of [
      ...broken,
      ...Array.from({ length: MAX_SUBSCRIPTIONS }, () => ({ 'sec-websocket-key': 'x' })),
    ]) {
      assert.equal((await answered({ headers: { ...HEADERS, ...good, ...each } })).statusCode, 400);
    }
    assert.equal((await answered({ method: 'POST', headers: { ...HEADERS, ...good } })).statusCode, 405);
    assert.equal(await kept(), 0);
    const sent = request(url(), { headers: { ...HEADERS, ...good } }).end();
    const [{ rawHeaders }, socket] = (await once(sent, 'upgrade')) as [IncomingMessage, { destroy(): void }];
    assert.equal(rawHeaders.filter((each) => each.toLowerCase() === 'location').length, 1);
    socket.destroy();
  });

  it('leave nothing behind where the subscriber hung up before the answer', async () => {
    const { port, pathname, search } = new URL(url());
    const gate = Promise.withResolvers<undefined>();
    server.asked = gate.promise;
    const socket = connect(Number(port), '127.0.0.1');
    const lines = Object.entries({ ...HEADERS, host: 'x', 'sec-websocket-key': KEY, 'sec-websocket-version': '13' });
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`,
    );
    await sleep(100);
    socket.destroy();
    await sleep(100);
    gate.resolve(undefined);
    const next = await listen();
    assert.deepEqual([await kept(), (await server.ask(next.location)).status], [1, 200]);
  });

  it('are come back to within a day after a kill of the gateway, however long they were open before', async () => {
    const listener = await listen();
    server.clockMs += AWAY_MS + 3_600_000;
    await server.kill();
    await server.open();
    await sleep(1_200);
    await server.capture(documentOf(event('1')));
    const back = await again(listener);
    await back.until(1);
    await server.kill();
    await server.open();
    await sleep(1_200);
    assert.equal(await kept(), 1);
    server.clockMs += AWAY_MS + 60_000;
    while ((await kept()) > 0) await sleep(20);
  });

  it('are one for each subscription: who goes on over another one is heard no more over the first', async () => {
    const first = await listen();
    const second = await again(first);
    assert.equal(await first.closed, 4_409);
    await server.capture(documentOf(event('1')));
    await second.until(1);
    assert.deepEqual([first.ids, second.ids, await kept()], [[], ['1'], 1]);
  });

  it('are closed where their subscription is deleted, or the query of it', async () => {
    const [first, second] = [await listen(), await listen()];
    assert.equal((await server.ask(first.location, { method: 'DELETE' })).status, 204);
    assert.equal(await first.closed, 1_000);
    assert.equal(second.socket.readyState, second.socket.OPEN);
    assert.equal((await server.ask('/queries/shipped', { method: 'DELETE' })).status, 204);
    assert.equal(await second.closed, 1_000);
  });

  it('are closed as a fault of the gateway, not as a refusal, where it cannot be said who asks', async () => {
    const listener = await listen('stream=true', 'shipped', { headers: { authorization: 'Bearer other' } });
    server.unclear.add('Bearer other');
    await server.capture(documentOf(event('1')));
    assert.equal(await listener.closed, 1_011);
    assert.deepEqual([listener.ids, server.faults.length], [[], 1]);
    await (await again(listener)).until(1);
  });

  it(`are at most ${MAX_USER_SOCKETS} of one user, and ${MAX_SOCKETS} of all`, async () => {
    const queries = Array.from({ length: MAX_SOCKETS / MAX_SUBSCRIPTIONS + 1 }, (_, index) => `query-${index}`);
    for (const each of queries) await name(each);
    const open = async (count: number): Promise<void> => {
      for (let made = 0; made < count; made += MAX_SUBSCRIPTIONS) {
        const query = queries.shift();
        await Promise.all(Array.from({ length: MAX_SUBSCRIPTIONS }, () => listen('stream=true', query)));
      }
    };
    for (let all = 0; all < MAX_SOCKETS; all += MAX_USER_SOCKETS) {
      server.user = `u-${all}`;
      await open(MAX_USER_SOCKETS);
      await assert.rejects(listen(), /503/);
    }
    server.user = 'one more';
    await assert.rejects(listen(), /503/);
    assert.equal(await kept(), 0);
  });
});
