import assert from 'node:assert/strict';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

import { parseWrite, versionKey } from '@salus/chaincode/ehr/api';
import { contentOf, openStored, storedBytes } from '@salus/gateway/ehr/translate';
import { EhrWriter } from '@salus/gateway/ehr/writer';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Outbox } from '@salus/gateway/ledger/outbox';
import { OutboxStore } from '@salus/gateway/ledger/outbox-store';
import { Retriable } from '@salus/gateway/ledger/failure';
import { Refusal } from '@salus/gateway/ledger/refusal';
import { MAX_ENDORSEMENTS } from '@salus/gateway/ledger/submit';
import type { Actor, Idempotency, ResourceWrite } from '@salus/gateway/ports';

import { scratchFolder } from '../support/scratch.js';
import type { ScriptedSteps } from '../support/scripted-steps.js';
import { type OpenWriter, requestOf, writerAt } from './writer-at.js';

const actor: Actor = {
  member: 'stmary',
  user: 'dr-adams',
  role: 'physician',
  purpose: 'TREAT',
  scopes: ['user/*.cruds'],
};

function observation(id: string, expect = 0, value = 'plain'): ResourceWrite {
  const text = JSON.stringify({ resourceType: 'Observation', id, note: [{ text: value }] });
  return { type: 'Observation', id, expect, text, patient: 'p1' };
}

/** The same Idempotency-Key each time, of a request with this digest. */
function key(digest: string): Idempotency {
  return { key: 'key-1', digest };
}

/** The disk is full when the first envelope is kept, and when the first end is. */
class FullDisk extends OutboxStore {
  failures = 0;

  override endorsed(...[id, endorsed]: Parameters<OutboxStore['endorsed']>): void {
    if (this.failures === 0) this.#fail();
    super.endorsed(id, endorsed);
  }

  override committed(...[id, commit]: Parameters<OutboxStore['committed']>): void {
    if (this.failures === 1) this.#fail();
    super.committed(id, commit);
  }

  #fail(): never {
    this.failures += 1;
    throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
  }
}

