/** A process that ends while the consortium runs: what the terminal says, that it comes back, and when it is given up. */
import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  givenUp,
  MAX_ORDERLY_RESTARTS,
  MAX_RESTARTS,
  RESTART_WINDOW_MS,
  Restarts,
  STEADY_MS,
} from '@salus/network/commands/restarts';
import { type RecordedProcess, readRunFile, runningProcesses } from '@salus/network/commands/run-file';
import { until } from '@salus/network/fabric/lifecycle';
import { ProcessGroup } from '@salus/network/fabric/processes';

import { salus } from '../support/command.js';
import { engineName } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { residentBytes } from '../support/memory.js';
import { scratchFolder } from '../support/scratch.js';
import { topologyAt } from '../support/topology-file.js';
import { patient } from '../story/people.js';

/** The ledger's process starts every node anew. */
const PATIENCE_MS = 180_000;

describe('a process that ends untold', () => {
  it('is started again, later each time, until it has been too often; what ended long ago counts no more', () => {
    const restarts = new Restarts();
    const crash = { by: 'exit code 7', ranMs: STEADY_MS };
    const waits = Array.from({ length: MAX_RESTARTS + 1 }, (_, second) =>
      restarts.ended('peer0.hill', crash, second * 1_000),
    );
    assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, undefined]);
    assert.equal(restarts.ended('peer1.hill', crash, 6_000), 500);
    assert.equal(restarts.ended('peer0.hill', crash, RESTART_WINDOW_MS + 4_000), 1_000);
  });

  it('is not counted where somebody asked it to end; one that ends at once by itself is, however orderly', () => {
    for (const by of ['SIGTERM', 'signal SIGINT']) {
      const restarts = new Restarts();
      const waits = (ranMs: number) =>
        Array.from({ length: 30 }, (_, second) => restarts.ended('orderer', { by, ranMs }, second));
      assert.deepEqual(waits(STEADY_MS), Array(30).fill(500), by);
      assert.deepEqual(waits(STEADY_MS - 1).slice(0, 6), [500, 1_000, 2_000, 4_000, 8_000, undefined], by);
    }
  });

  it('with code 0 is started again more often than anybody asks, and not for ever', () => {
    const restarts = new Restarts();
    const end = { by: 'exit code 0', ranMs: STEADY_MS };
    const seconds = Array.from({ length: MAX_ORDERLY_RESTARTS + 1 }, (_, at) => at * 2_500);
    const waits = seconds.map((now) => restarts.ended('orderer', end, now));
    assert.deepEqual(waits, [...Array<number>(MAX_ORDERLY_RESTARTS).fill(500), undefined]);
    assert.match(givenUp('it ended', end), /^started again 20 times within 5 minutes and given up: it ended$/);
    assert.equal(restarts.ended('orderer', end, RESTART_WINDOW_MS + 52_500), 500);
    assert.equal(restarts.ended('orderer', { ...end, ranMs: STEADY_MS - 1 }, 0), 500);
  });

  it('is named with its log and the end of it, and given up when it ends again and again', async () => {
    const folder = scratchFolder();
    const group = new ProcessGroup(join(folder.path, 'record.json'));
    const script = 'console.log("no disk"); setTimeout(() => process.exit(7), 200)';
    const logFile = join(folder.path, 'peer0.hill.log');
    const plan = { name: 'peer0.hill', command: process.execPath, args: ['-e', script], environment: {}, logFile };
    const said: string[] = [];
    group.keep((line) => said.push(line));
    await group.start({ ...plan, listens: [] });
    const why = await group.failed;
    await group.stop();
    assert.match(
      why,
      /^started again 5 times within 5 minutes and given up: peer0.hill ended by exit code 7; its log is /,
    );
    assert.match(why, /peer0\.hill\.log and ends:\n {2}no disk/);
    const ends = said.filter((line) => line.includes('ended by exit code 7'));
    assert.match(ends[0] ?? '', /no disk\n {2}it is started again in 0\.5 s/);
    assert.equal(ends.length, MAX_RESTARTS);
    folder.remove();
  }).timeout(60_000);
});

