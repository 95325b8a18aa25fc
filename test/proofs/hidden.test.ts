import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';

import { ASKED_BEAT_MS } from '@salus/gateway/fhir/pace';
import { campaign } from '../support/campaigns.js';
import { type Answer, type AskOptions, networkOfSuite } from '../support/network.js';
import { closedTo, glucose, patient } from '../story/people.js';

const hidden = campaign('hidden');
/** Pairs of questions whose times are compared; none in a slice: other processes' load would decide. */
const PAIRS = hidden.size({ slice: 0, full: 1_000 });
/** Of Welch's t: as in dudect, beyond it times are taken to differ. */
const SIGNIFICANT = 4.5;

/** What a program can see of an answer, with the patient's id and what is random replaced. */
function seen(answer: Answer, id: string): object {
  const names = [...answer.headers.keys()].filter((name) => name !== 'content-length').sort();
  const text = answer.text.replaceAll(id, '<id>').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>');
  return { status: answer.status, names, etag: answer.headers.get('etag'), text };
}

describe('at its own custodian, a record hidden from a member of staff', () => {
  const network = networkOfSuite();
  let adams: string;
  let baker: string;
  let cook: string;
  let id: string;
  /** Deleted, and hidden as `id` is. */
  let gone: string;
  let ofNorthside: string;

  before(async () => {
    adams = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    cook = await network.token({ member: 'stmary', user: 'dr-cook', role: 'physician' });
    id = await createdClosed();
    await created('stmary', adams, glucose(id, 95.1));
    gone = await createdClosed();
    const { status } = await network.ask('stmary', `Patient/${gone}`, { method: 'DELETE', token: adams });
    assert.equal(status, 204);
    baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    ofNorthside = await created('northside', baker, patient);
    await untilKnown(ofNorthside);
  });

  async function created(member: string, token: string, resource: object): Promise<string> {
    const { resourceType } = resource as { resourceType: string };
    const answer = await network.ask(member, resourceType, { token, body: resource });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  }

  /** A patient of stmary whose record is closed to one physician there. */
  async function createdClosed(): Promise<string> {
    const known = await created('stmary', adams, patient);
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: known });
    await created('stmary', own, closedTo(known, 'dr-cook'));
    return known;
  }

  /** Waits until each hospital's projection has what the other wrote. */
  async function untilKnown(other: string): Promise<void> {
    const { status, headers } = await network.ask('northside', 'Patient', { token: baker, body: patient });
    assert.equal(status, 201, other);
    const min = { 'x-min-block': headers.get('x-block') ?? '' };
    await network.ask('stmary', 'Patient?_id=none', { token: adams, headers: min });
    await network.ask('northside', 'Patient?_id=none', { token: baker, headers: min });
  }

  const ask = (path: string, more: AskOptions = {}): Promise<Answer> =>
    network.ask('stmary', path, { token: cook, ...more });
  const askFromAfar = (path: string): Promise<Answer> => network.ask('northside', path, { token: baker });

  const reads = (of: string): string[] => [
    `Patient/${of}`,
    `Patient/${of}/$everything`,
    `Patient/${of}/Observation`,
    `Observation?patient=${of}`,
    `Patient?_id=${of}`,
    `Patient/${of}/_history`,
    `Patient/${of}/_history/1`,
    `Patient/${of}/$meta`,
  ];

  /** Accesses that stmary asked the ledger for so far. */
  async function accesses(): Promise<number> {
    const { body } = await network.ask('stmary', '/ledger/blocks?count=200', {});
    const { blocks } = body as unknown as { blocks: { transactions: { transaction: string }[] }[] };
    return blocks.flatMap(({ transactions }) => transactions).filter((each) => each.transaction === 'access:request')
      .length;
  }

  it('is read, searched and looked into like one that does not exist, for as many transactions', async () => {
    const stranger = randomUUID();
    for (const [index, path] of reads(id).entries()) {
      const before = await accesses();
      const known = await ask(path);
      const between = await accesses();
      const unknown = await ask(reads(stranger)[index] ?? '');
      assert.deepEqual(seen(known, id), seen(unknown, stranger), path);
      assert.equal(between - before, (await accesses()) - between, path);
    }
  });

  it('is answered like one that does not exist when deleted, and at another hospital that has no consent', async () => {
    const stranger = randomUUID();
    for (const [index, path] of reads(stranger).entries()) {
      const here = seen(await ask(path), stranger);
      assert.deepEqual(seen(await ask(reads(gone)[index] ?? ''), gone), here, `deleted: ${path}`);
      const there = seen(await askFromAfar(path), stranger);
      for (const hidden of [id, gone]) {
        assert.deepEqual(seen(await askFromAfar(reads(hidden)[index] ?? ''), hidden), there, `from afar: ${path}`);
      }
    }
  });

  it('costs an access on the ledger, as an unknown one does, and shows to who may', async () => {
    const before = await accesses();
    assert.equal((await ask(`Patient/${id}`)).status, 404);
    assert.equal((await ask(`Patient/${id}/$everything`)).status, 404);
    assert.equal((await accesses()) - before, 2);
    assert.equal((await network.ask('stmary', `Patient/${id}`, { token: adams })).status, 200);
  });

  it('is not there before the beat that hides how long asking took', async () => {
    for (const path of [`Patient/${id}`, `Patient?_id=${id}`, `Patient/${randomUUID()}`]) {
      const start = performance.now();
      await ask(path);
      // Timers may fire a millisecond early.
      assert.ok(performance.now() - start > ASKED_BEAT_MS - 2, path);
    }
  });

  it('shows on the patient’s list who was denied', async () => {
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: id });
    const { text } = await network.ask('stmary', `AuditEvent?patient=${id}`, { token: own });
    const events = (JSON.parse(text) as { entry: { resource: { outcomeDesc: string } }[] }).entry;
    const denied = events.filter(({ resource }) => resource.outcomeDesc === 'deny');
    for (const who of ['stmary/dr-cook', 'northside/dr-baker']) {
      assert.ok(
        denied.some((each) => JSON.stringify(each).includes(who)),
        who,
      );
    }
  });

  it('is deleted, patched and matched like one that does not exist, and stays as it is', async () => {
    const stranger = randomUUID();
    const patch = { 'content-type': 'application/json-patch+json' };
    const writes = (of: string): [string, AskOptions][] => [
      [`Patient/${of}`, { method: 'DELETE' }],
      [`Patient/${of}`, { method: 'DELETE', headers: { 'if-match': 'W/"1"' } }],
      [`Patient/${of}`, { method: 'PATCH', headers: patch, body: [{ op: 'remove', path: '/gender' }] }],
      [`Patient/${of}`, { method: 'PUT', headers: { 'if-match': 'W/"1"' }, body: { ...patient, id: of } }],
    ];
    for (const [index, [path, options]] of writes(id).entries()) {
      const [other = '', otherOptions = {}] = writes(stranger)[index] ?? [];
      assert.deepEqual(seen(await ask(path, options), id), seen(await ask(other, otherOptions), stranger), path);
    }
    const kept = await network.ask('stmary', `Patient/${id}`, { token: adams });
    assert.equal(kept.headers.get('etag'), 'W/"1"');
  });

  it('is not overwritten by PUT, which answers alike for an id that another hospital keeps', async () => {
    const put = (of: string): Promise<Answer> => ask(`Patient/${of}`, { method: 'PUT', body: { ...patient, id: of } });
    const here = await put(id);
    assert.equal(here.status, 409);
    assert.deepEqual(seen(here, id), seen(await put(ofNorthside), ofNorthside));
    const entry = (of: string): object => ({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: { ...patient, id: of }, request: { method: 'PUT', url: `Patient/${of}` } }],
    });
    for (const of of [id, ofNorthside]) assert.equal((await ask('', { body: entry(of) })).status, 409);
    const kept = await network.ask('stmary', `Patient/${id}`, { token: adams });
    assert.equal(kept.headers.get('etag'), 'W/"1"');
    const shadow = await network.ask('stmary', `Patient?_id=${ofNorthside}`, { token: adams });
    assert.doesNotMatch(shadow.text, /CANARY/);
  });

  if (PAIRS > 0) {
    const here = reads('<id>').map((path) => ({ path, where: 'at home' }));
    const afar = reads('<id>')
      .slice(0, 4)
      .map((path) => ({ path, where: 'from afar' }));
    for (const { path, where } of [...here, ...afar]) {
      it(`is answered for as long as one that does not exist, ${where}: ${path}`, async () => {
        const timed = where === 'at home' ? ask : askFromAfar;
        const random = hidden.random();
        const [known, unknown]: [number[], number[]] = [[], []];
        for (let pair = 0; pair < PAIRS; pair += 1) {
          const order = random() < 0.5 ? [known, unknown] : [unknown, known];
          for (const times of order) {
            const start = performance.now();
            await timed(path.replace('<id>', times === known ? id : randomUUID()));
            times.push(performance.now() - start);
          }
        }
        const t = welch(known, unknown);
        console.log(
          `      ${median(known)} ms, ${median(unknown)} ms, t = ${t.toFixed(2)} over ${PAIRS} pairs (seed ${hidden.seed})`,
        );
        assert.ok(Math.abs(t) < SIGNIFICANT, `t = ${t}`);
      }).timeout(0);
    }
  }
});

/** In whole ms. */
function median(times: readonly number[]): string {
  return ([...times].sort((a, b) => a - b)[times.length >> 1] ?? 0).toFixed(0);
}

/** Welch's t of two samples. */
function welch(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]): number => x.reduce((sum, each) => sum + each, 0) / x.length;
  const spread = (x: readonly number[]): number =>
    x.reduce((sum, each) => sum + (each - mean(x)) ** 2, 0) / (x.length - 1) / x.length;
  return (mean(a) - mean(b)) / Math.sqrt(spread(a) + spread(b));
}
