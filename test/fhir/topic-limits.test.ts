/** What subscriptions to topics may cost at most, one beyond each limit that HTTP alone reaches too slowly. */
import { strict as assert } from 'node:assert';

import { Destinations } from '@salus/gateway/delivery/destinations';
import { Bindings } from '@salus/gateway/fhir/subscription/bindings';
import { SubscriptionDesk } from '@salus/gateway/fhir/subscription/desk';
import { SUBSCRIPTION_LIMITS } from '@salus/gateway/fhir/subscription/limits';
import { Notifying } from '@salus/gateway/fhir/subscription/notifying';
import { type Kept, SubscriptionStore } from '@salus/gateway/fhir/subscription/store';
import type { FhirRequest, FhirResponse } from '@salus/gateway/fhir/request';
import type { Actor, StoredVersion } from '@salus/gateway/ports';

import { eventually } from '../support/eventually.js';
import { BASE, type Json, physician, serverOfSuite } from '../support/fhir-server.js';
import { channelExtension, notificationOf, subscriptionTo } from './hook.js';
import { observation } from './resources.js';

const DAY_MS = 86_400_000;

describe('subscriptions to topics', function () {
  this.timeout(60_000);
  const server = serverOfSuite();
  const { projection } = server;
  let clockMs = Date.now();
  const work = new Map<string, object>();
  const store = new SubscriptionStore({
    keep: (id, value) => work.set(id, value),
    drop: (id) => work.delete(id),
    list: () => [],
  });
  const own = {
    ...{ store, projection, destinations: new Destinations(false), baseUrl: BASE },
    clock: () => clockMs,
    permit: (_actor: Actor, stored: StoredVersion) => stored,
  };
  const notifying = new Notifying({
    ...own,
    version: (type, id, version) => projection.version(type, id, version),
    read: (_actor, _what, read) => read(),
    onFault: (error) => server.faults.push(error),
  });
  const stable = { codeOf: (text: string) => text };
  const bindings = new Bindings(own.clock);
  const desk = new SubscriptionDesk({ ...own, notifying, bindings, stable, allow: () => undefined });
  const stopping = new AbortController();
  let running: Promise<void>;
  before(() => {
    running = notifying.goOn(stopping.signal);
  });
  after(async () => {
    stopping.abort();
    await running;
  });

  const asked = (user: string, body?: object): FhirRequest => ({
    ...{ method: 'POST', path: 'Subscription', query: new URLSearchParams(), actor: { ...physician, user } },
    headers: { 'content-type': 'application/fhir+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const create = (user: string, body: object): Promise<FhirResponse> =>
    desk.handler(asked(user, body), 'create', () => Promise.reject(new Error('not served')));
  const made = async (user: string, body: object): Promise<string> =>
    ((await create(user, body)).resource as { id: string }).id;
  const kept = (id: string): Kept => store.get(id) ?? assert.fail('it is not there');
  const until = (holds: () => boolean): Promise<void> =>
    eventually(() => (holds() ? Promise.resolve() : Promise.reject(new Error('not yet'))));
  const write = async (count: number, more: object = {}): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const answer = await server.ask('POST Observation', { body: observation('Patient/p', more) });
      assert.equal(answer.status, 201);
    }
  };
  const events = async (id: string): Promise<Json> =>
    notificationOf(JSON.parse(await notifying.text(kept(id), { type: 'query-event', events: kept(id).events })));

  it(`keep the newest ${SUBSCRIPTION_LIMITS.events} events of who is away, and give ${SUBSCRIPTION_LIMITS.eventsAtOnce} at once`, async () => {
    const id = await made('away', subscriptionTo({}));
    await write(SUBSCRIPTION_LIMITS.events + 1);
    await until(() => kept(id).count === SUBSCRIPTION_LIMITS.events + 1);
    assert.deepEqual([kept(id).events.length, kept(id).events[0]?.number], [SUBSCRIPTION_LIMITS.events, 2]);
    const answer = await desk.events(asked('away'), id);
    const { numbers } = notificationOf(JSON.parse(answer.resource as string));
    assert.equal(numbers.length, SUBSCRIPTION_LIMITS.eventsAtOnce);
    assert.equal(numbers[0], 2);
    store.drop(id);
  });

  it('put no more characters of resources into a notification than may be, one resource at least', async () => {
    const id = await made('long', subscriptionTo({}));
    const note = Array<object>(4).fill({ text: 'x'.repeat(SUBSCRIPTION_LIMITS.characters / 4 - 50_000) });
    await write(1, { note });
    await write(1);
    await write(1, { note });
    await until(() => kept(id).count === 3);
    assert.deepEqual((await events(id)).numbers, [1, 2]);
    store.drop(id);
  });

  it('end and are forgotten in time', async () => {
    const [now, id] = [clockMs, await made('ending', subscriptionTo({}))];
    clockMs = now + SUBSCRIPTION_LIMITS.days * DAY_MS;
    await until(() => kept(id).status === 'off');
    clockMs += SUBSCRIPTION_LIMITS.daysOver * DAY_MS + 1;
    await until(() => store.get(id) === undefined);
    clockMs = now;
  });

  it('are bound by a token for so long alone', async () => {
    const id = await made('binding', subscriptionTo({}));
    const { token, until: end } = bindings.issue([id], 'binding');
    assert.equal(end - clockMs, SUBSCRIPTION_LIMITS.bindingSeconds * 1_000);
    assert.deepEqual(bindings.find(token)?.ids, [id]);
    clockMs += SUBSCRIPTION_LIMITS.bindingSeconds * 1_000;
    assert.equal(bindings.find(token), undefined);
    store.drop(id);
  });

  it(`are at most ${SUBSCRIPTION_LIMITS.ofGateway} at a gateway`, async () => {
    const extension = [channelExtension('timeout', { valueUnsignedInt: SUBSCRIPTION_LIMITS.timeoutSeconds })];
    for (let at = 0; at < SUBSCRIPTION_LIMITS.ofGateway; at++) {
      await create(
        `u-${at % (SUBSCRIPTION_LIMITS.ofGateway / SUBSCRIPTION_LIMITS.ofOneUser)}`,
        subscriptionTo({ extension }),
      );
    }
    await assert.rejects(create('one-more', subscriptionTo({})), { code: 'too-many-requests' });
    for (const { id } of store.all()) store.drop(id);
  });
});
