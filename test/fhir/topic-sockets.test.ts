/** Subscriptions to topics by websocket, and what is refused of any, over HTTP against a running consortium. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_SOCKET_BYTES } from '@salus/gateway/delivery/sockets';
import { SUBSCRIPTION_LIMITS } from '@salus/gateway/fhir/subscription/limits';
import { WebSocket } from 'ws';

import { eventually } from '../support/eventually.js';
import type { Json } from '../support/fhir-server.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { glucose, patient } from '../story/people.js';
import { channelExtension, type Notification, notificationOf, subscriptionTo, type SubscriptionWish } from './hook.js';

/** A subscriber at the other end of a websocket. */
class Listener {
  readonly heard: Notification[] = [];
  readonly closed: Promise<number>;

  private constructor(readonly socket: WebSocket) {
    this.closed = once(socket, 'close').then(([code]) => code as number);
    socket.on('message', (data: Buffer) => this.heard.push(notificationOf(JSON.parse(data.toString('utf8')))));
  }

  static async open(url: string): Promise<Listener> {
    const made = new Listener(new WebSocket(url));
    await once(made.socket, 'open');
    return made;
  }

  get numbers(): readonly number[] {
    return this.heard.flatMap(({ numbers }) => numbers);
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await sleep(20);
  }
}