describe('writing clinical versions', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  let steps: ScriptedSteps;
  let outbox: Outbox;
  let writer: EhrWriter;

  let close: OpenWriter['close'];

  function open(): void {
    ({ keys, steps, outbox, writer, close } = writerAt(folder.path, 1_000));
  }

  beforeEach(() => {
    folder = scratchFolder();
    open();
  });
  afterEach(async () => {
    await close();
    folder.remove();
  });

  it('sends ciphertext only, in the transient map, to the own peer alone', async () => {
    const outcome = await writer.write(actor, [observation('o1', 0, 'CANARY-1')]);
    assert.equal(outcome.state, 'committed');
    const call = steps.calls[0]!;
    assert.deepEqual(call.endorsers, ['StmaryMSP']);
    assert.equal(call.argument, undefined);
    const sent = Object.values(call.transient!).map((value) => Buffer.from(value).toString('latin1'));
    assert.ok(
      sent.every((text) => !text.includes('CANARY-1') && !text.includes('o1"') && !text.includes('Observation')),
    );
  });

  it('makes requests the chaincode accepts, which open again with the kept key', async () => {
    await writer.write(actor, [observation('o1'), { type: 'Observation', id: 'o2', expect: 3, patient: 'p1' }]);
    const request = parseWrite(requestOf(steps.calls[0]!), 'request');
    const contents = request.entries.map(({ key, version, value }) =>
      contentOf(openStored(versionKey(key, version), storedBytes(value), { keys })!),
    );
    const { member, user, role, purpose } = actor;
    const by = { member, user, role, purpose };
    assert.deepEqual(contents[0], { type: 'Observation', id: 'o1', patient: 'p1', by, text: observation('o1').text });
    assert.deepEqual(contents[1], { type: 'Observation', id: 'o2', patient: 'p1', by });
    assert.deepEqual(
      request.entries.map(({ version }) => version),
      [1, 4],
    );
  });

  it('keeps keys and intent on disk before it proposes, and the envelope before it sends', async () => {
    const seen: string[] = [];
    const read = (): OutboxStore => new OutboxStore(folder.path, 'gateway0', keys.seal);
    steps.endorser = () => {
      const other = read();
      seen.push(...other.open().map(({ standing }) => standing.state));
      other.close();
    };
    steps.onSend = () => {
      const other = read();
      seen.push(...other.open().map(({ standing }) => standing.state));
      other.close();
    };
    await writer.write(actor, [observation('o1')]);
    assert.deepEqual(seen, ['intent', 'endorsed']);
  });

  it('is carried on while no other peer of the member takes the private value', async () => {
    steps.endorser = (_call, attempt) => {
      if (attempt <= MAX_ENDORSEMENTS) throw new Retriable('undistributed');
    };
    const outcome = await writer.write(actor, [observation('o1')], key('u1'));
    assert.equal(outcome.state, 'unknown');
    assert.deepEqual(steps.sent, []);
    await outbox.settled();
    assert.equal((await writer.write(actor, [observation('o1')], key('u1'))).state, 'committed');
    assert.equal(steps.sent.length, 1);
  });

  it('goes on by itself once a full disk has room again, wherever it was', async () => {
    await close();
    let full!: FullDisk;
    ({ keys, steps, outbox, writer, close } = writerAt(
      folder.path,
      60_000,
      (seal) => (full = new FullDisk(folder.path, 'gateway0', seal)),
    ));
    const outcome = await writer.write(actor, [observation('o1')], key('d1'));
    assert.equal(outcome.state, 'committed');
    assert.equal(steps.sent.length, 1, 'nothing is sent that is not kept');
    assert.equal(full.failures, 2);
    const again = await writer.write(actor, [observation('o1')], key('d1'));
    assert.deepEqual([again.state, full.open().length], ['committed', 1], 'known, though not kept yet');
    while (full.open().length > 0) await sleep(100);
    assert.equal((await writer.write(actor, [observation('o1')], key('d1'))).state, 'committed');
    assert.equal(steps.sent.length, 1);
  }).timeout(30_000);

  it('lets concurrent writes share a transaction, whoever writes', async () => {
    const writes = Array.from({ length: 30 }, (_, index) =>
      writer.write({ ...actor, user: `u${index}`, role: index % 2 ? 'nurse' : actor.role }, [observation(`o${index}`)]),
    );
    const outcomes = await Promise.all(writes);
    assert.ok(steps.calls.length <= 3, `${steps.calls.length} transactions`);
    const txIds = new Set(outcomes.map((each) => (each.state === 'committed' ? each.commit.txId : '')));
    assert.equal(txIds.size, steps.calls.length);
  });

  it('writes beside a transaction that hangs', async () => {
    steps.decide = (_call, attempt) => (attempt === 1 ? 'silent' : 0);
    const first = writer.write(actor, [observation('o1')]);
    // On its way in this turn of the event loop, however long that takes.
    await turn();
    const outcomes = await Promise.all(['o2', 'o3'].map((id) => writer.write(actor, [observation(id)])));
    assert.ok(outcomes.every(({ state }) => state === 'committed'));
    assert.equal((await first).state, 'unknown');
  });

  it('halves a refused group until only the culprit is refused', async () => {
    steps.endorser = (call) => {
      const { entries } = requestOf(call);
      if (entries.some(({ version }) => version === 8))
        throw new Refusal('conflict', 'version-conflict', 'not the next');
    };
    const good = [1, 2, 3].map((index) => writer.write(actor, [observation(`o${index}`)]));
    const bad = writer.write(actor, [observation('bad', 7)]);
    await assert.rejects(bad, (error) => error instanceof Refusal && error.code === 'version-conflict');
    const outcomes = await Promise.all(good);
    assert.ok(outcomes.every(({ state }) => state === 'committed'));
    assert.equal(new Set(outcomes.map((each) => (each.state === 'committed' ? each.commit.txId : ''))).size, 2);
  });

  it('re-endorses after an MVCC conflict until it commits', async () => {
    steps.decide = (_call, attempt) => (attempt < 3 ? 11 : 0);
    const outcome = await writer.write(actor, [observation('o1')]);
    assert.equal(outcome.state, 'committed');
    assert.equal(steps.calls.length, 3);
  });

  it('answers a repeated Idempotency-Key with what the first request wrote, and writes once', async () => {
    const first = await writer.write(actor, [observation('made-first')], key('a'));
    const second = await writer.write(actor, [observation('made-again')], key('a'));
    assert.deepEqual(second, { ...first, replayed: true });
    assert.equal(first.state === 'committed' && first.written[0], 'Observation/made-first/_history/1');
    assert.equal(steps.calls.length, 1);
  });

  it('refuses an Idempotency-Key used for another request', async () => {
    await writer.write(actor, [observation('o1')], key('a'));
    const other = writer.write(actor, [observation('o2')], key('b'));
    await assert.rejects(other, (error) => error instanceof Refusal && error.code === 'unprocessable');
  });

  it("keeps one client's keys apart from another's", async () => {
    await writer.write(actor, [observation('o1')], key('a'));
    const other = await writer.write({ ...actor, user: 'dr-baker' }, [observation('o2', 0, 'other')], key('a'));
    assert.equal(other.state, 'committed');
    assert.equal(steps.calls.length, 2);
  });

  it('lets a refused request be tried again under its key', async () => {
    steps.endorser = (_call, attempt) => {
      if (attempt === 1) throw new Refusal('conflict', 'version-conflict', 'not the next');
    };
    await assert.rejects(writer.write(actor, [observation('o1', 1)], key('a')));
    const outcome = await writer.write(actor, [observation('o1', 2)], key('a'));
    assert.equal(outcome.state, 'committed');
  });

  it('says unknown, never failed, when nobody tells the outcome, and settles it by the same envelope later', async () => {
    steps.decide = () => 'silent';
    const outcome = await writer.write(actor, [observation('o1')], key('a'));
    assert.deepEqual(outcome, { state: 'unknown', key: 'key-1' });
    const [txId] = steps.sent;
    await close();
    open();
    assert.equal(outbox.recover(), 1);
    const later = await writer.write(actor, [observation('o1-again')], key('a'));
    assert.equal(later.state === 'committed' && later.commit.txId, txId);
    assert.equal(steps.calls.length, 0, 'nothing was endorsed again');
  });

  it('proposes after a restart what was intended and never endorsed', async () => {
    let release: () => void = () => undefined;
    steps.endorse = () =>
      new Promise(
        (_resolve, reject) =>
          (release = () => {
            reject(new Error('process ended'));
          }),
      );
    const outcome = writer.write(actor, [observation('o1')], key('a'));
    assert.equal((await outcome).state, 'unknown');
    release();
    await close();
    open();
    assert.equal(outbox.recover(), 1);
    const later = await writer.write(actor, [observation('o1')], key('a'));
    assert.equal(later.state, 'committed');
    assert.equal(steps.calls.length, 1);
  });

  it('refuses more versions than one transaction takes', async () => {
    const writes = Array.from({ length: 2001 }, (_, index) => observation(`o${index}`));
    await assert.rejects(
      writer.write(actor, writes),
      (error) => error instanceof Refusal && error.code === 'too-costly',
    );
  });
});
