/** Two who start the same consortium at once: the keys of one of them are made, and no other's. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRunFile } from '@salus/network/commands/run-file';
import { salus } from '../support/command.js';
import { freePortBase } from '../support/free-ports.js';
import { memberClient } from '../support/member-client.js';
import { scratchFolder } from '../support/scratch.js';
import { topologyAt } from '../support/topology-file.js';
import { patient } from '../story/people.js';

describe('two first starts at once', function () {
  this.timeout(240_000);
  const scratch = scratchFolder();
  const stateDir = join(scratch.path, 'state');
  let topology: string;

  before(async () => {
    topology = topologyAt(scratch.path, await freePortBase());
  });
  after(async () => {
    await salus(stateDir, ['down'], topology);
    scratch.remove();
  });

  it('in an empty folder: one runs, the other is told who does', async () => {
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
    const created = await (await memberClient(stateDir, 'stmary', topology)).create(patient);
    assert.equal(created.status, 201, created.text);
  });
});