describe('a subscription by websocket', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  const token: Record<string, string> = {};
  let ann = '';
  before(async () => {
    for (const user of ['doctor', 'second']) {
      token[user] = await network.token({ member: 'stmary', user, role: 'physician' });
    }
    ann = await idOf(patient);
  });

  const ask = (path: string, more: object = {}, user = 'doctor'): Promise<Answer> =>
    network.ask('stmary', path, { token: token[user]!, ...more });

  async function idOf(body: object, user = 'doctor'): Promise<string> {
    const { status, body: made, text } = await ask((body as Json).resourceType as string, { body }, user);
    assert.equal(status, 201, text);
    return made.id ?? '';
  }

  async function bindingOf(path: string): Promise<{ url: string; token: string; ids: readonly string[] }> {
    const { status, body, text } = await ask(`${path}$get-ws-binding-token`);
    assert.equal(status, 200, text);
    const all = body.parameter as Json[];
    const value = (name: string): Json => all.find((each) => each.name === name);
    assert.ok(Date.parse(value('expiration').valueDateTime as string) > Date.now());
    const ids = all.filter(({ name }) => name === 'subscription').map((each) => each.valueString as string);
    return { url: value('websocket-url').valueUrl as string, token: value('token').valueString as string, ids };
  }

  const bound = async (id: string): Promise<Listener> => {
    const binding = await bindingOf(`Subscription/${id}/`);
    const listener = await Listener.open(binding.url);
    listener.socket.send(`bind-with-token: ${binding.token}`);
    return listener;
  };

  it('hears the handshake, each event once, and what it missed under the number it had', async () => {
    const id = await idOf(subscriptionTo({ filters: [`patient=${ann}`], content: 'full-resource' }));
    assert.equal((await ask(`Subscription/${id}`)).body.status, 'active');
    await idOf(glucose(ann, 1));
    const first = await bound(id);
    await first.until(() => first.numbers.length === 1);
    assert.deepEqual(
      first.heard.map(({ type }) => type),
      ['handshake', 'event-notification'],
    );
    await idOf(glucose(ann, 2));
    await first.until(() => first.numbers.length === 2);
    first.socket.close(1_000);
    await first.closed;
    await idOf(glucose(ann, 3));
    const second = await bound(id);
    await second.until(() => second.numbers.length === 1);
    assert.deepEqual([first.numbers, second.numbers], [[1, 2], [3]]);
    assert.equal(second.heard.at(-1)?.resources[0]?.valueQuantity.value, 3);
    second.socket.close(1_000);
    // A token that may see less sees less, and opens no websocket.
    const scope = 'user/Subscription.cruds user/Patient.rs';
    const narrow = await network.token({ member: 'stmary', user: 'doctor', role: 'physician', scope });
    const seen = notificationOf((await ask(`Subscription/${id}/$events`, { token: narrow })).body);
    assert.deepEqual([seen.numbers, seen.focuses, seen.resources], [[1, 2, 3], ['', '', ''], []]);
    assert.equal((await ask(`Subscription/${id}/$get-ws-binding-token`, { token: narrow })).status, 403);
    await ask(`Subscription/${id}`, { method: 'DELETE' });
  });

  it('is bound to all that the token names, by a good token alone, and says little', async () => {
    const ids = [await idOf(subscriptionTo({})), await idOf(subscriptionTo({ type: 'Condition' }))];
    const binding = await bindingOf('Subscription/');
    assert.deepEqual([...binding.ids].sort(), ids.sort());
    assert.match(binding.url, /^ws:\/\/.*\/fhir\/R4\/\$notifications$/);
    const both = await Listener.open(binding.url);
    both.socket.send(`bind-with-token: ${binding.token}`);
    await both.until(() => both.heard.length === 2);
    const [wrong, long] = [await Listener.open(binding.url), await Listener.open(binding.url)];
    wrong.socket.send(`bind-with-token: ${'A'.repeat(43)}`);
    long.socket.send('x'.repeat(MAX_SOCKET_BYTES + 1));
    assert.deepEqual([await wrong.closed, await long.closed], [1_008, 1_009]);
    assert.equal((await ask(`Subscription/${ids[0] ?? ''}/$get-ws-binding-token`, {}, 'second')).status, 404);
    both.socket.close(1_000);
    for (const id of ids) await ask(`Subscription/${id}`, { method: 'DELETE' });
  });

  it(`is waited for ${SUBSCRIPTION_LIMITS.unboundSeconds} s, and there are at most ${SUBSCRIPTION_LIMITS.sockets}`, async () => {
    const url = network.fhir('stmary').replace('http', 'ws') + '/$notifications';
    const all = await Promise.all(Array.from({ length: SUBSCRIPTION_LIMITS.sockets }, () => Listener.open(url)));
    const more = await Listener.open(url);
    assert.equal(await more.closed, 1_013);
    assert.deepEqual([...new Set(await Promise.all(all.map(({ closed }) => closed)))], [1_008]);
  });

  const refusals: readonly [string, SubscriptionWish, string][] = [
    ['a topic that is not served', { type: 'Binary' }, 'criteria'],
    ['a search as criteria', { more: { criteria: 'Observation?code=1' } }, 'criteria'],
    ['a filter by a parameter that is none', { filters: ['colour=red'] }, 'criteria'],
    ['a filter by a date', { filters: ['date=gt2020'] }, 'criteria'],
    ['a modifier', { filters: ['code:not=1'] }, 'criteria'],
    ['a filter without a value', { filters: ['code='] }, 'criteria'],
    [
      'values of a filter beyond the limit',
      { filters: [`code=${Array.from({ length: SUBSCRIPTION_LIMITS.valuesPerFilter + 1 }, (_, at) => at).join(',')}`] },
      'criteria',
    ],
    ['filters beyond the limit', { filters: Array(SUBSCRIPTION_LIMITS.filters + 1).fill('status=final') }, 'criteria'],
    ['email', { channel: { type: 'email' } }, 'channel.type'],
    ['another payload', { channel: { payload: 'application/fhir+xml' } }, 'channel.payload'],
    ['another version', { channel: { payload: 'application/fhir+json; fhirVersion=4.3' } }, 'channel.payload'],
    ['no content', { channel: { _payload: undefined } }, 'channel.payload'],
    ['another content', { content: 'most' }, 'channel.payload'],
    ['plain HTTP elsewhere', { endpoint: 'http://a.example/' }, 'channel.endpoint'],
    ['a private address', { endpoint: 'https://169.254.169.254/' }, 'channel.endpoint'],
    ['a user in the address', { endpoint: 'https://me:you@a.example/' }, 'channel.endpoint'],
    ['no endpoint', { channel: { type: 'rest-hook' } }, 'channel.endpoint'],
    ['a header of the connection', { channel: { header: ['Host: a'] } }, 'channel.header'],
    ['a header that breaks the line', { channel: { header: ['X-A: b\r\nX-C: d'] } }, 'channel.header'],
    [
      'headers beyond the limit',
      { channel: { header: Array.from({ length: SUBSCRIPTION_LIMITS.headers + 1 }, (_, at) => `X-${at}: 1`) } },
      'channel.header',
    ],
    [
      'a long header',
      { channel: { header: [`X-A: ${'b'.repeat(SUBSCRIPTION_LIMITS.headerCharacters)}`] } },
      'channel.header',
    ],
    ['a new one in error', { more: { status: 'error' } }, 'status'],
    ['an end that is over', { more: { end: '2020-01-01T00:00:00Z' } }, 'end'],
    [
      'an end beyond the limit',
      { more: { end: new Date(Date.now() + (SUBSCRIPTION_LIMITS.days * 86_400 + 60) * 1_000).toISOString() } },
      'end',
    ],
    ...[
      ['heartbeat-period', { valueUnsignedInt: SUBSCRIPTION_LIMITS.heartbeatSeconds - 1 }] as const,
      ['timeout', { valueUnsignedInt: SUBSCRIPTION_LIMITS.timeoutSeconds + 1 }] as const,
      ['max-count', { valuePositiveInt: SUBSCRIPTION_LIMITS.eventsAtOnce + 1 }] as const,
    ].map(([name, value]): [string, SubscriptionWish, string] => [
      `${name} beyond the limit`,
      { extension: [channelExtension(name, value)] },
      'channel',
    ]),
  ];
  for (const [what, wish, element] of refusals) {
    it(`is refused for ${what}`, async () => {
      const { status, body } = await ask('Subscription', { body: subscriptionTo(wish) });
      const [issue] = body.issue as readonly { expression: readonly string[] }[];
      assert.deepEqual([status, issue?.expression[0]], [422, `Subscription.${element}`], JSON.stringify(body));
    });
  }

  it('is refused in a transaction, and as a whole alone is it changed', async () => {
    const id = await idOf(subscriptionTo({}));
    const entry = [{ resource: subscriptionTo({}), request: { method: 'POST', url: 'Subscription' } }];
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
    assert.equal((await ask('', { body: bundle })).status, 422);
    assert.equal((await ask('', { body: { ...bundle, type: 'batch' } })).body.entry?.[0]?.response?.status, '201');
    const headers = { 'content-type': 'application/json-patch+json' };
    for (const [path, more] of [
      [`Subscription/${id}`, { method: 'PATCH', body: '[]', headers }],
      [`Subscription/${id}/_history`, {}],
      ['Subscription?status=active', { method: 'DELETE' }],
    ] as const) {
      assert.equal((await ask(path, more)).status, 405, path);
    }
    assert.equal((await ask('Subscription?contact=1')).status, 400);
    assert.equal((await ask(`Subscription/${id}/$events?eventsSinceNumber=x`)).status, 400);
    const narrow = await network.token({
      member: 'stmary',
      user: 'narrow',
      role: 'physician',
      scope: 'user/Subscription.cruds',
    });
    assert.equal((await ask('Subscription', { body: subscriptionTo({}), token: narrow })).status, 403);
  });

  it('is made once by one Idempotency-Key', async () => {
    const made = await Promise.all(
      [1, 2].map(() =>
        ask('Subscription', { body: subscriptionTo({}), headers: { 'idempotency-key': 'one' } }, 'second'),
      ),
    );
    assert.deepEqual(
      made.map(({ status }) => status),
      [201, 201],
    );
    assert.equal(made[0]?.body.id, made[1]?.body.id);
    assert.equal((await ask('Subscription', {}, 'second')).body.total, 1);
  });

  it(`is one of at most ${SUBSCRIPTION_LIMITS.ofOneUser} of a user`, async () => {
    const has = (await ask('Subscription')).body.total ?? 0;
    for (let count = has; count < SUBSCRIPTION_LIMITS.ofOneUser; count++) await idOf(subscriptionTo({}));
    assert.equal((await ask('Subscription', { body: subscriptionTo({}) })).status, 429);
    await eventually(async () => {
      assert.equal((await ask('Subscription?_count=0')).body.total, 20);
    });
  });

  it('has its topics, profile and operations in the CapabilityStatement', async () => {
    const { rest } = (await ask('metadata')).body as Json;
    const own = (rest[0].resource as Json[]).find(({ type }) => type === 'Subscription');
    assert.ok(
      (own.extension as Json[]).some((each) => each.valueCanonical === 'urn:salus:subscription-topic:Observation'),
    );
    assert.match(own.supportedProfile[0] as string, /backport-subscription$/);
    const operations = (own.operation as Json[]).map(({ name }) => name as string);
    for (const name of ['status', 'events', 'get-ws-binding-token']) assert.ok(operations.includes(name), name);
    assert.deepEqual((own.interaction as Json[]).map(({ code }) => code as string).sort(), [
      ...['create', 'delete', 'read', 'search-type', 'update'],
    ]);
  });
});
