import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_SOCKET_BYTES } from '@salus/gateway/delivery/sockets';
import { MAX_SUBSCRIPTIONS } from '@salus/gateway/supply/epcis/subscribe';
import { AWAY_MS } from '@salus/gateway/supply/epcis/subscriptions';
import type { ClientOptions } from 'ws';

import { EpcisServer } from './epcis-server.js';
import { documentOf, objectEvent } from './events.js';
import { Listener } from './listener.js';

const event = (id: string, more: object = {}): Record<string, unknown> =>
  objectEvent({ eventID: `urn:uuid:${id}`, ...more });

describe('subscriptions by websocket', function () {
  this.timeout(60_000);
  let server: EpcisServer;
  beforeEach(async () => {
    server = await EpcisServer.start();
    const query = { EQ_bizStep: ['shipping'] };
    assert.equal((await server.post('/queries', { name: 'shipped', query })).status, 201);
  });
  afterEach(async () => {
    await server.close();
  });

  const listen = (search: string, options?: ClientOptions): Promise<Listener> =>
    Listener.open(server.socketUrl(`/queries/shipped/events?${search}`), options);
  const again = (one: Listener): Promise<Listener> => listen(`subscriptionID=${one.location.split('/').at(-1) ?? ''}`);
  const kept = async (): Promise<number> =>
    ((await server.ask('/queries/shipped/subscriptions')).json as readonly unknown[]).length;

  it('hear each matching event once as it is captured, and are over once the subscriber says goodbye', async () => {
    await server.capture(documentOf(event('before')));
    const listener = await listen('stream=true');
    await server.capture(documentOf(event('1'), event('2', { bizStep: 'receiving' })));
    await server.capture(documentOf(event('3')));
    await listener.until(2);
    assert.deepEqual(listener.ids, ['1', '3']);
    const [{ subscriptionID } = { subscriptionID: '' }] = listener.heard;
    assert.equal(listener.location, `/epcis/queries/shipped/subscriptions/${subscriptionID}`);
    assert.equal((await server.ask(listener.location)).status, 200);
    listener.socket.close(1_000);
    await listener.closed;
    while ((await kept()) > 0) await sleep(20);
    await assert.rejects(again(listener), /404/);
  });

  it('go on after a restart of the gateway where they were: nothing is lost, nothing heard twice', async () => {
    const listener = await listen('stream=true');
    await server.capture(documentOf(event('1')));
    await listener.until(1);
    // The ping behind it is answered by now.
    await server.capture(documentOf(event('2')));
    await listener.until(2);
    await server.stop();
    assert.equal(await listener.closed, 1_001);
    await server.open();
    await server.capture(documentOf(event('3')));
    const back = await again(listener);
    await server.capture(documentOf(event('4')));
    await back.until(2);
    assert.deepEqual(
      [listener.ids, back.ids],
      [
        ['1', '2'],
        ['3', '4'],
      ],
    );
    assert.equal(await kept(), 1);
  });

  it('give what no ping behind it was answered once more, the same, to whoever comes back', async () => {
    const deaf = await listen('stream=true', { autoPong: false });
    await server.capture(documentOf(event('1')));
    await deaf.until(1);
    await server.capture(documentOf(event('2')));
    deaf.socket.terminate();
    await deaf.closed;
    const back = await again(deaf);
    await back.until(2);
    assert.deepEqual(
      back.heard.map(({ ids }) => ids),
      [['1'], ['2']],
    );
  });

  it('run by a schedule, empty too where it is asked for', async () => {
    const listener = await listen('hour=0&minute=10&second=0&reportIfEmpty=true');
    await server.capture(documentOf(event('1')));
    assert.deepEqual(listener.heard, []);
    server.clockMs = Date.parse('2026-03-05T00:10:00Z');
    await listener.until(1);
    server.clockMs = Date.parse('2026-03-06T00:10:00Z');
    while (listener.heard.length < 2) await sleep(20);
    assert.deepEqual(
      listener.heard.map(({ ids }) => ids),
      [['1'], []],
    );
  });

  it('are kept for a day for whoever went, and for nobody else', async () => {
    const listener = await listen('stream=true');
    listener.socket.terminate();
    await listener.closed;
    server.user = 'u-2';
    await assert.rejects(again(listener), /404/);
    server.user = 'u-1';
    const back = await again(listener);
    back.socket.terminate();
    await back.closed;
    await sleep(100);
    assert.equal(await kept(), 1);
    server.clockMs += AWAY_MS + 60_000;
    while ((await kept()) > 0) await sleep(20);
  });

  it('end when the token is no longer good, and when the subscriber says more than it may', async () => {
    const listener = await listen('stream=true', { headers: { authorization: 'Bearer other' } });
    server.tokens.delete('Bearer other');
    await server.capture(documentOf(event('1')));
    assert.equal(await listener.closed, 1_008);
    assert.deepEqual(listener.heard, []);
    const loud = await listen('stream=true');
    loud.socket.send('x'.repeat(MAX_SOCKET_BYTES));
    loud.socket.send('x'.repeat(MAX_SOCKET_BYTES + 1));
    assert.equal(await loud.closed, 1_009);
  });

  it('are refused with a problem where they may not be, or say no time', async () => {
    const refused = async (status: number, path: string, options?: ClientOptions): Promise<void> => {
      await assert.rejects(Listener.open(server.socketUrl(path), options), new RegExp(`${status}`), path);
    };
    const path = '/queries/shipped/events?stream=true';
    await refused(401, path, { headers: {} });
    await refused(404, '/queries/nothing/events?stream=true');
    await refused(404, '/queries/%zz/events?stream=true');
    await refused(400, '/queries/shipped/events');
    await refused(400, '/queries/shipped/events?stream=true&hour=1');
    await refused(400, '/queries/shipped/events?hour=24');
    await refused(400, '/queries/shipped/events?week=1');
    await refused(400, `${path}&initialRecordTime=yesterday`);
    await refused(404, `/queries/shipped/events?subscriptionID=x`);
    server.role = 'regulator';
    await refused(403, path);
    server.role = 'supply-operator';
    const open = await Promise.all(Array.from({ length: MAX_SUBSCRIPTIONS }, () => listen('stream=true')));
    await refused(400, path);
    for (const each of open) each.socket.terminate();
  });

  it('leave upgrades to anything else alone: they are answered as requests', async () => {
    const url = server.socketUrl('/events').replace('ws:', 'http:');
    const headers = { authorization: 'Bearer good', connection: 'Upgrade', upgrade: 'h2c' };
    const sent = request(url, { headers }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    assert.match(await text(response), /EPCISQueryDocument/);
  });
});
