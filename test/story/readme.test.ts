import { strict as assert } from 'node:assert';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fabricProcessesOf, type RecordedProcess, readRunFile } from '@salus/network/commands/run-file';

import { salus } from '../support/command.js';
import { programsOrPending } from '../support/fabric-network.js';
import { freePortBase } from '../support/free-ports.js';
import { residentBytes } from '../support/memory.js';
import { projectRoot } from '../support/shared.js';
import { topologyAt } from '../support/topology-file.js';

/** The shell commands of the README's walk, in order. */
function walk(): string[] {
  const text = readFileSync(join(projectRoot, 'README.md'), 'utf8');
  const section = text.slice(text.indexOf('## Five minutes'), text.indexOf('## Further'));
  return [...section.matchAll(/^```sh\n(.*?)^```/gms)].map((match) => match[1] ?? '');
}

/** How a newcomer starts it: as the page says, or in the foreground on one of the engines. */
interface Way {
  readonly title: string;
  readonly engine?: 'embedded' | 'fabric';
}

const WAYS: readonly Way[] = [
  { title: 'as a newcomer types it' },
  { title: 'while npm start runs in the foreground', engine: 'embedded' },
  { title: 'while npm start runs Fabric in the foreground', engine: 'fabric' },
];
const MARKER = '=====';

for (const { title, engine } of WAYS) {
  describe(`the walk of the README, ${title}`, function () {
    this.timeout(600_000);
    const folder = mkdtempSync(join(tmpdir(), 'salus-readme-'));
    const stateDir = join(folder, 'state');
    let topology: string;
    let printed: string[];
    let running: Foreground | undefined;

    before(async function () {
      if (engine === 'fabric') await programsOrPending(this);
      const portBase = await freePortBase();
      topology = topologyAt(folder, portBase);
      const env = { ...process.env, SALUS_STATE: stateDir, SALUS_TOPOLOGY: topology };
      if (engine !== undefined) running = await Foreground.start(env, engine);
      const script = walk()
        .join(`\necho; echo ${MARKER}\n`)
        .replaceAll(/127\.0\.0\.1:810(\d)/g, (_, member: string) => `127.0.0.1:${portBase + Number(member)}`);
      printed = (await typed(script, env)).split(MARKER);
    });

    after(async () => {
      await salus(stateDir, ['down'], topology);
      rmSync(folder, { recursive: true, force: true });
    });

    it('finds seven members up', () => {
      const said = engine === undefined ? (printed[0] ?? '') : (running?.said ?? '');
      assert.match(said, /tally/);
      assert.match(said, /^a token to try at stmary, .*\n[\w-]+\.[\w-]+\.[\w-]+$/m);
      if (engine !== undefined) assert.match(printed[0] ?? '', /already up/);
    });

    it('records a result, committed, with its decimal as sent', () => {
      const answer = printed[1] ?? '';
      assert.match(answer, /^HTTP\/1\.1 201 Created/m);
      for (const header of ['ETag: W/"1"', 'X-Tx-Id: [0-9a-f]{64}', 'X-Block: [0-9]+']) {
        assert.match(answer, new RegExp(`^${header}`, 'm'));
      }
      assert.match(answer, /"value":95\.10/);
    });

    it('refuses the other hospital, permits it the result, and refuses it again', () => {
      assert.equal(printed[2]?.trim(), '404');
      const searchset = JSON.parse(printed[3] ?? '') as { entry: { resource: { meta?: { source?: string } } }[] };
      assert.equal(searchset.entry.length, 2, 'the result, and the note that the answer may be incomplete');
      assert.match(searchset.entry[0]?.resource.meta?.source ?? '', /stmary/);
      assert.match(printed[3] ?? '', /may be incomplete/);
      assert.deepEqual((printed[4] ?? '').trim().split('\n').slice(0, 2), ['200', '404']);
    });

    it('lists for the patient who asked, when, why, and what was decided', () => {
      const list = JSON.parse((printed[4] ?? '').trim().split('\n')[2] ?? '') as {
        entry: { resource: { outcomeDesc: string; recorded: string } }[];
      };
      const decisions = list.entry.map(({ resource }) => resource.outcomeDesc);
      assert.ok(decisions.includes('permit') && decisions.includes('deny'));
      assert.match(JSON.stringify(list), /dr-baker.*TREAT/);
    });

    if (engine !== undefined) {
      it('goes on from what is there when it is started again, and leaves nothing running', async () => {
        await stopped(running, stateDir);
        const env = { ...process.env, SALUS_STATE: stateDir, SALUS_TOPOLOGY: topology };
        running = await Foreground.start(env, engine);
        assert.match(
          (await salus(stateDir, ['status'], topology)).out,
          engine === 'fabric' ? /engine: fabric/ : /engine: embedded/,
        );
        await stopped(running, stateDir);
      });
    }
  });
}

/** Stops it as a terminal does; every process that it ran has ended. */
async function stopped(running: Foreground | undefined, stateDir: string): Promise<void> {
  const processes = processesOf(stateDir);
  assert.ok(running !== undefined && processes.length > 2);
  const resident = processes.reduce((sum, pid) => sum + residentBytes(pid), 0);
  console.log(`      ${running.ready}; ${processes.length} processes, ${Math.round(resident / 1e6)} MB resident`);
  await running.controlC();
  assert.deepEqual(
    processes.filter((pid) => existsSync(`/proc/${pid}`)),
    [],
  );
  assert.equal(readRunFile(stateDir), undefined);
}

function processesOf(stateDir: string): number[] {
  const file = fabricProcessesOf(stateDir);
  const nodes = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RecordedProcess[]) : [];
  const run = readRunFile(stateDir);
  return [...(run === undefined ? [] : [run, ...run.children]), ...nodes].map(({ pid }) => pid);
}

/** What the commands print, as they are typed into a shell. */
function typed(script: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('bash', ['-c', script], { cwd: projectRoot, env }, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(`${error.message}\n${out}\n${err}`));
    });
  });
}

/** `npm start` in a terminal: a group of processes in the foreground. */
class Foreground {
  private constructor(
    private readonly child: ChildProcess,
    readonly said: string,
  ) {}

  /** Resolves once it says that everything serves. */
  static start(env: NodeJS.ProcessEnv, engine: string): Promise<Foreground> {
    const child = spawn('npm', ['start', '--', '--engine', engine], { cwd: projectRoot, env, detached: true });
    let said = '';
    return new Promise((resolve, reject) => {
      child.stderr.on('data', (part: Buffer) => (said += part.toString()));
      child.stdout.on('data', (part: Buffer) => {
        said += part.toString();
        if (said.includes('Ctrl-C stops')) resolve(new Foreground(child, said));
      });
      child.once('exit', () => {
        reject(new Error(said));
      });
    });
  }

  /** How long it took, in its own words. */
  get ready(): string {
    return /ready in [\d.]+ s/.exec(this.said)?.[0] ?? 'it does not say how long it took';
  }

  /** Every process of the group is told, as by Ctrl-C. */
  async controlC(): Promise<void> {
    const ended = once(this.child, 'exit');
    process.kill(-(this.child.pid ?? 0), 'SIGINT');
    await ended;
  }
}
