import assert from 'node:assert/strict';
import { Cutter } from '@salus/network/embedded/orderer/cutter';

const rules = { maxMessages: 3, preferredBytes: 100, timeoutMs: 0 };
const message = (name: string, size: number) => ({ envelope: Buffer.from(name), size });
const names = (batches: Buffer[][]): string[][] => batches.map((batch) => batch.map(String));

describe('block cutter', () => {
  it('cuts when as many envelopes wait as a block may hold', () => {
    const cutter = new Cutter(rules);
    assert.deepEqual(cutter.add(message('a', 1)), []);
    assert.deepEqual(cutter.add(message('b', 1)), []);
    assert.deepEqual(names(cutter.add(message('c', 1))), [['a', 'b', 'c']]);
    assert.equal(cutter.pending, 0);
  });

  it('cuts what waits before an envelope that would make it too large', () => {
    const cutter = new Cutter(rules);
    cutter.add(message('a', 60));
    assert.deepEqual(names(cutter.add(message('b', 41))), [['a']]);
    assert.deepEqual(names([cutter.cut()]), [['b']]);
  });

  it('takes an envelope that just fits', () => {
    const cutter = new Cutter(rules);
    cutter.add(message('a', 60));
    assert.deepEqual(cutter.add(message('b', 40)), []);
  });

  it('gives an envelope above the preferred size a block of its own, after what waits', () => {
    const cutter = new Cutter(rules);
    cutter.add(message('a', 1));
    assert.deepEqual(names(cutter.add(message('large', 101))), [['a'], ['large']]);
  });
});
