import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { LateLog } from '@salus/gateway/glass/late-log';
import { GLASS_BUDGET, GlassStore, type Glass } from '@salus/gateway/glass/store';
import { KeyStore } from '@salus/gateway/keys/key-store';

import { random } from '../support/contract-world.js';
import { scratchFolder } from '../support/scratch.js';

const PROGRAM = join(import.meta.dirname, '../support/programs/take-late.js');

/** Acts of a member by clinicians of their own, so that the member's budget alone ends it. */
const actsOf = (member: string, count: number): Glass[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ aid: random(), pid: random(), patient: `p${index}`, member, user: `u${index}`, at: 1_800_000_000_000 },
  }));

describe('two gateways of a custodian that hear the same late requests at once', () => {
  const folder = scratchFolder();
  const children: ChildProcess[] = [];
  after(() => {
    for (const child of children) child.kill();
    folder.remove();
  });

  /** Both processes are sent each act at once, now one first and now the other; what each opened. */
  async function raced(dir: string, acts: readonly Glass[]): Promise<string[][]> {
    const gateways = [1, 2].map(() => fork(PROGRAM, [dir]));
    children.push(...gateways);
    const saying = (gateway: ChildProcess): Promise<unknown> =>
      once(gateway, 'message').then(([said]) => said as unknown);
    await Promise.all(gateways.map(saying));
    const opened: string[][] = gateways.map(() => []);
    for (const [index, glass] of acts.entries()) {
      const answers = gateways.map(saying);
      for (const gateway of index % 2 === 0 ? gateways : gateways.toReversed()) gateway.send(glass);
      for (const [at, isOpened] of (await Promise.all(answers)).entries())
        if (isOpened === true) opened[at]?.push(glass.aid);
    }
    const exited = gateways.map((gateway) => once(gateway, 'exit'));
    for (const gateway of gateways) gateway.disconnect();
    await Promise.all(exited);
    return opened;
  }

  it('open each at one of them, within one budget, and keep of each what opened it', async () => {
    const dir = join(folder.path, 'stmary');
    const acts = ['northside', 'westgate'].flatMap((member) => actsOf(member, 3 * GLASS_BUDGET.member));
    const lists = await raced(dir, acts);
    const opened = lists.flat();
    assert.equal(new Set(opened).size, opened.length, 'none opened at both');
    assert.ok(
      lists.every(({ length }) => length > 0),
      'both gateways opened some, else nothing raced',
    );
    const keys = new KeyStore(dir);
    const [log, store] = [new LateLog(keys, 'stmary'), new GlassStore(keys)];
    for (const member of ['northside', 'westgate']) {
      const own = acts.filter((act) => act.member === member);
      assert.equal(own.filter(({ aid }) => opened.includes(aid)).length, GLASS_BUDGET.member, member);
    }
    assert.deepEqual([...log.open('opened').keys()].toSorted(), opened.toSorted());
    for (const { aid } of acts) assert.equal(store.of(aid)?.state, opened.includes(aid) ? 'queued' : undefined);
    keys.close();
  }).timeout(60_000);
});
