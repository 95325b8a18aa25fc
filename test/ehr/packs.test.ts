import assert from 'node:assert/strict';

import { parseWrite, type WriteVersions } from '@salus/chaincode/ehr/api';
import { RecentContents } from '@salus/gateway/ehr/recent';
import { EhrWriter } from '@salus/gateway/ehr/writer';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Outbox } from '@salus/gateway/ledger/outbox';
import { OutboxStore } from '@salus/gateway/ledger/outbox-store';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { Actor, LedgerCall, ResourceWrite } from '@salus/gateway/ports';

import { scratchFolder } from '../support/scratch.js';
import { ScriptedSteps } from '../support/scripted-steps.js';

const actor: Actor = {
  ...{ member: 'stmary', user: 'loader', role: 'admin', purpose: 'TREAT' },
  scopes: ['user/*.cruds'],
};
const observation = (id: string, expect = 0): ResourceWrite => {
  const text = JSON.stringify({ resourceType: 'Observation', id });
  return { type: 'Observation', id, expect, text, patient: 'p1' };
};
const requestOf = (call: LedgerCall): WriteVersions =>
  JSON.parse(Buffer.from(call.transient!.request!).toString()) as WriteVersions;

describe('requests under Idempotency-Keys of their own', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  let steps: ScriptedSteps;
  let outbox: Outbox;
  let writer: EhrWriter;

  beforeEach(() => {
    folder = scratchFolder();
    keys = new KeyStore(folder.path);
    steps = new ScriptedSteps();
    outbox = new Outbox(steps, new OutboxStore(folder.path, 'gateway0', keys.seal), keys);
    writer = new EhrWriter({
      ...{ keys, outbox, recent: new RecentContents(), mspId: 'StmaryMSP', gateway: 'gateway0' },
      freeVersion: (_code, version) => version,
      findDone: () => Promise.resolve(undefined),
    });
  });
  afterEach(async () => {
    await outbox.stop();
    keys.close();
    folder.remove();
  });

  it('share a transaction, in which the ledger is told of each', async () => {
    const asked = Array.from({ length: 5 }, (_, index) =>
      writer.write(actor, [observation(`a${index}`), observation(`b${index}`)], {
        key: `k${index}`,
        digest: `d${index}`,
      }),
    );
    const retried = writer.write(actor, [observation('again'), observation('b0')], { key: 'k0', digest: 'd0' });
    const reused = writer.write(actor, [observation('a1')], { key: 'k1', digest: 'other' });
    await assert.rejects(reused, { code: 'unprocessable' });
    const outcomes = await Promise.all(asked);
    assert.equal(steps.calls.length, 1);
    const request = parseWrite(requestOf(steps.calls[0]!), 'request');
    assert.deepEqual([request.entries.length, request.others?.map(({ entries }) => entries)], [10, [2, 2, 2, 2]]);
    const told = [request, ...request.others!].map((each) => [each.idempotencyKey, each.digest]);
    const own = [0, 1, 2, 3, 4].map((index) => [
      writer.outboxKey(actor, `k${index}`),
      keys.hmac('idempotency', `d${index}`),
    ]);
    assert.deepEqual(told, own);
    assert.deepEqual(await retried, { ...outcomes[0], replayed: true });
    const [first] = outcomes;
    assert.deepEqual(first?.state === 'committed' && first.written.map((name) => name.split('/')[1]), ['a0', 'b0']);
  });

  it('do not share it where they write the same version, or create by the same criteria', async () => {
    const seen = steps.endorser;
    steps.endorser = (call, attempt) => {
      seen(call, attempt);
      const { entries } = requestOf(call);
      if (entries.length === 1 && steps.calls.length > 1) throw new Refusal('conflict', 'version-conflict', 'taken');
    };
    const condition = { code: 'cd'.repeat(32) };
    const under = (key: string) => ({ key, digest: key });
    const asked = [
      ...['a', 'b'].map((key) => writer.write(actor, [observation('same', 3)], under(key))),
      ...['c', 'd'].map((key) => writer.write(actor, [{ ...observation(`new-${key}`), condition }], under(key))),
      ...['e', 'f'].map((key) => writer.write(actor, [observation(`other-${key}`)], under(key))),
    ];
    const ends = await Promise.allSettled(asked);
    const states = ends.map(({ status }) => (status === 'fulfilled' ? 'y' : 'n')).join('');
    assert.equal(states, 'ynynyy');
    assert.deepEqual(
      steps.calls.map((call) => requestOf(call).entries.length),
      [4, 1, 1],
      'nobody had to go again for them',
    );
  });

  it('are written without the one that the ledger refuses, and a retry is told of its own', async () => {
    steps.endorser = (call) => {
      if (requestOf(call).entries.some(({ version }) => version === 8))
        throw new Refusal('conflict', 'version-conflict', 'not the next');
    };
    const write = (id: string, expect = 0) =>
      writer.write(actor, [observation(id, expect)], { key: `key-${id}`, digest: id });
    const [good, bad, again] = [write('good'), write('bad', 7), write('good')];
    await assert.rejects(bad, { code: 'version-conflict' });
    const outcome = await good;
    assert.equal(outcome.state, 'committed');
    assert.deepEqual(await again, { ...outcome, replayed: true });
    assert.equal((await write('bad', 8)).state, 'committed', 'its key is free again');
    assert.ok(steps.calls.slice(1).every((call) => requestOf(call).others === undefined));
  });
});
