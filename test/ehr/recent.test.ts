import assert from 'node:assert/strict';

import { MOST_RECENT, RecentContents } from '@salus/gateway/ehr/recent';

describe('what was written a moment ago', () => {
  const value = { v: 1, salt: 'ab', ciphertext: 'cd', commitment: 'ef' } as const;

  it('is taken from memory once, and only if the ledger holds the very same bytes', () => {
    const recent = new RecentContents();
    recent.keep('k1', value, 'plain');
    assert.equal(recent.take('k1', { ...value, ciphertext: 'other' }), undefined);
    recent.keep('k1', value, 'plain');
    assert.equal(recent.take('k2', value), undefined, 'a copy of it in another place is not it');
    assert.equal(recent.take('k1', value), 'plain');
    assert.equal(recent.take('k1', value), undefined);
  });

  it('is forgotten when there is more of it than memory is given', () => {
    const recent = new RecentContents();
    for (let index = 0; index <= MOST_RECENT; index += 1) recent.keep('k1', { ...value, salt: String(index) }, 'plain');
    assert.equal(recent.take('k1', { ...value, salt: '0' }), undefined);
    assert.equal(recent.take('k1', { ...value, salt: String(MOST_RECENT) }), 'plain');
  });
});
