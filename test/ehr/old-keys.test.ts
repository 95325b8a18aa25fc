import assert from 'node:assert/strict';

import { IDEMPOTENCY_DAYS, type WriteVersions } from '@salus/chaincode/ehr/api';
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
  ...{ member: 'stmary', user: 'dr-adams', role: 'physician', purpose: 'TREAT' },
  scopes: ['user/*.cruds'],
};
const observation = (id: string): ResourceWrite => {
  const text = JSON.stringify({ resourceType: 'Observation', id });
  return { type: 'Observation', id, expect: 0, text, patient: 'p1' };
};
const requestOf = (call: LedgerCall): WriteVersions =>
  JSON.parse(Buffer.from(call.transient!.request!).toString()) as WriteVersions;
/** The same Idempotency-Key each time, of a request with this digest. */
const key = (digest: string) => ({ key: 'key-1', digest });

describe('keys whose time is over', () => {
  const folder = scratchFolder();
  let now = Date.now();
  const keys = new KeyStore(folder.path);
  const steps = new ScriptedSteps();
  const outbox = new Outbox(steps, new OutboxStore(folder.path, 'gateway0', keys.seal), keys, () => now);
  const writer = new EhrWriter({
    ...{ keys, outbox, recent: new RecentContents(), mspId: 'StmaryMSP', gateway: 'gateway0' },
    freeVersion: (_code, version) => version,
    findDone: () => Promise.resolve(undefined),
  });
  after(async () => {
    await outbox.stop();
    keys.close();
    folder.remove();
  });

  it('are found again, each that the ledger was told of, and forgotten', async () => {
    const kept = await writer.write(actor, [observation('o1')], key('a'));
    await Promise.all([1, 2, 3].map((index) => writer.write(actor, [observation(`group${index}`)])));
    steps.endorser = () => {
      throw new Refusal('conflict', 'version-conflict', 'not the next');
    };
    await assert.rejects(writer.write(actor, [observation('refused')], { key: 'key-2', digest: 'b' }));
    steps.endorser = () => undefined;
    const told = steps.calls.slice(0, -1).map((call) => requestOf(call).idempotencyKey);
    assert.equal(told.length, 2, 'one alone, three together');
    now += IDEMPOTENCY_DAYS * 86_400_000;
    assert.deepEqual(outbox.old(10), []);
    assert.deepEqual(await writer.write(actor, [observation('o2')], key('a')), { ...kept, replayed: true });
    now += 3_600_000;
    const old = outbox.old(10);
    assert.deepEqual(
      old.flatMap(({ ledgerKeys }) => ledgerKeys),
      told,
    );
    assert.equal(outbox.old(1).length, 1);
    assert.equal((await writer.write(actor, [observation('o3')], key('other'))).state, 'committed', 'used anew');
    outbox.drop(old.map(({ call }) => call));
    assert.deepEqual(outbox.old(10), []);
    await assert.rejects(writer.write(actor, [observation('o4')], key('a')), /another request/);
  });

  it('are let go of one by one where requests under keys of their own shared a transaction', async () => {
    const sent = steps.calls.length;
    const packed = [1, 2, 3].map((index) =>
      writer.write(actor, [observation(`packed${index}`)], { key: `packed-${index}`, digest: `d${index}` }),
    );
    await Promise.all(packed);
    const [request, ...more] = steps.calls.slice(sent).map(requestOf);
    assert.deepEqual([request?.others?.length, more.length], [2, 0]);
    const told = [request, ...(request?.others ?? [])].map((each) => each?.idempotencyKey ?? '');
    now += IDEMPOTENCY_DAYS * 86_400_000 + 3_600_000;
    const letGo = outbox.old(10).at(-1)?.ledgerKeys ?? [];
    assert.deepEqual([...letGo].sort(), told.sort());
    outbox.drop(outbox.old(10).map(({ call }) => call));
    assert.deepEqual(outbox.old(10), []);
  });
});
