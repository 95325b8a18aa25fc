import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { found, shapesOf } from '../support/bytes-search.js';
import { salus, type CommandResult } from '../support/command.js';
import { engineName } from '../support/engine.js';
import { freePortBase } from '../support/free-ports.js';
import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';
import { patient } from '../story/people.js';

describe('backups of the key stores in a cycle of their own', function () {
  this.timeout(240_000);
  if (engineName !== 'embedded') return;
  const folder = mkdtempSync(join(tmpdir(), 'salus-key-backup-'));
  const stateDir = join(folder, 'state');
  const rest = join(folder, 'rest');
  const keys = join(folder, 'keys');
  const older = join(folder, 'older');
  let network: TestNetwork;
  let portBase: number;
  const ids: string[] = [];

  const command = (...args: string[]): Promise<CommandResult> => salus(stateDir, args);
  const done = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await command(...args);
    assert.equal(code, 0, err);
    return out;
  };
  async function ask(role: string, user: string, path: string, body?: object): Promise<Answer> {
    const token = await network.token({ member: 'stmary', user, role });
    return await network.ask('stmary', path, body === undefined ? { token } : { token, body });
  }
  const read = async (id: string): Promise<number> => (await ask('physician', 'dr-adams', `Patient/${id}`)).status;

  before(async () => {
    portBase = await freePortBase();
    network = await startNetwork({ stateDir, portBase });
    for (const family of ['FINCHERASEDQX', 'FINCHKEPTQX']) {
      const made = await ask('physician', 'dr-adams', 'Patient', { ...patient, name: [{ family }] });
      ids.push(String(made.body.id));
    }
  });
  after(async () => {
    await network.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('leave in the backup of all else no key and nothing in clear', async () => {
    await done('backup', '--keys', older);
    // What a rebuild and the making of a master key leave where they are killed.
    const data = join(stateDir, 'members', 'stmary', 'data');
    mkdirSync(join(data, 'rebuild-Ab12Cd'));
    for (const end of ['', '-wal']) {
      copyFileSync(join(data, `projection-gateway0.db${end}`), join(data, 'rebuild-Ab12Cd', `again.db${end}`));
    }
    copyFileSync(join(data, 'master.key'), join(data, 'master.key.0123456789ab'));
    const clear = ['FINCHERASEDQX', 'FINCHKEPTQX'].flatMap(shapesOf);
    assert.notDeepEqual(found(join(data, 'rebuild-Ab12Cd'), clear), []);
    assert.match(await done('backup', '--without-keys', rest), /no content and no key of any/);
    const names = readdirSync(join(rest, 'members', 'stmary', 'data'));
    assert.deepEqual(
      names.filter((name) => !/^((outbox|readlog)-gateway0|sign-in)\.db(-wal|-shm)?$|^sign-in\.json$/.test(name)),
      [],
    );
    assert.ok(names.includes('readlog-gateway0.db') && names.includes('outbox-gateway0.db'), names.join());
    assert.deepEqual(found(rest, clear), []);
  });

  it('are taken again and again, of which the newest stay', async () => {
    for (const user of ['officer-a', 'officer-b']) {
      const parameter = [
        { name: 'basis', valueCode: 'unlawful-processing' },
        { name: 'reason', valueString: 'entered for the wrong person' },
      ];
      const erased = await ask('privacy-officer', user, `Patient/${ids[0]!}/$erase`, {
        resourceType: 'Parameters',
        parameter,
      });
      assert.ok([200, 202].includes(erased.status), erased.text);
    }
    for (let times = 0; times < 3; times += 1) await done('backup', '--keys', '--keep', '2', keys);
    const kept = readdirSync(keys);
    assert.equal(kept.length, 2);
    for (const args of [
      ['--keep', '2'],
      ['--keys', '--keep', '0'],
      ['--keys', '--without-keys'],
    ]) {
      assert.equal((await command('backup', ...args, join(folder, 'none'))).code, 2, args.join(' '));
    }
  });

  it('are kept for each member by itself', async () => {
    const shared = join(folder, 'shared');
    const whose = (): string[] => readdirSync(shared).map((name) => /[^.]*$/.exec(name)?.[0] ?? '');
    for (const member of ['stmary', 'northside', 'stmary', 'northside']) {
      await done('backup', '--keys', '--keep', '1', '--member', member, shared);
    }
    assert.deepEqual(whose().sort(), ['northside', 'stmary']);
    await done('backup', '--keys', '--keep', '1', shared);
    assert.equal(whose().length, 3);
  });

  it('leave nothing where one is interrupted', async () => {
    const some = join(folder, 'some');
    await done('backup', '--keys', '--member', 'stmary', some);
    const [whole = ''] = readdirSync(some);
    // As the process leaves it that is killed: keys, and nothing that says what they are.
    const left = join(some, '2026-01-01T00-00-00.000Z.stmary.unfinished');
    cpSync(join(some, whole), left, { recursive: true });
    rmSync(join(left, 'backup.json'));
    const others = '2026-01-01T00-00-00.000Z.northside.unfinished';
    mkdirSync(join(some, others));
    await done('backup', '--keys', '--keep', '1', '--member', 'stmary', some);
    assert.deepEqual(readdirSync(some).length, 2, readdirSync(some).join());
    assert.ok(readdirSync(some).includes(others), 'another member may be at it');
    // A pipe cannot be copied: this one fails after it began.
    const pipe = join(stateDir, 'members', 'stmary', 'data', 'master.wrapped');
    execFileSync('mkfifo', [pipe]);
    const before = readdirSync(some);
    assert.notEqual((await command('backup', '--keys', '--member', 'stmary', some)).code, 0);
    rmSync(pipe);
    assert.deepEqual(readdirSync(some), before);
  });

  it('open what was backed up before, but for what was erased since', async () => {
    const newest = join(keys, readdirSync(keys).sort().at(-1) ?? '');
    await network.stop();
    assert.match((await command('restore', newest)).err, /is still there: move it away/);
    rmSync(stateDir, { recursive: true });
    assert.match((await command('restore', newest)).err, /restore the rest first/);
    assert.match(await done('restore', rest), /restore the keys, too/);
    const early = join(older, readdirSync(older)[0] ?? '');
    assert.match((await command('restore', early)).err, /older than the rest[^]*restore newer ones/);
    assert.match(await done('restore', newest), /restored the keys of everything/);
    network = await startNetwork({ stateDir, portBase });
    assert.deepEqual([await read(ids[0]!), await read(ids[1]!)], [404, 200]);
  });
});
