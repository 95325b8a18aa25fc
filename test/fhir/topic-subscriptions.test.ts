/** Subscriptions to topics by rest-hook, over HTTP against a running consortium. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePortBase } from '../support/free-ports.js';
import { eventually } from '../support/eventually.js';
import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';
import { closedTo, condition, glucose, heartRate, patient } from '../story/people.js';
import { channelExtension, Hook, notificationOf, subscriptionTo } from './hook.js';

describe('a subscription by rest-hook', function () {
  this.timeout(300_000);
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-topics-'));
  const hooks: Hook[] = [];
  let wish: Parameters<typeof startNetwork>[0];
  let network: TestNetwork;
  const token: Record<string, string> = {};
  let ann = '';
  let other = '';

  before(async () => {
    wish = { stateDir, portBase: await freePortBase() };
    network = await startNetwork(wish);
    for (const [user, role] of [
      ['doctor', 'physician'],
      ['nurse', 'nurse'],
      ['officer', 'privacy-officer'],
    ] as const) {
      token[user] = await network.token({ member: 'stmary', user, role });
    }
    [ann, other] = [await idOf(patient), await idOf(patient)];
  });
  after(async () => {
    await network.stop();
    for (const hook of hooks) hook.close();
    rmSync(stateDir, { recursive: true, force: true });
  });

  const ask = (path: string, more: object = {}, user = 'doctor'): Promise<Answer> =>
    network.ask('stmary', path, { token: token[user]!, ...more });
  const send = (body: object): Promise<Answer> => ask((body as { resourceType: string }).resourceType, { body });

  async function idOf(body: object): Promise<string> {
    const { status, body: made, text } = await send(body);
    assert.equal(status, 201, text);
    return made.id ?? '';
  }

  async function hooked(more: object = {}, hook = new Hook()): Promise<{ id: string; hook: Hook; path: string }> {
    const endpoint = await hook.listen();
    hooks.push(hook);
    const id = await idOf(subscriptionTo({ endpoint, filters: [`patient=Patient/${ann}`], ...more }));
    return { id, hook, path: `Subscription/${id}` };
  }

  const active = (path: string, status = 'active'): Promise<void> =>
    eventually(async () => {
      assert.equal((await ask(path)).body.status, status);
    });
  const told = (hook: Hook, count: number): Promise<void> =>
    eventually(() =>
      Promise.resolve().then(() => {
        assert.equal(hook.numbers.length, count);
      }),
    );

  it('is shaken hands on, told of what it is about as numbered events, and of nothing else', async () => {
    const { id, hook, path } = await hooked({ filters: [`Observation?patient=${ann}&code=http://loinc.org|2339-0`] });
    await active(path);
    assert.deepEqual(
      hook.taken.map(({ type, status, total }) => [type, status, total]),
      [['handshake', 'requested', 0]],
    );
    const observation = await idOf(glucose(ann, 90));
    for (const body of [glucose(other, 91), heartRate(ann), condition(ann)]) await idOf(body);
    const changed = { ...glucose(ann, 92), id: observation };
    assert.equal((await ask(`Observation/${observation}`, { method: 'PUT', body: changed })).status, 200);
    await told(hook, 2);
    assert.deepEqual(hook.numbers, [1, 2]);
    const [first, second] = hook.of('event-notification').flatMap(({ resources }) => resources);
    assert.deepEqual([first?.valueQuantity.value, first?.meta.versionId], [90, '1']);
    assert.deepEqual([second?.valueQuantity.value, second?.meta.versionId], [92, '2']);
    const [{ bundle, focuses, total } = { bundle: {}, focuses: [], total: 0 }] = hook.of('event-notification');
    assert.equal(bundle.type, 'history');
    assert.match(String(focuses[0]), new RegExp(`/fhir/R4/Observation/${observation}$`));
    assert.ok(total >= 1);
    assert.equal(bundle.entry[0].request.url, `${network.fhir('stmary')}/Subscription/${id}/$status`);
    // The patient's list says who was told.
    await eventually(async () => {
      const { text } = await ask(`AuditEvent?patient=${ann}&_count=500`, {}, 'officer');
      assert.ok(text.includes(`GET Subscription/${id}/$events`));
      assert.ok(text.includes('stmary/doctor'));
    });
    assert.equal((await ask(path, { method: 'DELETE' })).status, 204);
    await idOf(glucose(ann, 93));
    assert.equal((await ask(path)).status, 404);
    assert.equal(hook.numbers.length, 2);
  });

  it('has as much of a resource as it asks for, and no more than so many events at once', async () => {
    const maxCount = [channelExtension('max-count', { valuePositiveInt: 1 })];
    const [bare, named] = [
      await hooked({ content: 'empty' }),
      await hooked({ content: 'id-only', extension: maxCount }),
    ];
    await Promise.all([active(bare.path), active(named.path)]);
    const made = await Promise.all([1, 2, 3].map((value) => idOf(glucose(ann, value))));
    await Promise.all([told(bare.hook, 3), told(named.hook, 3)]);
    const ids = named.hook.of('event-notification').map(({ numbers, focuses, bundle }) => {
      assert.deepEqual([numbers.length, bundle.entry.length], [1, 2]);
      assert.equal(bundle.entry[1].resource, undefined);
      assert.equal(bundle.entry[1].fullUrl, focuses[0]);
      return String(focuses[0]).split('/').at(-1);
    });
    assert.deepEqual(ids.sort(), made.sort());
    for (const { bundle, focuses } of bare.hook.of('event-notification')) {
      assert.equal(bundle.entry.length, 1);
      assert.ok(focuses.every((each) => each === ''));
      assert.equal(JSON.stringify(bundle).includes('urn:salus:subscription-topic'), false);
      for (const id of made) assert.equal(JSON.stringify(bundle).includes(id), false);
    }
    for (const { path } of [bare, named]) await ask(path, { method: 'DELETE' });
  });

  it('keeps its headers to itself, and sends them', async () => {
    const { hook, path } = await hooked({ channel: { header: ['Authorization: Bearer HOOKSECRET', 'X-Two: 2'] } });
    await active(path);
    assert.deepEqual([hook.headers.authorization, hook.headers['x-two']], ['Bearer HOOKSECRET', '2']);
    const seen = await ask(path);
    assert.equal(seen.text.includes('HOOKSECRET'), false);
    assert.equal((seen.body.channel as { _header: unknown[] })._header.length, 2);
    // As it is shown it can be sent back: the headers stay.
    hook.headers = {};
    const body = { ...seen.body, reason: 'still', status: 'requested' };
    assert.equal((await ask(path, { method: 'PUT', body, headers: { 'if-match': 'W/"1"' } })).status, 412);
    assert.equal((await ask(path, { method: 'PUT', body })).status, 200);
    await active(path);
    assert.equal(hook.headers.authorization, 'Bearer HOOKSECRET');
    const files = readdirSync(stateDir, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
    for (const { parentPath, name } of files) {
      assert.equal(readFileSync(join(parentPath, name)).includes('HOOKSECRET'), false, join(parentPath, name));
    }
    await ask(path, { method: 'DELETE' });
  });

  it('is its own user’s alone', async () => {
    const { id, path } = await hooked();
    for (const of of [path, `${path}/$status`, `${path}/$events`])
      assert.equal((await ask(of, {}, 'nurse')).status, 404);
    assert.equal((await ask('Subscription?status=active,requested', {}, 'nurse')).body.total, 0);
    assert.equal((await ask('Subscription/$status', {}, 'nurse')).body.total, 0);
    assert.equal((await ask(path, { method: 'DELETE' }, 'nurse')).status, 404);
    const body = { ...subscriptionTo({ endpoint: 'http://127.0.0.1:1/' }), id };
    assert.equal((await ask(path, { method: 'PUT', body }, 'nurse')).status, 409);
    assert.equal((await ask(`Subscription?url=http://127.0.0.1:1/`)).body.total, 0);
    assert.equal((await ask(`Subscription?_id=${id}&type=rest-hook`)).body.total, 1);
    // Officers see who is told what, and end it; a token that may see less is shown less.
    assert.equal((await ask(path, {}, 'officer')).status, 200);
    assert.equal((await ask(`${path}/$events`, {}, 'officer')).status, 404);
    assert.equal((await ask('Subscription', {}, 'officer')).body.total, 1);
    assert.equal((await ask(path, { method: 'DELETE' }, 'officer')).status, 204);
    assert.equal((await ask(path)).status, 404);
  });

  it('says nothing of what its subscriber may not see, nor of what that is since it was found', async () => {
    const { hook, path } = await hooked({ filters: [`patient=${other}`] });
    await active(path);
    hook.answers = 503;
    await idOf(glucose(other, 1));
    await eventually(async () => {
      assert.equal(countOf(await ask(`${path}/$status`)), 1);
    });
    const denied = await send(closedTo(other, 'doctor'));
    assert.equal(denied.status, 201, denied.text);
    hook.answers = 200;
    await told(hook, 1);
    const [{ focuses, resources, bundle } = { focuses: [], resources: [], bundle: {} }] = hook.of('event-notification');
    assert.deepEqual([focuses, resources], [[''], []]);
    assert.equal(JSON.stringify(bundle).includes('Observation/'), false);
    const body = glucose(other, 2);
    assert.equal((await ask('Observation', { body }, 'nurse')).status, 201);
    await idOf(glucose(ann, 3));
    const { body: events } = await ask(`${path}/$events`);
    assert.deepEqual(notificationOf(events).focuses, ['']);
    assert.equal(countOf(await ask(`${path}/$status`)), 1);
    await ask(path, { method: 'DELETE' });
  });

  it('loses nothing over a restart of the gateway: what is sent again has the number it had', async () => {
    const { hook, path } = await hooked();
    await active(path);
    const first = await idOf(glucose(ann, 10));
    await told(hook, 1);
    hook.answers = 503;
    const second = await idOf(glucose(ann, 11));
    await eventually(async () => {
      assert.equal(countOf(await ask(`${path}/$status`)), 2);
    });
    await network.kill();
    network = await startNetwork(wish);
    const third = await idOf(glucose(ann, 12));
    hook.answers = 200;
    await told(hook, 3);
    const seen = hook
      .of('event-notification')
      .flatMap(({ numbers, resources }) => numbers.map((number, index): unknown => [number, resources[index]?.id]));
    assert.deepEqual(seen, [
      [1, first],
      [2, second],
      [3, third],
    ]);
    await ask(path, { method: 'DELETE' });
  });

  it('is in error once its endpoint takes nothing, counts on, and goes on when it is asked for again', async () => {
    const { hook, path } = await hooked();
    await active(path);
    hook.answers = 500;
    const missed = await idOf(glucose(ann, 20));
    await eventually(async () => {
      assert.equal(countOf(await ask(`${path}/$status`)), 1);
    });
    await eventually(async () => {
      assert.equal((await ask(path)).body.status, 'error');
    }).catch(() => active(path, 'error'));
    const later = await idOf(glucose(ann, 21));
    await eventually(async () => {
      assert.equal(countOf(await ask(`${path}/$status`)), 2);
    });
    const status = (await ask(`${path}/$status`)).text;
    assert.match(status, /"name":"error"/);
    const { body } = await ask(`${path}/$events?eventsSinceNumber=1&eventsUntilNumber=1`);
    assert.deepEqual([notificationOf(body).numbers, notificationOf(body).resources[0]?.id], [[1], missed]);
    const all = await ask(`${path}/$events`, {
      body: { resourceType: 'Parameters', parameter: [{ name: 'content', valueCode: 'id-only' }] },
    });
    assert.deepEqual([notificationOf(all.body).numbers, notificationOf(all.body).resources], [[1, 2], []]);
    hook.answers = 200;
    const seen = (await ask(path)).body;
    assert.equal((await ask(path, { method: 'PUT', body: { ...seen, status: 'requested' } })).status, 200);
    await told(hook, 2);
    assert.deepEqual(hook.numbers, [1, 2]);
    assert.deepEqual(
      hook.of('event-notification').flatMap(({ resources }) => resources.map(({ id }) => id)),
      [missed, later],
    );
    await ask(path, { method: 'DELETE' });
  });

  it('is in error at once where the handshake is not taken', async () => {
    const hook = new Hook();
    hook.answers = 404;
    const { path } = await hooked({}, hook);
    await active(path, 'error');
    await ask(path, { method: 'DELETE' });
  });

  it('beats where nothing else is said', async () => {
    const { hook, path } = await hooked({
      extension: [channelExtension('heartbeat-period', { valueUnsignedInt: 10 })],
    });
    await eventually(async () => {
      assert.ok((await Promise.resolve(hook.of('heartbeat').length)) > 0);
    });
    assert.equal(hook.of('heartbeat')[0]?.status, 'active');
    await ask(path, { method: 'DELETE' });
  });

  it('ends when it says', async () => {
    const end = new Date(Date.now() + 4_000).toISOString();
    const { hook, path } = await hooked({ more: { end } });
    await active(path);
    await active(path, 'off');
    const before = hook.taken.length;
    await idOf(glucose(ann, 30));
    await eventually(async () => {
      assert.equal((await ask(path)).body.status, 'off');
    });
    assert.equal(hook.taken.length, before);
    await ask(path, { method: 'DELETE' });
  });
});

/** Events since it began, by `$status`. */
function countOf({ body }: Answer): number {
  const [{ resource } = {}] = body.entry ?? [];
  const parameters = resource?.parameter as { name: string; valueString?: string }[];
  return Number(parameters.find(({ name }) => name === 'events-since-subscription-start')?.valueString);
}
