import assert from 'node:assert/strict';

import { anchorReads } from '@salus/gateway/access/anchor';
import { logged } from '@salus/gateway/access/logged';
import { MemberReads, readLogFile, type PlacedRead } from '@salus/gateway/access/member-reads';
import { ReadLog, type ReadEntry } from '@salus/gateway/access/read-log';
import type { Trail } from '@salus/gateway/consent/decision';
import type { LedgerCall } from '@salus/gateway/ports';

import { scratchFolder } from '../support/scratch.js';

const entry = (patient: string): ReadEntry => ({
  at: '2026-03-01T12:00:00.000Z',
  patient,
  user: 'u-adams',
  role: 'physician',
  purpose: 'TREAT',
  what: 'GET Observation',
});

describe('the read log', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let log: ReadLog;

  /** As the member's gateways show them. */
  const readsOf = (patient: string): readonly PlacedRead[] => {
    const reads = new MemberReads(folder.path);
    const found = reads.page(patient, undefined, 10);
    reads.close();
    return found;
  };

  beforeEach(() => {
    folder = scratchFolder();
    log = new ReadLog(readLogFile(folder.path, 'gateway0'));
  });
  afterEach(() => {
    folder.remove();
  });

  it('gives a patient the own reads, newest first', async () => {
    await log.append([entry('ann'), entry('ben')]);
    await log.append([{ ...entry('ann'), what: 'GET Condition' }]);
    assert.deepEqual(
      readsOf('ann').map(({ what }) => what),
      ['GET Condition', 'GET Observation'],
    );
    log.close();
  });

  it('holds reads of the same moment, each with a salt of its own, before any of them is answered', async () => {
    const reads = ['ann', 'ben', 'ann'].map(async (patient) => {
      await log.append([entry(patient)]);
      return readsOf('ann').length + readsOf('ben').length;
    });
    assert.deepEqual(await Promise.all(reads), [3, 3, 3]);
    const salts = log.unanchored(10)?.items.map((item) => item.toString('hex', 0, 32));
    assert.equal(new Set(salts).size, 3);
    log.close();
  });

  it('is there again after the gateway was killed', async () => {
    await log.append([entry('ann')]);
    const again = new ReadLog(readLogFile(folder.path, 'gateway0'));
    assert.equal(again.unanchored(10)?.items.length, 1);
    again.close();
    log.close();
  });

  it('is read together with those of the member’s other gateways, page by page', async () => {
    const other = new ReadLog(readLogFile(folder.path, 'gateway1'));
    const at = (second: number): string => `2026-03-01T12:00:0${second}.000Z`;
    for (const [index, each] of [log, other, log, other, other, log].entries()) {
      // The third and the fourth are of the same instant.
      await each.append([{ ...entry('ann'), at: at(index === 3 ? 2 : index), what: `${index}` }]);
    }
    const reads = new MemberReads(folder.path);
    const seen: string[] = [];
    let after: PlacedRead | undefined;
    do {
      const page: readonly PlacedRead[] = reads.page('ann', after, 2);
      seen.push(...page.map(({ what }) => what));
      after = page.at(-1);
    } while (after !== undefined);
    assert.deepEqual(seen, ['5', '4', '3', '2', '1', '0']);
    assert.equal(reads.count('ann'), 6);
    assert.equal(reads.count('ben'), 0);
    reads.close();
    other.close();
    log.close();
  });

  it('anchors each entry once, under a salted root', async () => {
    const calls: LedgerCall[] = [];
    const submit = (call: LedgerCall) => {
      calls.push(call);
      return Promise.resolve({ txId: 't', block: 1 });
    };
    const ports = { ledger: { submit }, mspId: 'StmaryMSP', log };
    await log.append([entry('ann'), entry('ann')]);
    await anchorReads(ports);
    await anchorReads(ports);
    await log.append([entry('ben')]);
    await anchorReads(ports);
    const anchors = calls.map(
      ({ transient }) =>
        JSON.parse(Buffer.from(transient!.request!).toString()) as { first: number; last: number; root: string },
    );
    assert.deepEqual(
      anchors.map(({ first, last }) => [first, last]),
      [
        [1, 2],
        [3, 3],
      ],
    );
    assert.match(anchors[0]!.root, /^[0-9a-f]{64}$/);
    assert.deepEqual(calls[0]!.endorsers, ['StmaryMSP']);
    log.close();
  });

  it('keeps trying an anchor that was refused', async () => {
    await log.append([entry('ann')]);
    const submit = () => Promise.reject(new Error('no ledger'));
    await assert.rejects(anchorReads({ ledger: { submit }, mspId: 'StmaryMSP', log }));
    assert.deepEqual(log.unanchored(10)?.items.length, 1);
    log.close();
  });

  it('shows nothing when it cannot be written', async () => {
    const decision = {
      trailing: async <T>(trail: Trail, work: () => Promise<T>) => {
        trail.patients.add('ann');
        return await work();
      },
    };
    const fhir = () => Promise.resolve({ status: 200, headers: {}, resource: '{"resourceType":"Patient"}' });
    const actor = { member: 'stmary', user: 'u-adams', role: 'physician', purpose: 'TREAT', scopes: [] };
    const request = { method: 'GET', path: 'Patient/ann', query: new URLSearchParams(), headers: {}, actor };
    const read = logged(fhir, { decision, log, now: () => '2026-03-01T12:00:00.000Z' });
    assert.equal((await read(request)).status, 200);
    assert.equal((await read({ ...request, method: 'PATCH' })).status, 200);
    assert.deepEqual(
      readsOf('ann').map(({ what }) => what),
      ['PATCH Patient/ann', 'GET Patient/ann'],
    );
    log.close();
    // A write is committed by then: it is acknowledged, and shows nothing.
    assert.deepEqual(await read({ ...request, method: 'PATCH' }), { status: 200, headers: {} });
    for (const { status, resource } of await Promise.all([read(request), read(request)])) {
      assert.equal(status, 503);
      assert.equal((resource as { resourceType: string }).resourceType, 'OperationOutcome');
    }
  });
});
