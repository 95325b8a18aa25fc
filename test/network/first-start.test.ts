/** Those who start the same consortium at once, or begin anew: the keys of one of them are made, and nothing else is lost. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { readRunFile } from '@salus/network/commands/run-file';
import { loadTopology } from '@salus/network/topology';
import { salus } from '../support/command.js';
import { freePortBase } from '../support/free-ports.js';
import { memberClient } from '../support/member-client.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';
import { patient } from '../story/people.js';

describe('starts at once', function () {
  this.timeout(400_000);
  const scratch = scratchFolder();
  const stateDir = join(scratch.path, 'state');
  let topology: string;
  let id: string;

  before(async () => {
    topology = fewMembers(scratch.path, await freePortBase(), ['stmary', 'northside', 'acme', 'authority']);
  });
  after(async () => {
    await salus(stateDir, ['down'], topology);
    scratch.remove();
  });

  it('in an empty folder, two: one runs, the other is told who does', async () => {
    const both = await Promise.all([salus(stateDir, ['up'], topology), salus(stateDir, ['up'], topology)]);
    const [first, second] = both.sort((one, other) => one.code - other.code);
    assert.deepEqual([first.code, second.code], [0, 1], both.map(({ out, err }) => out + err).join('\n'));
    const { pid } = readRunFile(stateDir) ?? assert.fail('nothing runs');
    assert.match(second.err, new RegExp(`a consortium already runs from this state folder \\(pid ${pid}\\)`));
    assert.match(first.out, /ready in /);
    assert.deepEqual(
      readdirSync(join(stateDir, 'log')).filter((name) => name.startsWith('start')),
      ['start.log'],
    );
    id = await create();
  });

  it('that begin anew delete nothing of one that runs, and nothing where they cannot start', async () => {
    const refused = await salus(stateDir, ['up', '--fresh'], topology);
    assert.deepEqual(
      [refused.code, /nothing of it was deleted; stop it first/.test(refused.err)],
      [1, true],
      refused.err,
    );
    assert.equal((await salus(stateDir, ['start', '--fresh'], topology)).code, 1);
    assert.equal(await status(), 200);
    assert.equal((await salus(stateDir, ['down'], topology)).code, 0);
    const wrong = join(scratch.path, 'wrong.yaml');
    writeFileSync(wrong, readFileSync(topology, 'utf8').replace('name: stmary', 'name: St Mary'));
    assert.match((await salus(stateDir, ['start', '--fresh'], wrong)).err, /name of member 1 is "St Mary"/);
    const taken = createServer().listen(loadTopology(topology).members[0]!.gateways[0]!.port, '127.0.0.1');
    assert.match((await salus(stateDir, ['start', '--fresh'], topology)).err, /gateway0 of stmary|in use/);
    await new Promise((resolve) => taken.close(resolve));
    assert.equal((await salus(stateDir, ['up'], topology)).code, 0);
    assert.equal(await status(), 200);
  });

  it('that begin anew: one runs on a ledger of its own, the others are told who does', async () => {
    await salus(stateDir, ['down'], topology);
    const all = await Promise.all([1, 2, 3, 4].map(() => salus(stateDir, ['up', '--fresh'], topology)));
    const codes = all.map(({ code }) => code).sort();
    assert.deepEqual(codes, [0, 1, 1, 1], all.map(({ out, err }) => out + err).join('\n'));
    const { pid } = readRunFile(stateDir) ?? assert.fail('nothing runs');
    for (const { err } of all.filter(({ code }) => code === 1)) {
      assert.match(
        err,
        new RegExp(`already runs from this state folder \\(pid ${pid}\\)|the consortium runs, and nothing`),
      );
    }
    assert.equal(await status(), 404);
    id = await create();
    // The next start finds all that this one made.
    assert.equal((await salus(stateDir, ['down'], topology)).code, 0);
    assert.equal((await salus(stateDir, ['up'], topology)).code, 0);
    assert.equal(await status(), 200);
  });

  async function create(): Promise<string> {
    const created = await (await memberClient(stateDir, 'stmary', topology)).create(patient);
    assert.equal(created.status, 201, created.text);
    return created.body.id ?? '';
  }
  const status = async (): Promise<number> =>
    (await (await memberClient(stateDir, 'stmary', topology)).read(`Patient/${id}`)).status;
});
