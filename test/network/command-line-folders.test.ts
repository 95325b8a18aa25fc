/** `salus backup`, `restore`, `export` and `revoke` as users type them: what they take, refuse and leave behind. */
import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { salus, type CommandResult } from '../support/command.js';
import { engineName } from '../support/engine.js';
import { freePortBase } from '../support/free-ports.js';
import { memberClient } from '../support/member-client.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers, topologyAt } from '../support/topology-file.js';
import { patient } from '../story/people.js';

/** Failed as it should: the code, the reason, and no stack. */
function refused({ code, out, err }: CommandResult, expected: 1 | 2, reason: RegExp): void {
  assert.equal(code, expected, out + err);
  assert.match(err, reason);
  assert.doesNotMatch(err, /\n\s+at /, 'no stack for what the user can mend');
}

function done({ code, out, err }: CommandResult): string {
  assert.equal(code, 0, out + err);
  return out;
}

/** Files below a folder that hold a private key. */
function privateKeys(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file, 'latin1').includes('PRIVATE KEY-----'));
}

describe('verbs that write and read folders, without a network', () => {
  const scratch = scratchFolder();
  const at = (name: string) => join(scratch.path, name);
  const run = (...args: string[]) => salus(at('state'), args);
  after(() => {
    scratch.remove();
  });

  it('end with 2 and say what is missing when used wrongly', async () => {
    for (const args of [['backup'], ['restore'], ['export', '--member', 'acme']]) {
      refused(await run(...args), 2, /missing required argument 'folder'/);
    }
    refused(await run('export', at('out')), 2, /required option '--member <name>' not specified/);
    refused(await run('revoke', '--member', 'acme'), 2, /required option '--identity <name>' not specified/);
    refused(await run('revoke', '--identity', 'gateway0'), 2, /required option '--member <name>' not specified/);
    refused(await run('backup', at('out'), '--password', 'x'), 2, /unknown option '--password'/);
    refused(await run('restore', at('out'), at('more')), 2, /too many arguments/);
  });

  it('say that there is no network, and make nothing', async () => {
    for (const args of [
      ['backup', at('out')],
      ['backup', '--member', 'acme', at('out')],
      ['export', '--member', 'acme', at('out')],
      ['revoke', '--member', 'acme', '--identity', 'gateway0'],
    ]) {
      refused(await run(...args), 1, /there is no network in .*npm start/);
    }
    assert.deepEqual(readdirSync(scratch.path), []);
  });

  it('take no folder for a backup that is none', async () => {
    refused(await run('restore', at('nowhere')), 2, /holds no backup\.json: is it a backup\?/);
    mkdirSync(at('torn'));
    for (const text of ['', '{"takenAt":', 'null', '{"member":"acme"}']) {
      writeFileSync(join(at('torn'), 'backup.json'), text);
      refused(await run('restore', at('torn')), 2, /is no backup's, or is damaged/);
    }
    assert.equal(existsSync(at('state')), false);
  });
});

describe('verbs that write and read folders, on the embedded ledger', function () {
  this.timeout(240_000);
  if (engineName !== 'embedded') return;
  const scratch = scratchFolder();
  const [stateDir, copy] = [join(scratch.path, 'state'), join(scratch.path, 'copy')];
  let topology: string;
  let id: string;
  const run = (...args: string[]) => salus(stateDir, args, topology);

  before(async () => {
    topology = topologyAt(scratch.path, await freePortBase());
    done(await run('up'));
    const created = await (await memberClient(stateDir, 'stmary', topology)).create(patient);
    assert.equal(created.status, 201, created.text);
    id = created.body.id!;
  });
  after(async () => {
    await run('down');
    scratch.remove();
  });

  it('back up everything or nothing, where all members share one ledger', async () => {
    refused(await run('backup', '--member', 'stmary', copy), 1, /share one ledger: back up everything/);
    assert.equal(existsSync(copy), false);
    refused(await run('export', '--member', 'stmary', copy), 1, /share one ledger.*--engine fabric/);
    assert.equal(existsSync(copy), false);
    assert.match(done(await run('backup', copy)), /^wrote .*copy in \d+\.\d s; it holds keys/);
    const keys = privateKeys(copy);
    assert.deepEqual(
      keys.map((file) => relative(copy, file)).sort(),
      privateKeys(stateDir)
        .map((file) => relative(stateDir, file))
        .sort(),
    );
    for (const file of keys) assert.equal(statSync(file).mode & 0o077, 0, `${file} is for its owner alone`);
  });

  it('name the engine that does it, where the embedded ledger cannot', async () => {
    for (const args of [['revoke', '--member', 'stmary', '--identity', 'gateway0'], ['propose'], ['apply', copy]]) {
      refused(await run(...args), 1, /takes no update of the channel configuration.*--engine fabric/s);
    }
  });

  it('write over nothing, and nowhere where nothing can be written', async () => {
    refused(await run('backup', copy), 1, /is not empty: name another folder/);
    refused(await run('backup', stateDir), 1, /keep backups elsewhere/);
    refused(await run('backup', join(stateDir, 'inside')), 1, /keep backups elsewhere/);
    assert.equal(existsSync(join(stateDir, 'inside')), false);
    refused(await run('backup', topology), 1, /cannot be made \(EEXIST\): name another folder/);
    refused(await run('backup', join(topology, 'below')), 1, /cannot be made \(ENOTDIR\): name another folder/);
    refused(await run('restore', copy), 1, /the consortium runs; stop it first/);
  });

  it('bring a lost machine back complete, and leave one alone that is not lost', async () => {
    done(await run('down'));
    refused(await run('restore', copy), 1, /is still there: move it away, then repeat/);
    rmSync(stateDir, { recursive: true });
    refused(await run('up', '--engine', 'steam'), 1, /no engine is called "steam"/);
    assert.match(done(await run('restore', copy)), /^restored everything as of \d{4}-\d\d-\d\dT.*npm start/);
    done(await run('up'));
    const read = await (await memberClient(stateDir, 'stmary', topology)).read(`Patient/${id}`);
    assert.equal(read.status, 200, read.text);
    done(await run('verify', '--member', 'stmary'));
    done(await run('rebuild', '--member', 'stmary'));
  });
});

describe('verbs that write and read folders, on Fabric', function () {
  this.timeout(400_000);
  if (engineName !== 'fabric') return;
  const scratch = scratchFolder();
  const [stateDir, own, copy] = ['state', 'own', 'copy'].map((name) => join(scratch.path, name)) as [
    string,
    string,
    string,
  ];
  let topology: string;
  const run = (...args: string[]) => salus(stateDir, args, topology);
  const create = async () => (await memberClient(stateDir, 'northside', topology)).create(patient);

  before(async () => {
    topology = fewMembers(scratch.path, await freePortBase(), ['stmary', 'northside', 'acme', 'authority']);
    done(await run('up', '--engine', 'fabric'));
  });
  after(async () => {
    await run('down');
    scratch.remove();
  });

  it('export one member’s keys and nobody else’s', async () => {
    refused(await run('export', '--member', 'nobody', own), 2, /no member is named nobody/);
    refused(await run('export', '--member', 'northside', topology), 1, /cannot be made \(EEXIST\)/);
    assert.match(done(await run('export', '--member', 'northside', own)), /^wrote .*own; its README/);
    const keys = privateKeys(own).map((file) => relative(own, file));
    assert.ok(keys.length > 3 && keys.every((file) => file.startsWith('members/northside/')), keys.join('\n'));
    refused(await run('export', '--member', 'northside', own), 1, /is not empty/);
    const other = join(scratch.path, 'other');
    const asked = await salus(own, ['export', '--member', 'stmary', other], topology);
    refused(asked, 2, /the keys of stmary are not in .*own/);
    assert.equal(existsSync(other), false);
  });

  it('back up and restore one member, each only where its place is empty', async () => {
    refused(await run('backup', '--member', 'nobody', copy), 2, /no member is named nobody/);
    assert.equal(existsSync(copy), false);
    assert.match(done(await run('backup', '--member', 'northside', copy)), /^wrote .*copy in /);
    refused(await run('restore', copy), 1, /the consortium runs; stop it first/);
    refused(await salus(own, ['restore', copy], topology), 1, /members\/northside is still there/);
    assert.match(
      done(await salus(join(scratch.path, 'new'), ['restore', copy], topology)),
      /^restored northside as of /,
    );
  });

  it('revoke a gateway: what it signs is refused, and its next certificate is taken', async () => {
    // With a token of before: the next ones are signed with the key that the gateway has from its next start on.
    const client = await memberClient(stateDir, 'northside', topology);
    const before = await client.create(patient);
    assert.equal(before.status, 201, before.text);
    refused(await run('revoke', '--member', 'nobody', '--identity', 'gateway0'), 2, /no member is named nobody/);
    refused(await run('revoke', '--member', 'northside', '--identity', 'gateway7'), 2, /it has peer0, gateway0/);
    const said = done(await run('revoke', '--member', 'northside', '--identity', 'gateway0'));
    assert.match(said, /^gateway0\.northside is revoked \(serial number [0-9A-F]+\); .* at its next start/);
    refused(
      await run('revoke', '--member', 'northside', '--identity', 'gateway0'),
      2,
      /gateway0 of northside is revoked already/,
    );
    const refusedWrite = await client.create(patient);
    assert.ok(refusedWrite.status >= 500 || refusedWrite.status === 202, refusedWrite.text);
    done(await run('down'));
    done(await run('up', '--engine', 'fabric'));
    const again = await create();
    assert.equal(again.status, 201, again.text);
  });

  it('say that nothing answers when nothing runs', async () => {
    done(await run('down'));
    const asked = await run('revoke', '--member', 'northside', '--identity', 'gateway0');
    refused(asked, 1, /127\.0\.0\.1:\d+: .*(ECONNREFUSED|No connection established)/);
    const northside = join(stateDir, 'members', 'northside');
    assert.equal(existsSync(join(northside, 'gateways', 'gateway0', 'cert.pem')), true);
    const admin = readFileSync(join(northside, 'admin', 'msp', 'signcerts', 'cert.pem'), 'utf8');
    refused(await run('revoke', '--member', 'northside', '--identity', 'admin'), 1, /no peer of the channel answers/);
    assert.equal(readFileSync(join(northside, 'admin', 'msp', 'signcerts', 'cert.pem'), 'utf8'), admin);
  });
});
