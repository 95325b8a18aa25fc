import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { gatewayCommands } from '@salus/gateway/commands';
import { MAX_TOKEN_MINUTES } from '@salus/gateway/commands/token';
import { networkCommands } from '@salus/network/commands/index';
import { readRunFile } from '@salus/network/commands/run-file';

import { salus } from '../support/command.js';
import { residentBytes } from '../support/memory.js';
import { freePortBase } from '../support/free-ports.js';
import { topologyAt } from '../support/topology-file.js';

describe('the salus command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'salus-command-'));
  const stateDir = join(folder, 'state');
  let portBase: number;
  let topology: string;
  const run = (...args: string[]) => salus(stateDir, args, topology);

  before(async () => {
    portBase = await freePortBase();
    topology = topologyAt(folder, portBase);
  });

  after(async () => {
    await run('down');
    rmSync(folder, { recursive: true, force: true });
  });

  it('says how it is used, and ends with 2 when used wrongly', async () => {
    const help = await run('--help');
    assert.equal(help.code, 0);
    for (const verb of ['start', 'up', 'down', 'status', 'reset', 'token', 'sign', 'load', 'rebuild', 'verify']) {
      assert.match(help.out, new RegExp(`^\\s+${verb}\\b`, 'm'));
    }
    assert.equal((await run('fly')).code, 2);
    assert.equal((await run('start', '--engine', 'steam')).code, 2);
    assert.equal((await run('token')).code, 2);
  });

  it('explains every verb, and each of its options and arguments', async () => {
    for (const verb of [...networkCommands, ...gatewayCommands]) {
      const { code, out } = await run(verb.name, '--help');
      assert.equal(code, 0, verb.name);
      assert.match(out, new RegExp(`^Usage: salus ${verb.name}\\b`));
      const named = [
        ...(verb.options ?? []).map(({ flags }) => flags),
        ...(verb.arguments ?? []).map(({ name }) => name),
      ];
      for (const name of named) assert.ok(out.includes(name), `${name} of ${verb.name}`);
    }
  });

  it('says what to do when nothing runs', async () => {
    const status = await run('status');
    assert.equal(status.code, 1);
    assert.match(status.out, /npm start/);
    assert.equal((await run('down')).code, 0);
    assert.match((await run('token', '--member', 'stmary', '--role', 'physician')).err, /npm start/);
  });

  it('explains a topology that is wrong, by file and line', async () => {
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, readFileSync(topology, 'utf8').replace('channel: health', 'channel: Health!'));
    const result = await salus(stateDir, ['start'], wrong);
    assert.notEqual(result.code, 0);
    assert.match(result.err, /wrong\.yaml:\d+/);
    assert.doesNotMatch(result.err, /\n\s+at /, 'no stack for what the user can mend');
  });

  it('explains a state folder in which nothing can be written', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const place of ['/proc/salus/state', join(file, 'state')]) {
      for (const verb of ['up', 'start', 'containers']) {
        const result = await salus(place, [verb], topology);
        assert.equal(result.code, 1, result.out);
        assert.match(result.err, /nothing can be written to .*SALUS_STATE/);
      }
    }
  });

  it('explains a port that is in use', async () => {
    const other = createServer().listen(portBase + 1, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const result = await run('up');
    other.close();
    assert.equal(result.code, 1);
    assert.match(result.err, /in use by another program/);
    assert.match(result.err, new RegExp(`127.0.0.1:${portBase + 1} \\(gateway0 of stmary\\)`));
  });

  it('brings seven members up, and says so', async () => {
    const up = await run('up', '--fresh');
    assert.equal(up.code, 0, up.err);
    for (const member of ['stmary', 'northside', 'acme', 'meridian', 'medisure', 'authority', 'tally']) {
      assert.match(up.out, new RegExp(`${member} .*http://127.0.0.1:\\d+/fhir/R4`));
    }
    assert.match(up.out, /embedded ledger/);
    assert.match(up.out, /ready in \d+\.\d s/);
    assert.match(up.out, /to stop it: npm run salus -- down/);
    assert.doesNotMatch(up.out, /Ctrl-C/, 'it runs in the background');
    assert.match((await run('up')).out, /already up/);
    const status = JSON.parse((await run('status', '--json')).out) as {
      isReady: boolean;
      members: { state: string }[];
    };
    assert.equal(status.isReady, true);
    assert.equal(status.members.length, 7);
  });

  it('takes less than a gigabyte of memory, all processes together', () => {
    const run = readRunFile(stateDir);
    assert.ok(run !== undefined && run.children.length >= 3);
    const used = [run, ...run.children].map(({ pid }) => residentBytes(pid));
    const sum = used.reduce((one, other) => one + other, 0);
    const megabytes = used.map((bytes) => Math.round(bytes / 1e6));
    assert.ok(sum < 1e9, `megabytes of the supervisor and its children: ${megabytes.join(' + ')}`);
  });

  it('keeps two from running in one state folder', async () => {
    const second = await run('start');
    assert.equal(second.code, 1);
    assert.match(second.err, /already runs.*down/s);
    assert.match((await run('reset', '--yes')).err, /stop it first/);
  });

  it('prints tokens for those who may exist', async () => {
    const token = await run('token', '--member', 'stmary', '--role', 'physician', '--user', 'dr-adams');
    assert.match(token.out.trim(), /^[\w-]+\.[\w-]+\.[\w-]+$/);
    assert.equal((await run('token', '--member', 'nobody', '--role', 'physician')).code, 2);
    assert.equal((await run('token', '--member', 'stmary', '--role', 'wizard')).code, 2);
    for (const minutes of ['0', String(MAX_TOKEN_MINUTES + 1), 'soon']) {
      assert.equal((await run('token', '--member', 'stmary', '--role', 'physician', '--minutes', minutes)).code, 2);
    }
  });

  it('verifies every block of a member again', async () => {
    const verified = await run('verify', '--member', 'tally', '--json');
    assert.equal(verified.code, 0, verified.err);
    assert.equal(verified.err, '');
    const report = JSON.parse(verified.out) as { blocks: number; findings: string[] };
    assert.ok(report.blocks >= 3);
    assert.deepEqual(report.findings, []);
  });

  it('derives a projection again to the same digest', async () => {
    const rebuilt = await run('rebuild', '--member', 'stmary');
    assert.equal(rebuilt.code, 0, rebuilt.err);
    const digests = [...rebuilt.out.matchAll(/\b[0-9a-f]{64}\b/g)].map((match) => match[0]);
    assert.equal(digests.length, 2);
    assert.equal(digests[0], digests[1]);
  });

  it('stops, continues where it was, and forgets only when told to', async () => {
    const height = async (): Promise<number> =>
      (JSON.parse((await run('status', '--json')).out) as { members: { height: number }[] }).members[0]?.height ?? 0;
    const before = await height();
    assert.match((await run('down')).out, /stopped/);
    assert.equal((await run('up')).code, 0);
    assert.ok((await height()) >= before);
    await run('down');
    assert.equal((await run('reset')).code, 2);
    assert.ok(existsSync(stateDir));
    assert.equal((await run('reset', '--yes')).code, 0);
    assert.ok(!existsSync(stateDir));
  });
}).timeout(240_000);
