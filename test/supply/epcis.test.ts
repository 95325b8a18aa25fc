import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { isIncluded } from '@salus/chaincode/dist/lib/merkle.js';
import { CAPTURE_BYTES, CAPTURE_LIMIT } from '@salus/gateway/supply/epcis/capture';
import { MAX_PER_PAGE, TOKEN_LIFETIME_MS } from '@salus/gateway/supply/epcis/paging';
import { readDocument } from '@salus/gateway/supply/event/document';
import { eventHash } from '@salus/gateway/supply/event/hash';

import { sharedOrPending } from '../support/shared.js';
import { EpcisServer } from './epcis-server.js';
import { CONTEXT, documentOf, objectEvent } from './events.js';

const epcs = (serial: string | number) => ({ epcList: [`urn:epc:id:sgtin:4012345.011111.${serial}`] });

interface Job {
  readonly running: boolean;
  readonly success: boolean;
  readonly errors: readonly unknown[];
}

describe('EPCIS capture', () => {
  let server: EpcisServer;
  beforeEach(async () => {
    server = await EpcisServer.start();
  });
  afterEach(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });

  it('takes a document, anchors its root, and gives back events equal by hash', async () => {
    const document = documentOf(objectEvent(), objectEvent({ ...epcs(2), 'example:batch': '7' }));
    const job = await server.capture(document);
    assert.equal(job.success, true);
    assert.deepEqual(job.errors, []);
    const { json } = await server.ask('/events');
    const hashes = (value: unknown) => readDocument(value).events.map((each) => eventHash(each.event, each.namespaces));
    assert.deepEqual(hashes(json), hashes(document));
    assert.deepEqual(readDocument(json).problems, []);
    assert.equal(server.anchors[0]?.root, job.merkleRoot);
    assert.equal(server.anchors[0]?.count, 2);
  });

  it('proves one event offline by its hash, path and anchored root', async () => {
    await server.capture(documentOf(...[1, 2, 3, 4, 5].map((serial) => objectEvent(epcs(serial)))));
    for (const event of await server.events()) {
      const { json } = await server.ask(`/events/${encodeURIComponent(String(event.eventID))}/proof`);
      const path = (json.path as string[]).map((each) => Buffer.from(each, 'hex'));
      const root = Buffer.from(server.anchors[0]?.root ?? '', 'hex');
      const leaf = Buffer.concat([Buffer.from(json.hash as string), Buffer.from(json.salt as string, 'hex')]);
      assert.ok(isIncluded(root, leaf, json.index as number, json.count as number, path));
    }
  });

  it('captures, finds and proves an event without reading all that were captured before', async () => {
    await server.capture(documentOf(...Array.from({ length: 300 }, (_, serial) => objectEvent(epcs(serial + 1)))));
    await server.capture(documentOf(objectEvent(epcs(1_000))));
    server.read = 0;
    await server.capture(documentOf(objectEvent(epcs(1_001))));
    const context = { '@context': CONTEXT };
    const one = await server.post('/events', { ...objectEvent(epcs(1_002)), ...context });
    assert.equal(one.status, 201);
    assert.equal((await server.post('/events', { ...objectEvent(epcs(1)), ...context })).status, 409);
    assert.equal((await server.ask(`${one.headers.get('location') ?? ''}/proof`)).status, 200);
    assert.ok(server.read < 30, String(server.read));
  });

  it('refuses an invalid event with the whole capture, or without it where asked to proceed', async () => {
    const document = documentOf(objectEvent(), objectEvent({ action: 'X' }));
    const refused = await server.post('/capture', document);
    assert.equal(refused.status, 400);
    assert.equal(refused.json.type, 'epcisException:ValidationException');
    assert.equal(refused.headers.get('content-type'), 'application/problem+json');
    assert.deepEqual(await server.events(), []);
    assert.equal(server.ledger.writes, 0);
    const job = await server.capture(document, { 'GS1-Capture-Error-Behaviour': 'proceed' });
    assert.equal(job.success, false);
    assert.equal(job.errors[0].event, 1);
    assert.equal((await server.events()).length, 1);
  });

  it('captures no event twice', async () => {
    const event = objectEvent({ eventID: 'urn:uuid:7f3a8b1c-0000-4000-8000-000000000001' });
    await server.capture(documentOf(event));
    const again = await server.capture(documentOf(objectEvent(epcs(3)), event));
    assert.equal(again.success, false);
    assert.equal(again.errors[0].type, 'epcisException:ResourceAlreadyExistsException');
    assert.equal((await server.events()).length, 1);
    const twice = await server.capture(documentOf(objectEvent(epcs(4)), objectEvent(epcs(4))));
    assert.equal(twice.success, false);
  });

  it('keeps an error declaration under the id of the event it is about', async () => {
    const eventID = 'urn:uuid:7f3a8b1c-0000-4000-8000-000000000002';
    await server.capture(documentOf(objectEvent({ eventID })));
    const errorDeclaration = { declarationTime: '2026-03-05T00:00:00Z', reason: 'did_not_occur' };
    assert.equal((await server.capture(documentOf(objectEvent({ eventID, errorDeclaration })))).success, true);
    assert.deepEqual(
      (await server.events()).map((each) => each.eventID),
      [eventID, eventID],
    );
  });

  it('takes one event at /events, once', async () => {
    const event = { '@context': CONTEXT, ...objectEvent() };
    const created = await server.post('/events', event);
    assert.equal(created.status, 201);
    const read = await server.ask(created.headers.get('location') ?? '');
    assert.equal(read.json.eventID, eventHash(event));
    const again = await server.post('/events', event);
    assert.equal(again.status, 409);
    assert.equal(again.json.type, 'epcisException:ResourceAlreadyExistsException');
    assert.equal((await server.post('/events', objectEvent())).status, 400);
  });

  it(`takes at most ${CAPTURE_LIMIT} events and ${CAPTURE_BYTES} bytes`, async () => {
    const many = Array.from({ length: CAPTURE_LIMIT + 1 }, (_, serial) => objectEvent(epcs(serial)));
    const refused = await server.post('/capture', documentOf(...many));
    assert.equal(refused.status, 413);
    assert.equal(refused.json.type, 'epcisException:CaptureLimitExceededException');
    assert.equal((await server.post('/capture', `"${'x'.repeat(CAPTURE_BYTES)}"`)).status, 413);
    assert.equal((await server.capture(documentOf(...many.slice(1)))).success, true);
  });

  it('refuses what it cannot read, whom it does not know, and whose role may not', async () => {
    assert.equal((await server.post('/capture', 'x')).status, 400);
    assert.equal((await server.post('/capture', documentOf(), { 'content-type': 'text/plain' })).status, 415);
    assert.equal((await server.post('/capture', documentOf(), { 'GS1-Capture-Error-Behaviour': 'maybe' })).status, 400);
    assert.equal((await server.ask('/events', { headers: { authorization: 'Bearer bad' } })).status, 401);
    for (const accept of ['image/png', 'application/xml', 'text/xml']) {
      const { status, json } = await server.ask('/events', { headers: { accept } });
      const { type } = json as { readonly type: string };
      assert.deepEqual([status, type], [406, 'epcisException:NotAcceptableException'], accept);
    }
    assert.equal((await server.ask('/events', { headers: { 'GS1-EPCIS-Version': '1.2' } })).status, 406);
    assert.equal((await server.ask('/events', { headers: { 'GS1-EPC-Format': 'Sometimes' } })).status, 406);
    assert.equal((await server.ask('/events', { method: 'PUT' })).status, 405);
    assert.equal((await server.ask('/nowhere')).status, 404);
    assert.equal((await server.ask('/capture/none')).json.type, 'epcisException:NoSuchResourceException');
    server.role = 'biller';
    assert.equal((await server.ask('/events')).status, 403);
  });

  it('does not call failed what the ledger may have yet: the job goes on until it does', async function () {
    this.timeout(30_000);
    const eventID = 'urn:uuid:5a105000-0000-4000-8000-000000000001';
    server.ledger.silent = true;
    const { status, headers } = await server.post('/capture', documentOf(objectEvent({ eventID })));
    assert.equal(status, 202);
    const job = async () => (await server.ask(headers.get('location') ?? '')).json as Job;
    await sleep(1_500);
    assert.equal((await job()).running, true, 'the first try and the second had no answer');
    server.ledger.silent = false;
    while ((await job()).running) await sleep(100);
    const { success, errors } = await job();
    assert.deepEqual([success, errors], [true, []]);
    assert.equal((await server.events()).filter((event) => event['eventID'] === eventID).length, 1);
  });

  it('asks again for an act of whose outcome nothing is known, and the job goes on meanwhile', async function () {
    this.timeout(30_000);
    const act = { event: 0, act: 'commit' } as const;
    server.effects.push([{ ...act, state: 'unknown', code: 'ledger-unreachable' }], [{ ...act, state: 'done' }]);
    const before = server.carried.length;
    const { headers } = await server.post('/capture', documentOf(objectEvent({ bizStep: 'commissioning' })));
    const job = async () => (await server.ask(headers.get('location') ?? '')).json as Job;
    while (server.carried.length === before) await sleep(20);
    assert.equal((await job()).running, true);
    const other = await server.capture(documentOf(objectEvent({ bizStep: 'packing' })));
    assert.equal(other.success, true, 'no other capture waits for it');
    while ((await job()).running) await sleep(100);
    assert.deepEqual(server.carried.slice(before), [false, false, true]);
  });

  it('answers OPTIONS everywhere with what it speaks', async () => {
    for (const path of ['/', '/capture', '/events', '/epcs', '/bizSteps/shipping/events', '/queries/x']) {
      const { status, headers } = await server.ask(path, { method: 'OPTIONS' });
      assert.equal(status, 204, path);
      assert.equal(headers.get('GS1-EPCIS-Version'), '2.0.0');
      assert.match(headers.get('allow') ?? '', /OPTIONS/);
    }
    const { headers } = await server.ask('/capture', { method: 'OPTIONS' });
    assert.equal(headers.get('GS1-EPCIS-Capture-Limit'), String(CAPTURE_LIMIT));
  });

  it('lists its jobs, and pages with tokens that can be dropped and that end', async () => {
    for (const serial of [1, 2, 3]) await server.capture(documentOf(objectEvent(epcs(serial))));
    assert.equal((await server.ask('/capture')).json.length, 3);
    const linked = async (path: string) => {
      const { headers, json, status } = await server.ask(path);
      const [, next] = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '') ?? [];
      return { next, json, status };
    };
    const first = await linked('/events?perPage=2');
    assert.equal(first.json.epcisBody.queryResults.resultsBody.eventList.length, 2);
    const second = await linked(first.next ?? '');
    assert.equal(second.json.epcisBody.queryResults.resultsBody.eventList.length, 1);
    assert.equal(second.next, undefined);
    const token = new URL(first.next ?? '', 'http://x').searchParams.get('nextPageToken') ?? '';
    assert.equal((await server.ask(`/nextPageToken/${token}`, { method: 'DELETE' })).status, 204);
    assert.equal((await linked(first.next ?? '')).status, 404);
    const late = await linked('/events?perPage=1');
    server.clockMs += TOKEN_LIFETIME_MS;
    assert.equal((await linked(late.next ?? '')).status, 404);
    assert.equal((await server.ask(`/events?perPage=${MAX_PER_PAGE + 1}`)).status, 400);
  });

  it('takes the valid documents of the public sets, and gives them back equal by hash', async function () {
    const folder = join(sharedOrPending(this, 'data/epcis/documents'), 'valid');
    const files: string[] = readdirSync(folder);
    for (const file of files) {
      const own = await EpcisServer.start();
      const document: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      const hashes = (value: unknown) =>
        readDocument(value)
          .events.map((each) => eventHash(each.event, each.namespaces))
          .sort();
      assert.equal((await own.capture(document)).success, true, file);
      assert.deepEqual(hashes((await own.ask('/events?perPage=1000')).json), hashes(document), file);
      await own.close();
    }
  });
});
