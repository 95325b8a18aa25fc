import assert from 'node:assert/strict';
import { setImmediate as next } from 'node:timers/promises';

import { Turns } from '@salus/gateway/supply/packs/turns';

describe('turns of work on items', () => {
  async function order(...work: readonly (readonly [item: string, around: readonly string[]])[]): Promise<string> {
    const turns = new Turns();
    const said: string[] = [];
    await Promise.all(
      work.map(([item, around], index) =>
        turns.take(item, around, async () => {
          said.push(`+${index}`);
          await next();
          await next();
          said.push(`-${index}`);
        }),
      ),
    );
    return said.join(' ');
  }

  it('come one after the other for one item', async () => {
    assert.equal(await order(['pack', []], ['pack', []], ['pack', []]), '+0 -0 +1 -1 +2 -2');
  });

  it('come at once for others, in one case as well', async () => {
    assert.equal(await order(['one', ['case']], ['two', ['case']], ['three', []]), '+0 +1 +2 -0 -1 -2');
  });

  it('wait for the case that an item lies in, and the case for them', async () => {
    assert.equal(await order(['one', ['case', 'pallet']], ['pallet', []], ['two', ['pallet']]), '+0 -0 +1 -1 +2 -2');
  });

  it('go on after work that fails', async () => {
    const turns = new Turns();
    const failing = turns.take('pack', [], () => Promise.reject(new Error('refused')));
    const following = turns.take('pack', [], () => Promise.resolve('done'));
    await assert.rejects(failing, /refused/);
    assert.equal(await following, 'done');
  });
});
