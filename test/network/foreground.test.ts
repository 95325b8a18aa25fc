import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_TOKEN_MINUTES } from '@salus/gateway/commands/token';
import { type RecordedProcess, readRunFile } from '@salus/network/commands/run-file';

import { salus } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { projectRoot } from '../support/shared.js';
import { topologyAt } from '../support/topology-file.js';
import { patient } from '../story/people.js';

/** A compact JWS, by which tokens are known. */
const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;

function tokenIn(said: string): string {
  return TOKEN.exec(said.slice(said.indexOf('a token to try')))?.[0] ?? assert.fail(said);
}

function minutesOf(token: string): number {
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const { iat, exp } = JSON.parse(claims) as { iat: number; exp: number };
  return (exp - iat) / 60;
}

function filesWith(text: string, folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file).includes(text));
}

describe('npm start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'salus-foreground-'));
  const stateDir = join(folder, 'state');
  const fhir = { base: '' };
  let topology: string;
  let running: ChildProcess | undefined;
  let written: string;
  let shown: string;

  before(async () => {
    const portBase = await freePortBase();
    topology = topologyAt(folder, portBase);
    fhir.base = `http://127.0.0.1:${portBase + 1}/fhir/R4`;
  });
  after(async () => {
    await salus(stateDir, ['down'], topology);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts it as a shell does, in a group of its own; resolves with what it said once it is ready. */
  async function started(...more: string[]): Promise<string> {
    const env = { ...process.env, SALUS_STATE: stateDir, SALUS_TOPOLOGY: topology };
    const child = spawn('npm', ['start', '--', ...more], { cwd: projectRoot, env, detached: true });
    running = child;
    let said = '';
    const ready = new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (part: Buffer) => {
        said += part.toString();
        if (said.includes('Ctrl-C stops')) resolve(said);
      });
      child.stderr.on('data', (part: Buffer) => (said += part.toString()));
      child.once('exit', () => {
        reject(new Error(said));
      });
    });
    return await ready;
  }

  /** What a terminal does on Ctrl-C: every process of the group in the foreground is told. */
  async function controlC(): Promise<void> {
    const child = running ?? assert.fail('nothing runs');
    const ended = once(child, 'exit');
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await ended;
  }

  const token = async (): Promise<string> => {
    const { out } = await salus(stateDir, ['token', '--member', 'stmary', '--role', 'physician'], topology);
    return out.trim();
  };
  const isAlive = ({ pid }: Pick<RecordedProcess, 'pid'>): boolean => existsSync(`/proc/${pid}`);

  it('shows members, their URLs and a token to try, and writes endpoints.json', async () => {
    const said = await started('--fresh');
    const { members } = JSON.parse(readFileSync(join(stateDir, 'endpoints.json'), 'utf8')) as {
      members: Record<string, { fhir: string }>;
    };
    assert.equal(Object.keys(members).length, 7);
    for (const [member, { fhir }] of Object.entries(members))
      assert.match(said, new RegExp(`^${member} .*${fhir}$`, 'm'));
    shown = tokenIn(said);
    assert.equal(minutesOf(shown), 60);
    const headers = { authorization: `Bearer ${shown}`, 'content-type': 'application/fhir+json' };
    const created = await fetch(`${fhir.base}/Patient`, { method: 'POST', headers, body: JSON.stringify(patient) });
    assert.equal(created.status, 201);
    written = ((await created.json()) as { id: string }).id;
    const [, verb = ''] = /to make a token: npm run --silent salus -- (.*)/.exec(said) ?? [];
    assert.equal(minutesOf((await salus(stateDir, verb.split(' '), topology)).out), MAX_TOKEN_MINUTES);
  });

  it('leaves the token that it shows in no file, in the background neither', async () => {
    assert.deepEqual(filesWith(shown, stateDir), []);
    await controlC();
    const { out } = await salus(stateDir, ['up'], topology);
    assert.equal(minutesOf(tokenIn(out)), 60);
    assert.deepEqual(filesWith(tokenIn(out), stateDir), []);
    const log = readFileSync(join(stateDir, 'log', 'start.log'), 'utf8');
    assert.match(log, /to make a token/);
    assert.doesNotMatch(log, TOKEN);
    await salus(stateDir, ['down'], topology);
    await started();
  });

  it('leaves no process behind on Ctrl-C', async () => {
    const children = readRunFile(stateDir)?.children ?? [];
    assert.ok(children.length >= 3 && children.every(isAlive));
    await controlC();
    assert.deepEqual(children.filter(isAlive), []);
    assert.equal(readRunFile(stateDir), undefined);
  });

  it('stops in order, and all of it, when Ctrl-C is pressed again meanwhile', async () => {
    await started();
    const children = readRunFile(stateDir)?.children ?? [];
    const group = -(running?.pid ?? assert.fail('nothing runs'));
    process.kill(group, 'SIGINT');
    await sleep(50);
    process.kill(group, 'SIGINT');
    await eventually(async () => {
      assert.equal(await Promise.resolve(readRunFile(stateDir)), undefined);
    });
    assert.deepEqual(children.filter(isAlive), []);
  });

  it('goes on where it was', async () => {
    await started();
    const read = await fetch(`${fhir.base}/Patient/${written}`, {
      headers: { authorization: `Bearer ${await token()}` },
    });
    assert.equal(read.status, 200);
    await controlC();
  });

  it('forgets what was with --fresh', async () => {
    await started('--fresh');
    const read = await fetch(`${fhir.base}/Patient/${written}`, {
      headers: { authorization: `Bearer ${await token()}` },
    });
    assert.equal(read.status, 404);
    await controlC();
  });
}).timeout(120_000);
