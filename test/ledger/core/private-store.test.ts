import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ledger } from '@hyperledger/fabric-protos';
import { LogSync } from '@salus/network/log-sync';
import { PrivateStore, type PrivateBlock } from '@salus/network/embedded/store/private-store';
import { TransientSets } from '@salus/network/embedded/store/transient-sets';
import { scratchFolder } from '../../support/scratch.js';

const { kvrwset, TxPvtReadWriteSet } = ledger.rwset;

const AT = { namespace: 'salus', collection: 'care' };

function sha256(bytes: string | Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function partOf(tx: number, written: Readonly<Record<string, string>>): PrivateBlock['parts'][number] {
  const set = new kvrwset.KVRWSet();
  for (const [key, value] of Object.entries(written)) {
    const write = set.addWrites();
    write.setKey(key);
    write.setValue(Buffer.from(value));
  }
  return { ...AT, tx, bytes: Buffer.from(set.serializeBinary()), expires: undefined };
}

function keyAt(key: string, tx: number) {
  return { ...AT, keyHash: sha256(key), tx };
}

function valueOf(key: string, tx: number, value: string | undefined): PrivateBlock['values'][number] {
  const bytes = value === undefined ? undefined : Buffer.from(value);
  return { ...keyAt(key, tx), key: Buffer.from(key), value: bytes };
}

/** Keys in the write sets of a block, by transaction. */
function keysIn(store: PrivateStore, block: number): string[][] {
  return [...store.parts(block).values()].map((bytes) =>
    TxPvtReadWriteSet.deserializeBinary(bytes)
      .getNsPvtRwsetList()
      .flatMap((namespace) => namespace.getCollectionPvtRwsetList())
      .flatMap((part) => kvrwset.KVRWSet.deserializeBinary(part.getRwset_asU8()).getWritesList())
      .map((write) => write.getKey()),
  );
}

describe("a member's private store", () => {
  let folder: ReturnType<typeof scratchFolder>;
  let file: string;

  beforeEach(() => {
    folder = scratchFolder();
    file = join(folder.path, 'private.db');
  });
  afterEach(() => {
    folder.remove();
  });

  it('takes a purged key out of every write set, also where a later write replaced its value', async () => {
    const store = new PrivateStore(file);
    const nothing = { values: [], parts: [], purges: [], hidden: [] };
    // Block 1: k is written twice, the second time over the first; block 2: again, with a neighbour.
    const twice = [partOf(0, { k: 'one' }), partOf(1, { k: 'two' })];
    await store.write({
      ...nothing,
      number: 1,
      parts: twice,
      values: [valueOf('k', 1, 'two')],
      hidden: [keyAt('k', 0)],
    });
    store.settle(2, 2);
    const both = [valueOf('k', 0, 'three'), valueOf('kept', 0, 'stays')];
    await store.write({ ...nothing, number: 2, parts: [partOf(0, { k: 'three', kept: 'stays' })], values: both });
    store.settle(3, 3);
    await store.write({ ...nothing, number: 3, values: [valueOf('k', 0, undefined)], purges: [keyAt('k', 0)] });
    assert.deepEqual(keysIn(store, 2), [['k', 'kept']]);
    store.settle(3, 3);
    assert.deepEqual(keysIn(store, 2), [['k', 'kept']], 'not before the block of the purge counts');
    store.settle(4, 4);
    assert.deepEqual([keysIn(store, 1), keysIn(store, 2)], [[[], []], [['kept']]]);
    store.close();
    const left = readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('db'));
    for (const name of left.filter((each) => !each.endsWith('transient'))) {
      const bytes = readFileSync(join(folder.path, name), 'latin1');
      assert.ok(!/one|two|three/.test(bytes), name);
    }
  });

  it('keeps sets on their way over a restart, but none that a crash left half-written', () => {
    const path = join(folder.path, 'transient');
    const before = new TransientSets(path);
    before.put('tx1', Buffer.from('whole'), 7);
    before.put('tx1', Buffer.from('whole'), 8);
    before.put('tx2', Buffer.from('other'), 9);
    const [torn = ''] = readdirSync(path).filter((name) => name.startsWith('9-'));
    writeFileSync(join(path, torn), 'oth');
    const after = new TransientSets(path);
    assert.deepEqual(after.ids(), ['tx1']);
    assert.deepEqual(after.get('tx1'), [Buffer.from('whole')]);
    after.drop([], 8);
    assert.deepEqual([after.ids(), readdirSync(path)], [[], []]);
  });

  it('says no more that anything is on the disk once the disk failed', async () => {
    const good = new LogSync(join(folder.path, 'good.db'));
    writeFileSync(join(folder.path, 'good.db-wal'), '');
    await Promise.all([good.sync(), good.sync(), good.sync()]);
    good.close();
    // A device that cannot be synchronized stands for a disk that fails (fdatasync(2): EINVAL).
    symlinkSync('/dev/null', join(folder.path, 'bad.db-wal'));
    const bad = new LogSync(join(folder.path, 'bad.db'));
    const failure = await bad.sync().catch((error: unknown) => error as NodeJS.ErrnoException);
    assert.equal(failure?.syscall, 'fdatasync');
    // The same failure, not another try that might succeed.
    await assert.rejects(bad.sync(), (again) => again === failure);
    bad.close();
  });
});
