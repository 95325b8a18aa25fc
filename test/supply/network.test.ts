import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { WebSocket } from 'ws';

import { networkOfSuite } from '../support/network.js';
import { documentOf, objectEvent } from './events.js';

interface Job {
  readonly running: boolean;
  readonly success: boolean;
  readonly errors: readonly unknown[];
  readonly anchor?: string;
}

describe('EPCIS on the real processes', () => {
  const network = networkOfSuite();

  it('captures at one member, anchors the capture for all, and shows the events to nobody else', async function () {
    this.timeout(120_000);
    const tokenOf = (member: string) => network.token({ member, role: 'supply-operator' });
    const [acme, stmary] = [await tokenOf('acme'), await tokenOf('stmary')];
    const document = documentOf(objectEvent(), objectEvent({ bizStep: 'receiving' }));
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const taken = await network.ask('acme', '/epcis/capture', { method: 'POST', token: acme, body: document, headers });
    assert.equal(taken.status, 202, taken.text);
    const location = taken.headers.get('location') ?? '';
    let job: Job | undefined;
    while (job?.running !== false) {
      await sleep(200);
      job = (await network.ask('acme', location, { token: acme, headers })).body as unknown as Job;
    }
    assert.deepEqual(job.errors, []);
    assert.match(job.anchor ?? '', /^[0-9a-f]{64}$/);
    const listOf = async (member: string, token: string): Promise<number> => {
      const { text } = await network.ask(member, '/epcis/events', { token, headers });
      return text.split('"eventTime"').length - 1;
    };
    assert.equal(await listOf('acme', acme), 2);
    assert.equal(await listOf('stmary', stmary), 0);
  });

  it('tells a subscriber by websocket of what is captured', async function () {
    this.timeout(120_000);
    const token = await network.token({ member: 'acme', role: 'supply-operator' });
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const ask = (path: string, body: object) =>
      network.ask('acme', `/epcis/${path}`, { method: 'POST', token, body, headers });
    assert.equal((await ask('queries', { name: 'held', query: { EQ_bizStep: ['holding'] } })).status, 201);
    const url = network.fhir('acme').replace(/^http(.*)\/fhir\/R4$/, 'ws$1/epcis/queries/held/events?stream=true');
    await assert.rejects(once(new WebSocket(url), 'open'), /401/);
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const [heard] = [once(socket, 'message') as Promise<[Buffer]>, await once(socket, 'open')];
    assert.equal((await ask('capture', documentOf(objectEvent({ bizStep: 'holding' })))).status, 202);
    const [delivery] = await heard;
    assert.match(delivery.toString('utf8'), /"bizStep":"holding"/);
    socket.close(1_000);
  });
});