describe('a running consortium one of whose processes is killed', function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'salus-restarts-'));
  const stateDir = join(folder, 'state');
  const log = () => readFileSync(join(stateDir, 'log', 'start.log'), 'utf8');
  let topology: string;
  let base: string;
  let token: string;

  before(async () => {
    const portBase = await freePortBase();
    topology = topologyAt(folder, portBase);
    base = `http://127.0.0.1:${portBase + 1}/fhir/R4`;
    const { code, err } = await salus(stateDir, ['up', '--engine', engineName], topology);
    assert.equal(code, 0, err);
    token = (await salus(stateDir, ['token', '--member', 'stmary', '--role', 'physician'], topology)).out.trim();
  });
  after(async () => {
    await salus(stateDir, ['down'], topology);
    rmSync(folder, { recursive: true, force: true });
  });

  async function write(): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
    const answer = await fetch(`${base}/Patient`, { method: 'POST', headers, body: JSON.stringify(patient) });
    assert.equal(answer.status, 201, await answer.text());
  }

  const found = (name: string) => runningProcesses(stateDir).find((each) => each.name === name);
  const named = (name: string): RecordedProcess => found(name) ?? assert.fail(`no ${name}`);

  const nodes = {
    embedded: ['gateways', 'chaincode', 'ledger'],
    fabric: ['gateway0.stmary', 'peer0.stmary', 'chaincode.stmary', 'orderer.acme', 'ledger'],
  }[engineName];

  if (engineName === 'fabric') {
    it('takes less than 3.5 GB of memory before that, all processes together', () => {
      const pids = [readRunFile(stateDir)?.pid ?? assert.fail(), ...runningProcesses(stateDir).map(({ pid }) => pid)];
      assert.ok(pids.length > 3 + 3 * 7);
      const sum = pids.map(residentBytes).reduce((one, other) => one + other, 0);
      assert.ok(sum < 3.5e9, `${sum} bytes`);
    });
  }

  for (const name of nodes) {
    it(`says so and has it back: ${name}`, async () => {
      const supervisor = readRunFile(stateDir)?.pid;
      const { pid } = named(name);
      process.kill(pid, 'SIGKILL');
      const isBack = () =>
        ![pid, undefined].includes(found(name)?.pid) && new RegExp(`^ +${name} runs again$`, 'm').test(log());
      await until(`${name} again`, () => Promise.resolve(isBack()), PATIENCE_MS);
      assert.match(log(), new RegExp(`${name} ended by (signal )?SIGKILL; its log is .*${name}\\.log`));
      await eventually(write);
      assert.equal(readRunFile(stateDir)?.pid, supervisor);
      assert.equal(existsSync(`/proc/${pid}`), false);
    });
  }

  it('has back what was asked to end, more often than what ended by itself', async () => {
    const name = engineName === 'fabric' ? 'orderer.acme' : 'chaincode';
    for (let time = 0; time <= MAX_RESTARTS; time += 1) {
      const { pid } = named(name);
      await sleep(STEADY_MS);
      process.kill(pid, 'SIGTERM');
      await until(`${name} again`, () => Promise.resolve(![pid, undefined].includes(found(name)?.pid)), PATIENCE_MS);
    }
    await eventually(write);
  });

  it('ends when it cannot have it back, and says which, where its log is, and that it gave up', async () => {
    const name = engineName === 'fabric' ? 'gateway0.stmary' : 'gateways';
    writeFileSync(join(stateDir, 'members/stmary/gateways/gateway0/settings.json'), 'torn');
    const running = [...runningProcesses(stateDir)];
    process.kill(named(name).pid, 'SIGKILL');
    const isOver = () => Promise.resolve(readRunFile(stateDir) === undefined);
    await until('the end', isOver, PATIENCE_MS);
    assert.match(
      log(),
      new RegExp(`given up: ${name} ended by exit code \\d; its log is .*${name}\\.log.*stopping the rest`),
    );
    assert.deepEqual(
      running.filter(({ pid }) => existsSync(`/proc/${pid}`)),
      [],
    );
  });
});
