/** A process of an earlier release runs the nodes: the signal that tells of an upgrade would end it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { followerOf, isAlive, type RecordedProcess, startTimeOf, writeRunFile } from '@salus/network/commands/run-file';
import { endReplaced, startBeside } from '@salus/network/fabric/beside';
import { memberPairs } from '@salus/network/fabric/establish';
import { readSuccessors, writeSuccessors } from '@salus/network/fabric/successors';
import { layout } from '@salus/network/identity/layout';
import { type PreparedState, prepareState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { freePortBase } from '../support/free-ports.js';
import { projectRoot } from '../support/shared.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';

const REFUSED = /follows no upgrade: stop and start once/;
const NEXT = { packageId: 'salus:new', main: '/new/main.js', members: [] };
/** How long a process that was sent a signal may take to end by it, milliseconds. */
const ENDS_MS = 500;

describe('the process that runs the nodes', () => {
  const home = scratchFolder();
  const { path: stateDir } = home;
  let prepared: PreparedState;
  let earlier: ChildProcess;
  let ledger: RecordedProcess;

  before(async () => {
    const topology = fewMembers(home.path, await freePortBase(), ['stmary', 'northside', 'acme', 'authority']);
    prepared = await prepareState(loadTopology(topology), stateDir, { engine: 'fabric' });
    earlier = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => undefined, 1000)']);
    await once(earlier.stdout!, 'data');
    const pid = earlier.pid!;
    ledger = { name: 'ledger', pid, startTime: startTimeOf(pid)! };
    writeRunFile(stateDir, { engine: 'fabric', ready: true, children: [ledger] });
  });
  after(() => {
    earlier.kill('SIGKILL');
    home.remove();
  });

  it('is told of no upgrade where it is of a release that follows none, and goes on', async () => {
    const [pair] = memberPairs(prepared);
    await assert.rejects(startBeside(stateDir, pair!, prepared.definition), REFUSED);
    assert.equal(existsSync(layout.successors(stateDir)), false);
    writeSuccessors(stateDir, { next: NEXT });
    await assert.rejects(endReplaced(stateDir), REFUSED);
    assert.deepEqual(readSuccessors(stateDir), { next: NEXT });
    await sleep(ENDS_MS);
    assert.ok(isAlive(ledger));
  });

  it('says that it follows them before it starts a node, and counts for no other process', async () => {
    const main = join(projectRoot, 'network', 'dist', 'fabric', 'main.js');
    const none = join(home.path, 'none');
    const { pid, status } = spawnSync(process.execPath, [main, stateDir, '--fabric-bin', none], {
      env: { PATH: none },
    });
    assert.equal(status, 1);
    const said = JSON.parse(readFileSync(followerOf(stateDir), 'utf8')) as RecordedProcess;
    assert.deepEqual([said.name, said.pid], ['ledger', pid]);
    assert.match(said.startTime, /^\d+$/);
    await assert.rejects(endReplaced(stateDir), REFUSED);
    await sleep(ENDS_MS);
    assert.ok(isAlive(ledger));
  });
});
