/** Processes that stand still while they are copied: for one backup at a time, and none is left so, whatever happens. */
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { fabricProcessesOf, startTimeOf } from '@salus/network/commands/run-file';
import { ProcessGroup } from '@salus/network/fabric/processes';

import { type CommandResult, salus } from '../support/command.js';
import { scratchFolder } from '../support/scratch.js';
import { projectRoot } from '../support/shared.js';

/** Enough that a backup takes longer than it takes to see that it began. */
const FILES = 600;
const PATIENCE_MS = 60_000;

interface Node {
  readonly pid?: number | undefined;
}

/** State of a process as the kernel says it: T halted, S asleep; undefined once it has ended. */
function stateOf({ pid = 0 }: Node): string | undefined {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

async function seen(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > end) assert.fail(`not seen: ${what}`);
    await sleep(2);
  }
}

describe('processes that stand still for a backup', function () {
  this.timeout(180_000);
  const scratch = scratchFolder();
  const stateDir = join(scratch.path, 'state');
  const started: ChildProcess[] = [];
  let first: ChildProcess;
  let nodes: Node[];
  let copies = 0;

  const node = (): ChildProcess => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    started.push(child);
    return child;
  };
  const run = (...args: string[]): Promise<CommandResult> => salus(stateDir, args);
  const nextCopy = (): string => join(scratch.path, `copy${(copies += 1)}`);

  /** A backup that has halted the nodes and is halted itself: it is under way for as long as the test likes. */
  async function underWay(): Promise<{ backup: ChildProcess; ended: Promise<number | null> }> {
    const cli = join(projectRoot, 'network', 'dist', 'cli.js');
    const env = { ...process.env, SALUS_STATE: stateDir };
    const backup = spawn(process.execPath, [cli, 'backup', nextCopy()], { env, stdio: 'ignore' });
    started.push(backup);
    const ended = new Promise<number | null>((resolve) => backup.once('exit', resolve));
    await seen('halted nodes', () => nodes.every((each) => stateOf(each) === 'T'));
    backup.kill('SIGSTOP');
    await seen('a halted backup', () => stateOf(backup) === 'T');
    return { backup, ended };
  }

  before(() => {
    mkdirSync(join(stateDir, 'ledger'), { recursive: true });
    writeFileSync(join(stateDir, 'endpoints.json'), '{"engine":"fabric","members":{}}');
    for (let index = 0; index < FILES; index += 1) writeFileSync(join(stateDir, 'ledger', String(index)), 'block');
  });

  beforeEach(() => {
    first = node();
    nodes = [first, node()];
    const recorded = nodes.map(({ pid = 0 }, index) => {
      return { name: `peer${index}.hill`, pid, startTime: startTimeOf(pid) ?? '' };
    });
    writeFileSync(fabricProcessesOf(stateDir), JSON.stringify(recorded));
  });
  afterEach(() => {
    for (const each of started.splice(0)) each.kill('SIGKILL');
  });
  after(() => {
    scratch.remove();
  });

  it('are left to the backup that halted them: another one is refused and does not have them go on', async () => {
    const { backup, ended } = await underWay();
    const second = await run('backup', nextCopy());
    assert.deepEqual([second.code, second.out], [1, '']);
    assert.match(second.err, /a backup of this state folder is under way: repeat when it is done/);
    for (const verb of [['start'], ['reset', '--yes'], ['restore', join(scratch.path, 'copy1')]]) {
      assert.match((await run(...verb)).err, /a backup of this state folder is under way/, verb.join(' '));
    }
    await run('status');
    assert.deepEqual(nodes.map(stateOf), ['T', 'T']);
    backup.kill('SIGCONT');
    assert.equal(await ended, 0);
    assert.deepEqual(nodes.map(stateOf), ['S', 'S']);
    assert.equal((await run('backup', nextCopy())).code, 0);
  });

  it('go on although one of them was killed meanwhile', async () => {
    const { backup, ended } = await underWay();
    const [, second = {}] = nodes;
    const gone = new Promise((resolve) => first.once('exit', resolve));
    first.kill('SIGKILL');
    await gone;
    backup.kill('SIGCONT');
    assert.equal(await ended, 0);
    assert.equal(stateOf(second), 'S');
  });

  it('go on at the next verb, which says so, when the backup was killed', async () => {
    const { backup, ended } = await underWay();
    backup.kill('SIGKILL');
    await ended;
    assert.deepEqual(nodes.map(stateOf), ['T', 'T']);
    const said = await run('status');
    assert.match(said.err, /a backup that was killed had left 2 processes halted: they go on/);
    assert.deepEqual(nodes.map(stateOf), ['S', 'S']);
    assert.doesNotMatch((await run('status')).err, /killed/);
    assert.equal((await run('backup', nextCopy())).code, 0);
  });

  it('are not stopped under it: who runs them waits until it is done', async () => {
    const group = new ProcessGroup(fabricProcessesOf(stateDir));
    const logFile = join(scratch.path, 'peer0.log');
    await group.start({ name: 'peer0.hill', command: 'sleep', args: ['600'], environment: {}, logFile, listens: [] });
    nodes = [...group.pids().values()].map((pid) => ({ pid }));
    const { backup, ended } = await underWay();
    const stopped = group.stop();
    await sleep(1_000);
    assert.deepEqual(nodes.map(stateOf), ['T']);
    backup.kill('SIGCONT');
    assert.equal(await ended, 0);
    await stopped;
    assert.deepEqual(nodes.map(stateOf), [undefined]);
  });
});
