import assert from 'node:assert/strict';
import { changeOfOne } from '@salus/network/fabric/told';
import { type NetworkFile, prepareState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { TEST_COLLECTIONS } from '../support/embedded-network.js';
import { scratchFolder } from '../support/scratch.js';

describe('what a proposed change tells of the members', function () {
  this.timeout(60_000);
  const folder = scratchFolder();
  let whole: NetworkFile;
  /** Without tally. */
  let fewer: NetworkFile;

  before(async () => {
    whole = await prepareState(loadTopology(), folder.path, { collections: TEST_COLLECTIONS });
    const others = <T extends { readonly name: string }>(all: readonly T[]) =>
      all.filter(({ name }) => name !== 'tally');
    fewer = {
      topology: { ...whole.topology, members: others(whole.topology.members) },
      material: { ...whole.material, members: others(whole.material.members) },
    };
  });
  after(() => {
    folder.remove();
  });

  /** The same with one member's entry changed. */
  function changed({ topology, material }: NetworkFile, member: string, change: object): NetworkFile {
    const members = topology.members.map((each) => (each.name === member ? { ...each, ...change } : each));
    return { topology: { ...topology, members }, material };
  }

  it('is shown of who comes: roles, company prefixes and addresses, which no signature covers', () => {
    const { network, member, lines } = changeOfOne(fewer, whole);
    assert.equal(member, 'tally');
    assert.deepEqual(network.topology.members, whole.topology.members);
    assert.match(lines.join('\n'), /tally comes: MSP TallyMSP.*\ntally has the roles: cro; GS1 company prefixes: none/);
  });

  it('is of one member: what else is slipped in is refused', () => {
    const slipped = changed(whole, 'acme', { roles: ['manufacturer', 'hospital'] });
    assert.throws(() => changeOfOne(fewer, slipped), /tells of acme, tally, and a change is of one/);
    const { topology } = whole;
    const weaker = {
      ...whole,
      topology: { ...topology, chaincode: { ...topology.chaincode, endorsement: 'ANY' as const } },
    };
    assert.throws(() => changeOfOne(fewer, weaker), /another chaincode/);
  });

  it('changes nothing of the others, nor of where one binds one’s own nodes', () => {
    const old = changed(whole, 'stmary', { host: '10.0.0.7' });
    const { network, member } = changeOfOne(fewer, old);
    assert.equal(member, 'tally');
    assert.deepEqual(network.topology.members[0], whole.topology.members[0]);
    assert.deepEqual(changeOfOne(whole, old), { network: whole, lines: [] });
  });

  it('is refused where an entry is none of a topology file', () => {
    const peers = [{ ...whole.topology.members.at(-1)!.peers[0]!, host: 'x;reboot' }];
    assert.throws(() => changeOfOne(fewer, changed(whole, 'tally', { peers })), /"x;reboot" is not a lower-case host/);
  });

  it('tells who leaves, and remembers the name', () => {
    const { network, lines } = changeOfOne(whole, fewer);
    assert.deepEqual(lines, ['tally leaves']);
    assert.deepEqual(network.topology.former, ['tally']);
  });
});
