import assert from 'node:assert/strict';
import { join } from 'node:path';

import { anchorReads } from '@salus/gateway/access/anchor';
import { logged } from '@salus/gateway/access/logged';
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

  beforeEach(() => {
    folder = scratchFolder();
    log = new ReadLog(join(folder.path, 'readlog.db'));
  });
  afterEach(() => {
    folder.remove();
  });

  it('gives a patient the own reads, newest first', () => {
    log.append([entry('ann'), entry('ben')]);
    log.append([{ ...entry('ann'), what: 'GET Condition' }]);
    assert.deepEqual(
      log.of('ann', 10).map(({ what }) => what),
      ['GET Condition', 'GET Observation'],
    );
    log.close();
  });

  it('is there again after the gateway was killed', () => {
    log.append([entry('ann')]);
    const again = new ReadLog(join(folder.path, 'readlog.db'));
    assert.equal(again.of('ann', 10).length, 1);
    again.close();
    log.close();
  });

  it('anchors each entry once, under a salted root', async () => {
    const calls: LedgerCall[] = [];
    const submit = (call: LedgerCall) => {
      calls.push(call);
      return Promise.resolve({ txId: 't', block: 1 });
    };
    const ports = { ledger: { submit }, mspId: 'StmaryMSP', log };
    log.append([entry('ann'), entry('ann')]);
    await anchorReads(ports);
    await anchorReads(ports);
    log.append([entry('ben')]);
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
    log.append([entry('ann')]);
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
      log.of('ann', 10).map(({ what }) => what),
      ['PATCH Patient/ann', 'GET Patient/ann'],
    );
    log.close();
    // A write is committed by then: it is acknowledged, and shows nothing.
    assert.deepEqual(await read({ ...request, method: 'PATCH' }), { status: 200, headers: {} });
    const { status, resource } = await read(request);
    assert.equal(status, 503);
    assert.equal((resource as { resourceType: string }).resourceType, 'OperationOutcome');
  });
});
