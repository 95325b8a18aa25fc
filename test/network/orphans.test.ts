/** What a killed start leaves behind, as users meet it: processes without a supervisor, and a run.json of nobody. */
import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type RecordedProcess, type RunFile, readRunFile, runningProcesses } from '@salus/network/commands/run-file';

import { salus } from '../support/command.js';
import { engineName } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { memberClient } from '../support/member-client.js';
import { fewMembers } from '../support/topology-file.js';
import { patient } from '../story/people.js';

/** Every orderer is one of theirs. */
const MEMBERS = ['stmary', 'northside', 'acme', 'authority'];

describe(`a start that was killed, on ${engineName}`, function () {
  this.timeout(400_000);
  const folder = mkdtempSync(join(tmpdir(), 'salus-orphans-'));
  const stateDir = join(folder, 'state');
  const record = join(stateDir, 'run.json');
  let topology: string;
  const run = (...args: string[]) => salus(stateDir, args, topology);
  const isThere = ({ pid }: { readonly pid: number }): boolean => existsSync(`/proc/${pid}`);

  const up = async (): Promise<void> => {
    const { code, err } = await run('up', '--engine', engineName);
    assert.equal(code, 0, err);
  };

  before(async () => {
    topology = fewMembers(folder, await freePortBase(), MEMBERS);
    await up();
  });
  after(async () => {
    await run('down');
    rmSync(folder, { recursive: true, force: true });
  });

  /** Kills the supervisor alone; what it ran, which is returned, goes on. */
  async function orphaned(): Promise<RecordedProcess[]> {
    const running = readRunFile(stateDir) ?? assert.fail('nothing runs');
    const left = runningProcesses(stateDir);
    process.kill(running.pid, 'SIGKILL');
    await eventually(() => {
      assert.equal(readRunFile(stateDir), undefined);
      return Promise.resolve();
    });
    assert.ok(left.length >= running.children.length && running.children.length > 1);
    assert.ok(left.every(isThere));
    return left;
  }

  /** Programs of all processes of this machine that were given the state folder, recorded or not. */
  function withStateFolder(): string[] {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map((pid) => ['cmdline', 'environ'].map((file) => readOrEmpty(join('/proc', pid, file))))
      .filter(([cmdline = '', environ]) => `${cmdline}${environ}`.includes(stateDir))
      .map(([cmdline = '']) => cmdline.split('\0').slice(0, 3).join(' '))
      .sort();
  }

  it('is not shown as running, and the next one ends what it left and goes on', async () => {
    const created = await (await memberClient(stateDir, 'stmary', topology)).create(patient);
    assert.equal(created.status, 201, created.text);
    const before = withStateFolder();
    const names = runningProcesses(stateDir).map(({ name }) => name);
    if (engineName === 'fabric') {
      for (const node of ['orderer.stmary', 'peer0.acme', 'chaincode.northside']) assert.ok(names.includes(node), node);
    }
    const left = await orphaned();
    const status = await run('status');
    assert.equal(status.code, 1);
    assert.match(status.out, /npm start/);
    await up();
    assert.deepEqual(left.filter(isThere), []);
    assert.equal((await run('status')).code, 0);
    const again = runningProcesses(stateDir).map(({ name }) => name);
    assert.deepEqual(again.sort(), names.sort());
    assert.deepEqual(withStateFolder(), before, 'nothing is doubled');
    const client = await memberClient(stateDir, 'stmary', topology);
    assert.equal((await client.read(`Patient/${created.body.id}`)).status, 200);
    assert.equal((await client.create(patient)).status, 201);
  });

  it('is ended by down, too', async () => {
    const left = await orphaned();
    const { code, err } = await run('down');
    assert.equal(code, 0, err);
    assert.deepEqual(left.filter(isThere), []);
    assert.deepEqual(withStateFolder(), []);
    assert.ok(!existsSync(record));
  });

  it('is not mistaken for a process that has its number by now', async () => {
    const stale: RunFile = { pid: process.pid, startTime: '1', engine: 'embedded', ready: true, children: [] };
    writeFileSync(record, JSON.stringify(stale));
    assert.equal((await run('status')).code, 1);
    assert.equal((await run('down')).code, 0);
  });
});

/** A process may end while it is looked at. */
function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
