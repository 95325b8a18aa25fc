import assert from 'node:assert/strict';

import { MOST_WRITES, WrittenTransactions, type Written } from '@salus/gateway/ledger/written';

describe('what single transactions wrote', () => {
  const asked: string[] = [];
  const known = new Map<string, Written>();
  const transactions = new WrittenTransactions((txId) => {
    asked.push(txId);
    return Promise.resolve(known.get(txId));
  });
  const wrote = (count: number): Written => ({
    code: 0,
    writes: Array.from({ length: count }, () => ({ isDelete: false, isPurge: false })),
  });
  const askedFor = async (...txIds: string[]): Promise<string[]> => {
    asked.length = 0;
    await Promise.all(txIds.map((each) => transactions.of(each)));
    return [...asked];
  };

  it('is read once, also when it is asked for at the same time', async () => {
    known.set('a', wrote(1));
    assert.deepEqual(await askedFor('a', 'a'), ['a']);
    assert.deepEqual(await askedFor('a'), []);
    assert.equal((await transactions.of('a'))?.writes.length, 1);
  });

  it('is asked for again while the peer does not know it', async () => {
    assert.deepEqual(await askedFor('b'), ['b']);
    known.set('b', wrote(2));
    assert.deepEqual(await askedFor('b'), ['b']);
    assert.deepEqual(await askedFor('b'), []);
  });

  it(`is remembered up to ${MOST_WRITES} writes, the oldest forgotten first`, async () => {
    known.set('most', wrote(MOST_WRITES - 3));
    await askedFor('most');
    assert.deepEqual(await askedFor('a', 'b', 'most'), []);
    known.set('one over', wrote(1));
    await askedFor('one over');
    assert.deepEqual(await askedFor('b', 'most', 'one over'), []);
    assert.deepEqual(await askedFor('a'), ['a']);
  });
});
