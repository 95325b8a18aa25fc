/** A hospital that has lost one of its peers, as its users see it: through the gateway, over HTTP, on Fabric. */
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { loadTopology } from '@salus/network/topology';

import { eventually } from '../support/eventually.js';
import { programsOrPending } from '../support/fabric-network.js';
import { freePortBase } from '../support/free-ports.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';
import { glucose, patient } from '../story/people.js';
import { type FaultyConsortium, startConsortium } from './run/consortium.js';

const MEMBERS = ['stmary', 'northside', 'acme', 'authority'];
/** What an own collection keeps must be at one further peer: with two there is no third to take its place. */
const PEERS = { stmary: 2, northside: 3 };
const WRITES = 10;

interface Answer {
  readonly status: number;
  readonly place: string | null;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

describe('a hospital that has lost a peer, on Fabric', function () {
  this.timeout(400_000);
  const scratch = scratchFolder();
  let consortium: FaultyConsortium;

  before(async function () {
    await programsOrPending(this);
    const portBase = await freePortBase();
    const file = fewMembers(scratch.path, portBase, MEMBERS);
    consortium = await startConsortium(loadTopology(file, { portBase, peers: PEERS }));
  });
  after(async () => {
    const started = consortium as FaultyConsortium | undefined;
    await started?.stop();
    started?.discard(false);
    scratch.remove();
  });

  /** Asks a member's gateway as its physician; a body is posted, under the key where there is one. */
  async function ask(member: string, path: string, post?: { body: object; key?: string }): Promise<Answer> {
    const [url] = consortium.members.urlsOf(member);
    const token = await consortium.members.token(member, 0, { subject: 'dr-adams', role: 'physician' });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
    const response = await fetch(new URL(path, url), {
      headers: post?.key === undefined ? headers : { ...headers, 'idempotency-key': post.key },
      ...(post === undefined ? {} : { method: 'POST', body: JSON.stringify(post.body) }),
    });
    const text = await response.text();
    const body = JSON.parse(text === '' ? '{}' : text) as Answer['body'];
    return { status: response.status, place: response.headers.get('content-location'), text, body };
  }

  async function registered(member: string): Promise<string> {
    const { status, text, body } = await ask(member, '/fhir/R4/Patient', { body: patient });
    assert.equal(status, 201, text);
    return String(body['id']);
  }

  it('of two: writes are answered 202 from the outbox, and become committed when it returns', async () => {
    const patientId = await registered('stmary');
    const observations = `/fhir/R4/Observation?patient=${patientId}`;
    await consortium.kill('peer1.stmary');
    const post = { body: glucose(patientId, 95.1), key: randomUUID() };
    const taken = await ask('stmary', '/fhir/R4/Observation', post);
    assert.equal(taken.status, 202, taken.text);
    assert.equal(taken.place, `/fhir/R4/$write-status/${post.key}`);
    assert.equal((await ask('stmary', taken.place)).status, 202, 'nobody knows yet');
    assert.equal((await ask('stmary', `/fhir/R4/Patient/${patientId}`)).status, 200, 'reads go on');
    assert.equal((await ask('stmary', observations)).body['total'], 0);
    await consortium.start('peer1.stmary');
    await eventually(async () => {
      const told = await ask('stmary', taken.place ?? '');
      assert.equal(told.status, 200, told.text);
      assert.match(told.text, /the write is committed/);
    });
    await eventually(async () => {
      assert.equal((await ask('stmary', observations)).body['total'], 1);
    });
    const again = await ask('stmary', '/fhir/R4/Observation', post);
    assert.equal(again.status, 201, again.text);
    assert.equal((await ask('stmary', observations)).body['total'], 1, 'once');
  });

  it('of three: writes are answered 201 as before', async () => {
    const patientId = await registered('northside');
    await consortium.kill('peer2.northside');
    for (let value = 1; value <= WRITES; value += 1) {
      const written = await ask('northside', '/fhir/R4/Observation', { body: glucose(patientId, value) });
      assert.equal(written.status, 201, written.text);
      const read = await ask('northside', `/fhir/R4/Observation/${String(written.body['id'])}`);
      assert.equal(read.status, 200, read.text);
    }
    await consortium.start('peer2.northside');
  });
});
