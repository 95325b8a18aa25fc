import assert from 'node:assert/strict';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

import { Grouping, HOLD_MS } from '@salus/gateway/ehr/grouping';

interface Item {
  readonly kin: string;
  readonly size: number;
  readonly bytes?: number;
  readonly name: string;
  readonly claims?: readonly string[];
}

describe('writes that share transactions', () => {
  /** The groups that were carried, by the names in them, and the way to end each. */
  let groups: { readonly names: string; end(): Promise<void> }[];
  let grouping: Grouping<Item>;

  beforeEach(() => {
    // Of this test alone: what another left waiting goes to its own.
    const own: typeof groups = (groups = []);
    grouping = new Grouping<Item>(
      (items) => {
        const carried = Promise.withResolvers<undefined>();
        const end = async (): Promise<void> => {
          carried.resolve(undefined);
          await turn();
        };
        own.push({ names: items.map(({ name }) => name).join(''), end });
        return carried.promise;
      },
      5,
      100,
    );
  });

  function add(names: string, kin = 'one', size = 1, bytes = 1): void {
    for (const name of names) grouping.add({ kin, size, bytes, name });
  }

  async function carried(): Promise<string[]> {
    await turn();
    return groups.map(({ names }) => names);
  }

  async function end(at: number): Promise<void> {
    await groups[at]?.end();
  }

  it('go at once when nothing is under way, with what came in the same moment', async () => {
    add('ab');
    assert.deepEqual(await carried(), ['ab']);
  });

  it('gather while one is under way, and go together when it ends, with those whom it answered', async () => {
    add('a');
    await carried();
    add('b');
    await turn();
    add('c');
    assert.deepEqual(await carried(), ['a']);
    await end(0);
    assert.deepEqual(await carried(), ['a'], 'whom it answered was not waited for');
    add('d');
    assert.deepEqual(await carried(), ['a', 'bcd']);
  });

  it('do not go on waiting for those who were answered and do not come again', async () => {
    add('a');
    await carried();
    add('b');
    await end(0);
    while (groups.length < 2) await sleep(1);
    assert.deepEqual(await carried(), ['a', 'b']);
  });

  it('one after the other are never made to wait', async () => {
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      add(name);
      assert.equal((await carried()).length, index + 1);
      await end(index);
    }
  });

  it('are not held up by another kin, nor by as many as fill a transaction', async () => {
    add('a');
    add('x', 'other');
    assert.deepEqual(await carried(), ['a', 'x']);
    add('bcdefg');
    assert.deepEqual(await carried(), ['a', 'x', 'bcdef']);
    add('h', 'other', 3);
    add('i', 'other', 3);
    assert.deepEqual(await carried(), ['a', 'x', 'bcdef', 'h']);
  });

  it('larger than a transaction go alone, and what comes meanwhile gathers behind them', async () => {
    add('a', 'one', 6);
    assert.deepEqual(await carried(), ['a']);
    add('b');
    assert.deepEqual(await carried(), ['a']);
    await end(0);
    add('c');
    assert.deepEqual(await carried(), ['a', 'bc']);
  });

  it('are as many as their bytes leave room for, and not one byte more', async () => {
    add('a');
    await carried();
    add('bc', 'one', 1, 50);
    assert.deepEqual(await carried(), ['a', 'bc'], 'full');
    add('d', 'one', 1, 51);
    add('e', 'one', 1, 50);
    assert.deepEqual(await carried(), ['a', 'bc', 'd']);
    assert.deepEqual(
      [99, 100].map((bytes) => grouping.fills({ size: 1, bytes })),
      [false, true],
    );
  });

  it('go past a transaction that hangs after a while, and then gather behind the next', async () => {
    add('a');
    await carried();
    const began = performance.now();
    add('b');
    while (groups.length < 2) await sleep(5);
    const waited = performance.now() - began;
    assert.ok(waited >= HOLD_MS - 10, `${waited} ms`);
    add('cd');
    assert.deepEqual(await carried(), ['a', 'b']);
    await end(1);
    add('e');
    assert.deepEqual(await carried(), ['a', 'b', 'cde']);
    await end(0);
    assert.deepEqual(await carried(), ['a', 'b', 'cde'], 'one that hung ends for nobody any more');
  });

  it('clash with what gathers or is under way: those go behind it, each alone, a few at a time', async () => {
    const claiming = (names: string, ...claims: string[]): void => {
      for (const name of names) grouping.add({ kin: 'one', size: 1, name, claims });
    };
    claiming('a', 'r');
    claiming('b', 'q', 'r');
    claiming('c', 's');
    assert.deepEqual(await carried(), ['ac']);
    claiming('d', 'r');
    claiming('e');
    assert.deepEqual(await carried(), ['ac']);
    claiming('x'.repeat(20), 'r');
    await end(0);
    await turn();
    const apart = ['b', 'd', ...Array<string>(14).fill('x')];
    assert.deepEqual((await carried()).slice(0, 17), ['ac', ...apart], 'sixteen at a time');
    claiming('f', 's');
    while (groups.length < 18) await sleep(1);
    assert.equal((await carried())[17], 'e', 'whom they do not clash with goes without them');
    for (let at = 1; at <= 16; at += 1) await end(at);
    while (groups.length < 25) await sleep(1);
    assert.deepEqual((await carried()).slice(18), [...Array<string>(6).fill('x'), 'f']);
    for (let at = 17; at <= 24; at += 1) await end(at);
    await sleep(1);
    claiming('g', 'r', 's');
    while (groups.length < 26) await sleep(1);
    assert.equal((await carried())[25], 'g', 'claimed by nobody any more');
  });

  it('are gathered behind one that fails, too', async () => {
    const failing = new Grouping<Item>((items) => {
      groups.push({ names: items.map(({ name }) => name).join(''), end: () => Promise.resolve() });
      return Promise.reject(new Error('refused'));
    }, 5);
    failing.add({ kin: 'one', size: 1, name: 'a' });
    await carried();
    failing.add({ kin: 'one', size: 1, name: 'b' });
    assert.deepEqual(await carried(), ['a', 'b']);
  });
});
