/** Which ports a start tries: those on which its engine listens, and no other. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { busyPorts } from '@salus/network/commands/free-ports';
import { loadTopology, type Topology } from '@salus/network/topology';
import { freePortBase } from '../support/free-ports.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';

describe('ports that another program holds', () => {
  const home = scratchFolder();
  let topology: Topology;

  before(async () => {
    topology = loadTopology(fewMembers(home.path, await freePortBase(), ['stmary', 'northside', 'acme', 'authority']));
  });

  /** What each engine says, one after the other (each tries every port) while one is held. */
  async function whileHeld(port: number): Promise<(string | undefined)[]> {
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    try {
      return [await busyPorts(topology, 'embedded'), await busyPorts(topology, 'fabric')];
    } finally {
      other.close();
    }
  }

  it('names the one chaincode of all members on the embedded engine alone: on Fabric nobody listens there', async () => {
    const port = topology.sharedChaincodePort;
    assert.deepEqual(await whileHeld(port), [`127.0.0.1:${port} (chaincode)`, undefined]);
  });

  it('names a member’s own chaincode on Fabric alone', async () => {
    const { chaincodePort: port } = topology.members[0]!;
    assert.deepEqual(await whileHeld(port), [undefined, `127.0.0.1:${port} (chaincode of stmary)`]);
  });
});
