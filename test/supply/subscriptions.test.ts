import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { dueAfter, readSchedule } from '@salus/gateway/supply/epcis/schedule';
import { MAX_SUBSCRIPTIONS } from '@salus/gateway/supply/epcis/subscribe';
import { MAX_DELIVERED_EVENTS } from '@salus/gateway/supply/epcis/subscriptions';

import { EpcisServer } from './epcis-server.js';
import { documentOf, objectEvent } from './events.js';

interface Delivery {
  readonly ids: readonly string[];
  readonly subscription: string;
  readonly name: string;
  readonly isSigned: boolean;
}

/** A subscriber that takes deliveries, or refuses them. */
class Subscriber {
  readonly deliveries: Delivery[] = [];
  answers = 204;
  private server: Server | undefined;

  async open(): Promise<string> {
    this.server = createServer((request, response) => {
      void text(request).then((body) => {
        const { epcisBody } = JSON.parse(body) as {
          epcisBody: { queryResults: { subscriptionID: string; resultsBody: { eventList: { eventID: string }[] } } };
        };
        const { subscriptionID, resultsBody } = epcisBody.queryResults;
        this.deliveries.push({
          ids: resultsBody.eventList.map(({ eventID }) => eventID),
          subscription: subscriptionID,
          name: String(request.headers['idempotency-key']),
          isSigned: request.headers['gs1-signature'] === createHmac('sha256', 'secret').update(body).digest('base64'),
        });
        response.writeHead(this.answers).end();
      });
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  close(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }
}

const event = (id: string, more: object = {}): Record<string, unknown> =>
  objectEvent({ eventID: `urn:uuid:${id}`, ...more });

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

describe('subscriptions to events', function () {
  this.timeout(30_000);
  let server: EpcisServer;
  let subscriber: Subscriber;
  let dest: string;
  beforeEach(async () => {
    [server, subscriber] = [await EpcisServer.start(), new Subscriber()];
    dest = await subscriber.open();
    const query = { EQ_bizStep: ['shipping'] };
    assert.equal((await server.post('/queries', { name: 'shipped', query })).status, 201);
  });
  afterEach(async () => {
    subscriber.close();
    await server.close();
  });

  const subscribe = (more: object) => server.post('/queries/shipped/subscriptions', { dest, ...more });
  const ids = (): readonly string[] => subscriber.deliveries.flatMap((each) => each.ids.map((id) => id.slice(9)));

  it('delivers each matching event once, signed, as it is captured', async () => {
    await server.capture(documentOf(event('before')));
    const made = await subscribe({ stream: true, signatureToken: 'secret' });
    const shown = made.json as { subscriptionID: string };
    assert.equal(made.status, 201);
    await server.capture(documentOf(event('1'), event('2', { bizStep: 'receiving' })));
    await server.capture(documentOf(event('3')));
    await until(() => ids().length === 2);
    assert.deepEqual(ids(), ['1', '3']);
    const { subscriptionID } = shown;
    assert.ok(subscriber.deliveries.every((each) => each.isSigned && each.subscription === subscriptionID));
    assert.deepEqual((await server.ask('/queries/shipped/subscriptions')).json, [shown]);
    const gone = await server.ask(`/queries/shipped/subscriptions/${subscriptionID}`, { method: 'DELETE' });
    assert.equal(gone.status, 204);
    assert.equal((await server.ask(`/queries/shipped/subscriptions/${subscriptionID}`)).status, 404);
  });

  it('goes on after a restart and a refusal: nothing is lost, what is sent again has the name it had', async () => {
    await server.capture(documentOf(event('1')));
    await subscribe({ stream: true, initialRecordTime: '2026-01-01T00:00:00Z' });
    subscriber.answers = 500;
    await until(() => subscriber.deliveries.length > 0);
    await server.stop();
    await server.open();
    await server.capture(documentOf(event('2')));
    subscriber.answers = 204;
    await until(() => ids().includes('2'));
    const names = new Map(subscriber.deliveries.map(({ ids: [id = ''], name }) => [id, name]));
    assert.equal(new Set(subscriber.deliveries.map(({ name }) => name)).size, names.size);
    assert.deepEqual([...new Set(ids())], ['1', '2']);
  });

  it('runs by a schedule, empty too where it is asked for', async () => {
    await subscribe({ schedule: { hour: '0', minute: '10', second: '0' }, reportIfEmpty: true });
    await server.capture(documentOf(event('1')));
    assert.equal(subscriber.deliveries.length, 0);
    server.clockMs = Date.parse('2026-03-05T00:10:00Z');
    await until(() => subscriber.deliveries.length === 1);
    assert.deepEqual(ids(), ['1']);
    server.clockMs = Date.parse('2026-03-06T00:10:00Z');
    await until(() => subscriber.deliveries.length === 2);
    const [, empty] = [...subscriber.deliveries];
    assert.deepEqual(empty?.ids, []);
  });

  it('delivers in parts what is too much for one', async () => {
    const many = Array.from({ length: MAX_DELIVERED_EVENTS }, (_, index) => event(String(index)));
    await server.capture(documentOf(...many));
    await server.capture(documentOf(event('last')));
    await subscribe({ stream: true, initialRecordTime: '2026-01-01T00:00:00Z' });
    await until(() => ids().includes('last'));
    assert.deepEqual(
      subscriber.deliveries.map((each) => each.ids.length),
      [MAX_DELIVERED_EVENTS, 1],
    );
  });

  it('is refused where it says no time, no address, or one that nobody should be sent to', async () => {
    const wrong: readonly [object, string][] = [
      [{}, 'SubscriptionControlsException'],
      [{ stream: true, schedule: { hour: '1' } }, 'SubscriptionControlsException'],
      [{ schedule: { hour: '24' } }, 'SubscriptionControlsException'],
      [{ schedule: { month: '2', dayOfMonth: '30' } }, 'SubscriptionControlsException'],
      [{ schedule: { week: '1' } }, 'SubscriptionControlsException'],
      [{ stream: true, dest: 'http://192.0.2.1/hook' }, 'InvalidURIException'],
      [{ stream: true, dest: 'ftp://example.com' }, 'InvalidURIException'],
      [{ stream: true, signatureToken: 1 }, 'SubscriptionControlsException'],
    ];
    for (const [body, exception] of wrong) {
      const refused = await subscribe(body);
      const { type } = refused.json as { type: string };
      assert.deepEqual([refused.status, type], [400, `epcisException:${exception}`]);
    }
    assert.equal((await server.post('/queries/nothing/subscriptions', { dest, stream: true })).status, 404);
    for (let index = 0; index < MAX_SUBSCRIPTIONS; index += 1) await subscribe({ stream: true });
    assert.equal((await subscribe({ stream: true })).status, 400);
    // With its query they are gone.
    assert.equal((await server.ask('/queries/shipped', { method: 'DELETE' })).status, 204);
  });
});

describe('schedules', () => {
  const after = (schedule: object, at: string): string =>
    new Date(dueAfter(readSchedule(schedule), Date.parse(at)) ?? 0).toISOString();

  it('come due at the next moment that all their fields fit', () => {
    assert.equal(after({ second: '0', minute: '0,30' }, '2026-03-05T10:00:00Z'), '2026-03-05T10:30:00.000Z');
    assert.equal(
      after({ second: 0, minute: 0, hour: '[8-9]', dayOfWeek: '1' }, '2026-03-05T10:00:00Z'),
      '2026-03-09T08:00:00.000Z',
    );
    assert.equal(
      after({ second: '5', minute: '0', hour: '0', dayOfMonth: '29', month: '2' }, '2026-03-05T10:00:00Z'),
      '2028-02-29T00:00:05.000Z',
    );
  });
});
