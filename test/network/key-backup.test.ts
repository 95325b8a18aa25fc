import { strict as assert } from 'node:assert';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
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
  const [stateDir, rest, keys] = ['state', 'rest', 'keys'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
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
    assert.match(await done('backup', '--without-keys', rest), /no content and no key of any/);
    const names = readdirSync(rest, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      names.filter((name) => /keys\.db|master\.|projection-/.test(name)),
      [],
    );
    assert.deepEqual(found(rest, ['FINCHERASEDQX', 'FINCHKEPTQX'].flatMap(shapesOf)), []);
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

  it('open what was backed up before, but for what was erased since', async () => {
    const newest = join(keys, readdirSync(keys).sort().at(-1) ?? '');
    await network.stop();
    assert.match((await command('restore', newest)).err, /is still there: move it away/);
    rmSync(stateDir, { recursive: true });
    assert.match((await command('restore', newest)).err, /restore the rest first/);
    assert.match(await done('restore', rest), /restore the keys, too/);
    assert.match(await done('restore', newest), /restored the keys of everything/);
    network = await startNetwork({ stateDir, portBase });
    assert.deepEqual([await read(ids[0]!), await read(ids[1]!)], [404, 200]);
  });
});
