/** What a killed start leaves behind, as users meet it: processes without a supervisor, and a run.json of nobody. */
import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type RunFile, readRunFile } from '@salus/network/commands/run-file';

import { salus } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { topologyAt } from '../support/topology-file.js';

describe('a start that was killed', function () {
  this.timeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), 'salus-orphans-'));
  const stateDir = join(folder, 'state');
  const record = join(stateDir, 'run.json');
  let topology: string;
  const run = (...args: string[]) => salus(stateDir, args, topology);
  const isThere = ({ pid }: { readonly pid: number }): boolean => existsSync(`/proc/${pid}`);

  before(async () => {
    topology = topologyAt(folder, await freePortBase());
    const { code, err } = await run('up');
    assert.equal(code, 0, err);
  });
  after(async () => {
    await run('down');
    rmSync(folder, { recursive: true, force: true });
  });

  /** Kills the supervisor alone; what it ran goes on. */
  async function orphaned(): Promise<RunFile> {
    const running = readRunFile(stateDir) ?? assert.fail('nothing runs');
    process.kill(running.pid, 'SIGKILL');
    await eventually(() => {
      assert.equal(readRunFile(stateDir), undefined);
      return Promise.resolve();
    });
    assert.ok(running.children.length > 1 && running.children.every(isThere));
    return running;
  }

  it('is not shown as running, and the next one ends what it left and goes on', async () => {
    const left = await orphaned();
    const status = await run('status');
    assert.equal(status.code, 1);
    assert.match(status.out, /npm start/);
    const up = await run('up');
    assert.equal(up.code, 0, up.err);
    assert.deepEqual(left.children.filter(isThere), []);
    assert.equal((await run('status')).code, 0);
  });

  it('is ended by down, too', async () => {
    const left = await orphaned();
    const { code, err } = await run('down');
    assert.equal(code, 0, err);
    assert.deepEqual(left.children.filter(isThere), []);
    assert.ok(!existsSync(record));
  });

  it('is not mistaken for a process that has its number by now', async () => {
    const stale: RunFile = { pid: process.pid, startTime: '1', engine: 'embedded', ready: true, children: [] };
    writeFileSync(record, JSON.stringify(stale));
    assert.equal((await run('status')).code, 1);
    assert.equal((await run('down')).code, 0);
  });
});
