import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';

import { parseWrite } from '@salus/chaincode/ehr/api';
import type { EhrWriter } from '@salus/gateway/ehr/writer';
import type { KeyStore } from '@salus/gateway/keys/key-store';
import type { Outbox } from '@salus/gateway/ledger/outbox';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { Actor, ResourceWrite } from '@salus/gateway/ports';

import { scratchFolder } from '../support/scratch.js';
import type { ScriptedSteps } from '../support/scripted-steps.js';
import { type OpenWriter, requestOf, writerAt } from './writer-at.js';

const actor: Actor = {
  ...{ member: 'stmary', user: 'loader', role: 'admin', purpose: 'TREAT' },
  scopes: ['user/*.cruds'],
};
const observation = (id: string, expect = 0): ResourceWrite => {
  const text = JSON.stringify({ resourceType: 'Observation', id });
  return { type: 'Observation', id, expect, text, patient: 'p1' };
};

describe('requests under Idempotency-Keys of their own', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  let steps: ScriptedSteps;
  let outbox: Outbox;
  let writer: EhrWriter;

  let close: OpenWriter['close'];

  function open(answerWaitMs = 30_000): void {
    ({ keys, steps, outbox, writer, close } = writerAt(folder.path, answerWaitMs));
  }
  beforeEach(() => {
    folder = scratchFolder();
    open();
  });
  afterEach(async () => {
    await close();
    folder.remove();
  });

  /** Refuses what holds this version. */
  function refusing(refused: number): void {
    steps.endorser = (call) => {
      if (requestOf(call).entries.some(({ version }) => version === refused))
        throw new Refusal('conflict', 'version-conflict', 'not the next');
    };
  }
  const writeUnder = (id: string, expect = 0, condition?: ResourceWrite['condition']) =>
    writer.write(actor, [{ ...observation(id, expect), ...(condition && { condition }) }], {
      key: `key-${id}`,
      digest: id,
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

  it('are halved until the one that is refused is alone', async () => {
    refusing(8);
    const asked = Array.from({ length: 64 }, (_, index) => writeUnder(`o${index}`, index === 40 ? 7 : 0));
    const ends = await Promise.allSettled(asked);
    assert.deepEqual(
      ends.flatMap(({ status }, index) => (status === 'rejected' ? index : [])),
      [40],
    );
    assert.equal(steps.calls.length, 1 + 2 * 6);
  });

  it('go a few at a time where all are refused', async () => {
    refusing(8);
    const { endorser } = steps;
    let [underWay, most] = [0, 0];
    const endorse = steps.endorse.bind(steps);
    steps.endorser = () => undefined;
    steps.endorse = async (call) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await turn();
      underWay -= 1;
      endorser(call, 0);
      return await endorse(call);
    };
    const ends = await Promise.allSettled(Array.from({ length: 200 }, (_, index) => writeUnder(`o${index}`, 7)));
    assert.ok(ends.every(({ status }) => status === 'rejected'));
    assert.equal(most, 16);
  });

  it('are refused after a restart, too, only for their own sake', async () => {
    await close();
    open(500);
    const killed = Promise.withResolvers<never>();
    steps.endorse = () => killed.promise;
    const condition = { code: 'cd'.repeat(32) };
    const write = () => [
      ...['a', 'b'].map((id) => writeUnder(id)),
      writeUnder('new', 0, condition),
      writeUnder('bad', 7),
      ...['c', 'd', 'e'].map((id) => writeUnder(id)),
    ];
    const before = await Promise.all(write());
    assert.ok(before.every(({ state }) => state === 'unknown'));
    killed.reject(new Error('process ended'));
    await close();
    open();
    refusing(8);
    assert.equal(outbox.recover(), 1);
    const after = await Promise.allSettled(write());
    const told = after.map((end) =>
      end.status === 'fulfilled' ? [end.value.state, 'replayed' in end.value] : 'refused',
    );
    const whole = ['committed', true];
    assert.deepEqual(told, [whole, whole, whole, 'refused', whole, whole, whole]);
    await outbox.settled();
    const conditional = steps.calls.map(requestOf).filter(({ conditions }) => conditions !== undefined);
    assert.deepEqual(conditional.at(-1)?.conditions, [condition]);
    assert.deepEqual(
      [conditional.at(-1)?.idempotencyKey, conditional.at(-1)?.entries.length],
      [writer.outboxKey(actor, 'key-new'), 1],
      'its condition stayed with it',
    );
    assert.equal(outbox.find(writer.outboxKey(actor, 'key-a'))?.standing.state, 'committed');
  });
});
