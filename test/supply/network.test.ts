import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

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
});
