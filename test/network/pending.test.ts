/** A change that waits to be in force costs nobody a start. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runningProcesses } from '@salus/network/commands/run-file';
import { readNetwork } from '@salus/network/prepare';
import { salus } from '../support/command.js';
import { programsOrPending } from '../support/fabric-network.js';
import { freePortBase } from '../support/free-ports.js';
import { memberClient } from '../support/member-client.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';
import { patient } from '../story/people.js';

describe('a proposed change of a channel in one folder, on Fabric', function () {
  this.timeout(400_000);
  const home = scratchFolder();
  const stateDir = join(home.path, 'state');
  let topology: string;
  let folder: string;

  async function done(...args: string[]): Promise<string> {
    const { code, out, err } = await salus(stateDir, args, topology);
    assert.equal(code, 0, `salus ${args.join(' ')}\n${out}${err}`);
    return out + err;
  }
  const up = () => done('up', '--engine', 'fabric');
  const membersHere = () => readNetwork(stateDir).topology.members.map(({ name }) => name);

  before(async function () {
    await programsOrPending(this);
    topology = fewMembers(home.path, await freePortBase(), ['stmary', 'northside', 'acme', 'authority']);
    await up();
  });
  after(async () => {
    await salus(stateDir, ['down'], topology);
    home.remove();
  });

  it('leaves who starts as it was: a newcomer stays out until it is in force', async () => {
    const hill = '  - name: hill\n    mspId: HillMSP\n    roles: [hospital]\n';
    writeFileSync(topology, readFileSync(topology, 'utf8') + hill);
    const said = await done('join', '--member', 'hill');
    folder = /^proposed in (\S+);/m.exec(said)?.[1] ?? '';
    await done('down');
    assert.match(await up(), /hill is not part of the channel yet, and is left out/);
    assert.deepEqual(membersHere(), ['stmary', 'northside', 'acme', 'authority']);
    assert.equal((await (await memberClient(stateDir, 'stmary', topology)).create(patient)).status, 201);
  });

  it('starts the newcomer with the others from then on', async () => {
    for (const member of ['stmary', 'acme', 'authority']) await done('countersign', folder, '--member', member);
    assert.match(await done('apply', folder), /^HillMSP: root of identities[^]*in force at every peer/m);
    assert.deepEqual(membersHere(), ['stmary', 'northside', 'acme', 'authority', 'hill']);
    await done('down');
    assert.doesNotMatch(await up(), /left out/);
    assert.ok(runningProcesses(stateDir).some(({ name }) => name === 'peer0.hill'));
    assert.equal((await (await memberClient(stateDir, 'stmary', topology)).create(patient)).status, 201);
  });
});
