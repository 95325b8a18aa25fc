/** What a member takes to its own machine, and what stays of one that left. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_TOPOLOGY_FILE } from '@salus/network/topology';
import { parseTopology } from '@salus/network/topology/parse';
import { exportMember } from '@salus/network/fabric/export';
import { exportedState } from '@salus/network/prepare';
import { prepareTestState } from '../support/embedded-network.js';
import { scratchFolder } from '../support/scratch.js';

describe('the folder of a member', () => {
  const folder = scratchFolder();
  after(() => {
    folder.remove();
  });

  it('holds every key of the member and no key of another', async () => {
    const { stateDir } = await prepareTestState();
    const target = join(folder.path, 'northside');
    exportMember(stateDir, 'northside', target);
    const keysOf = (place: string) =>
      files(place).filter((file) => /PRIVATE KEY|"d":/.test(readFileSync(join(place, file), 'utf8')));
    const own = keysOf(stateDir).filter((file) => file.startsWith('members/northside/'));
    assert.ok(own.length >= 8);
    assert.deepEqual(keysOf(target).sort(), own.sort());
    const settings = readFileSync(join(target, 'members/northside/gateways/gateway0/settings.json'), 'utf8');
    assert.ok(settings.includes(target) && !settings.includes(stateDir));
    const { topology, gatewaySettings } = exportedState(target);
    assert.deepEqual(
      topology.members.map(({ name }) => name),
      ['northside'],
    );
    assert.deepEqual(gatewaySettings, [join(target, 'members/northside/gateways/gateway0/settings.json')]);
    const compose = readFileSync(join(target, 'docker-compose.yaml'), 'utf8');
    assert.match(compose, /peer0\.northside/);
    assert.doesNotMatch(compose, /stmary/);
    assert.match(readFileSync(join(target, 'README.md'), 'utf8'), /keys of northside and of nobody else/);
    assert.throws(() => {
      exportMember(stateDir, 'northside', target);
    }, /is not empty: name another folder/);
    rmSync(stateDir, { recursive: true });
  });
});

describe('a member that left', () => {
  it('keeps its place in the topology file, so that the others keep their ports', () => {
    const text = readFileSync(DEFAULT_TOPOLOGY_FILE, 'utf8');
    const before = parseTopology(text, 'consortium.yaml');
    const gone = text.replace('mspId: NorthsideMSP', 'mspId: NorthsideMSP\n    left: true');
    const after = parseTopology(gone, 'consortium.yaml');
    assert.deepEqual(
      after.members,
      before.members.filter(({ name }) => name !== 'northside'),
    );
    assert.deepEqual(after.former, ['northside']);
  });
});

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
