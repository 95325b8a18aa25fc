import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import type { CommandIo } from '@salus/network/command';
import { revoke } from '@salus/network/commands/revoke';
import { writeEndpoints } from '@salus/network/endpoints';
import { revokeIdentity } from '@salus/network/fabric/revoke';
import { prepareState } from '@salus/network/prepare';
import {
  connectClient,
  gatewayIdentity,
  prepareTestState,
  TEST_COLLECTIONS,
  type TestClient,
} from '../support/embedded-network.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { scratchFolder } from '../support/scratch.js';

const quiet = (stateDir: string): CommandIo => {
  const none = () => undefined;
  return { stateDir, topologyFile: '', isTerminal: false, isKept: false, out: none, err: none, progress: none };
};
const run = (...operations: string[][]) => ['run', JSON.stringify(operations)] as const;
const wish = { args: [], options: { member: 'medisure', identity: 'gateway0' } };

describe('salus revoke', () => {
  it('says that the embedded ledger cannot do it, and what can', async () => {
    const { topology, material, stateDir } = await prepareTestState();
    writeEndpoints(topology, material, 'embedded');
    await assert.rejects(revoke.run(wish, quiet(stateDir)), /embedded ledger.*takes no update.*--engine fabric/);
    rmSync(stateDir, { recursive: true });
  });

  it('says that there is no network', async () => {
    const folder = scratchFolder();
    await assert.rejects(revoke.run(wish, quiet(folder.path)), /there is no network in/);
    folder.remove();
  });
});

describe('a revoked gateway on Fabric', function () {
  this.timeout(120_000);
  let fabric: TestFabric;
  let clients: { member: string; client: TestClient }[];

  before(async function () {
    fabric = await startTestFabric(await programsOrPending(this));
    const { members } = fabric.prepared.topology;
    clients = members.map(({ name }) => ({ member: name, client: fabric.client({ member: 'medisure', at: name }) }));
  });
  after(async () => {
    await (fabric as TestFabric | undefined)?.stop();
  });

  const read = ({ contract }: TestClient) => contract.evaluateTransaction(...run(['get', 'pack']));

  it('is refused by every peer once the list is in force, and no one else is', async () => {
    for (const { client } of clients) await read(client);
    await revokeIdentity(fabric.prepared.stateDir, 'medisure', 'gateway0');
    for (const { member, client } of clients) {
      await assert.rejects(read(client), /access denied: channel \[health\] creator org \[MedisureMSP\]/, member);
    }
    await read(fabric.client({ member: 'stmary', at: 'medisure' }));
  });

  it('has another certificate at its next start, and the list grows', async () => {
    const { topology, stateDir } = fabric.prepared;
    const { cert } = gatewayIdentity(fabric.prepared, 'medisure');
    assert.equal(existsSync(cert), false);
    await prepareState(topology, stateDir, { collections: TEST_COLLECTIONS });
    const renewed = connectClient(fabric.prepared, { member: 'medisure' });
    await renewed.contract.submitTransaction(...run(['put', 'pack', 'again']));
    await revokeIdentity(stateDir, 'medisure', 'gateway0');
    await assert.rejects(read(renewed), /access denied/);
    const [first] = clients;
    await assert.rejects(read(first!.client), /access denied/);
    renewed.close();
  });

  it('names what there is when there is no such identity', async () => {
    const { stateDir } = fabric.prepared;
    await assert.rejects(revokeIdentity(stateDir, 'medisure', 'gateway9'), /no identity gateway9; it has peer0/);
    await assert.rejects(revokeIdentity(stateDir, 'nobody', 'gateway0'), /no member is named nobody/);
  });
});
