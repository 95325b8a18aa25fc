/** Members and orderers come and go while the channel runs: an update that a majority signs, file by file. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EndorseError } from '@hyperledger/fabric-gateway';
import { DEFAULT_TOPOLOGY_FILE, type Topology } from '@salus/network/topology';
import { parseTopology } from '@salus/network/topology/parse';
import { exportMember } from '@salus/network/fabric/export';
import { applyProposal, countersign, propose } from '@salus/network/fabric/proposal';
import { memberPairs, peerAdmins } from '@salus/network/fabric/establish';
import { revokeIdentity } from '@salus/network/fabric/revoke';
import { layout } from '@salus/network/identity/layout';
import { exportedState, readNetwork } from '@salus/network/prepare';
import { eventually } from '../support/eventually.js';
import { connectClient, gatewayIdentity, TEST_COLLECTIONS, type TestClient } from '../support/embedded-network.js';
import { PLACES } from '../support/fabric-ca.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import {
  adminIdentity,
  type IdentityFiles,
  ordererAdminIdentity,
  peerIdentity,
  takenIdentity,
} from '../support/identities.js';
import { evaluate } from '../support/ledger-calls.js';
import { signerFrom } from '../support/proposal.js';
import { RawClient } from '../support/raw-client.js';
import { scratchFolder } from '../support/scratch.js';
import { deliverFromOrderer } from '../support/seek.js';
import type { Programs } from '@salus/network/fabric/programs';

const run = (...operations: string[][]) => ['run', JSON.stringify(operations)] as const;
const options = { collections: TEST_COLLECTIONS, places: PLACES };

/** The consortium of the project with an eighth member behind the others. */
function withHill(portBase: number, ...lines: string[]): Topology {
  const hill = ['- name: hill', '  mspId: HillMSP', '  roles: [hospital]', ...lines.map((line) => `  ${line}`)];
  const text = `${readFileSync(DEFAULT_TOPOLOGY_FILE, 'utf8')}\n${hill.map((line) => `  ${line}`).join('\n')}\n`;
  return parseTopology(text, 'consortium.yaml', { portBase });
}

describe('an eighth member on a running Fabric channel', function () {
  this.timeout(240_000);
  let programs: Programs;
  let fabric: TestFabric;
  let hill: TestFabric;
  let home: ReturnType<typeof scratchFolder>;
  let portBase: number;
  let load: Load;
  /** Of hill's gateway, revoked before it left. */
  let lost: IdentityFiles;

  before(async function () {
    programs = await programsOrPending(this);
    home = scratchFolder();
    fabric = await startTestFabric(programs);
    portBase = fabric.prepared.topology.ports.gateways - 1;
    load = new Load(fabric.client({ member: 'stmary' }));
  });
  after(async () => {
    const started = [hill, fabric] as (TestFabric | undefined)[];
    for (const each of started) await each?.stop();
    (home as typeof home | undefined)?.remove();
  });

  const proposed = (name: string) => join(home.path, name);

  it('joins by an update that a majority signed, and by no fewer', async () => {
    const { stateDir } = fabric.prepared;
    const { changes, folder } = await propose(stateDir, withHill(portBase), proposed('join'), options);
    const home = layout.member(stateDir, 'hill');
    const rootAt = ({ cert }: { cert: string }) => new X509Certificate(readFileSync(cert)).fingerprint256;
    assert.deepEqual(changes, [
      'adds /Channel/Application/HillMSP',
      'changes /Channel/Application/BlockReaders',
      'changes who belongs to /Channel/Application',
      `HillMSP: root of identities, in SHA-256: ${rootAt(layout.authority(home))}`,
      `HillMSP: root of TLS, in SHA-256: ${rootAt(layout.tlsAuthority(home))}`,
    ]);
    const shown: string[] = [];
    await countersign(stateDir, folder, 'stmary', (line) => shown.push(line));
    assert.deepEqual(shown, changes);
    for (const member of ['northside', 'acme']) await countersign(stateDir, folder, member);
    await assert.rejects(applyProposal(stateDir, folder), /requires 4 of the 'Admins' sub-policies|not satisfied/);
    await countersign(stateDir, folder, 'authority');
    assert.equal(await applyProposal(stateDir, folder), 2);
  });

  it('starts from its own folder alone, catches up and endorses', async () => {
    const target = join(home.path, 'hill');
    exportMember(fabric.prepared.stateDir, 'hill', target);
    hill = await startTestFabric(programs, { prepared: exportedState(target) });
    assert.deepEqual([...hill.network.pids.keys()], ['peer0.hill', 'chaincode.hill']);
    const client = hill.client({ member: 'hill' });
    await client.contract.submitTransaction(...run(['put', 'from', 'hill']));
    const endorsingOrganizations = ['HillMSP', 'StmaryMSP', 'NorthsideMSP', 'AcmeMSP', 'AuthorityMSP'];
    await client.contract.submit('run', { arguments: [run(['put', 'by', 'five'])[1]], endorsingOrganizations });
    await reads(client, 'by', 'five');
  });

  it('holds private values of its own and of the hospitals from then on', async () => {
    const { contract } = hill.client({ member: 'hill' });
    for (const collection of ['of-hill', 'care']) {
      const transientData = { value: `seen in ${collection}` };
      await contract.submit('run', {
        arguments: [run(['privateStore', collection, 'key', 'value'])[1]],
        transientData,
      });
      const read = await contract.evaluateTransaction(...run(['privateGet', collection, 'key']));
      assert.equal(Buffer.from(read).toString(), `["seen in ${collection}"]`);
    }
  });

  it('runs an orderer that the majority of orderers took in', async () => {
    const { stateDir } = fabric.prepared;
    const topology = withHill(portBase, 'orderer: true');
    const { folder } = await propose(stateDir, topology, proposed('orderer'), options);
    for (const member of ['stmary', 'acme', 'northside', 'medisure', 'tally'])
      await countersign(stateDir, folder, member);
    await applyProposal(stateDir, folder);
    await hill.stop();
    const target = join(home.path, 'hill-orderer');
    exportMember(stateDir, 'hill', target);
    // The peer goes on with what it holds: private values lie nowhere else.
    cpSync(join(home.path, 'hill/members/hill/ledger'), join(target, 'members/hill/ledger'), { recursive: true });
    hill = await startTestFabric(programs, { prepared: exportedState(target) });
    assert.ok(hill.network.pids.has('orderer.hill'));
    // Of four orderers three are a majority: without the new one nothing would be ordered now.
    await fabric.network.signal('orderer.acme', 'SIGKILL');
    const { contract } = hill.client({ member: 'hill' });
    await eventually(() => contract.submitTransaction(...run(['put', 'ordered', 'with the fourth'])));
    await fabric.network.restart('orderer.acme');
  });

  /** Has a majority sign what the topology asks for, and the orderers take it. */
  async function changed(name: string, topology: Topology): Promise<void> {
    const { stateDir } = fabric.prepared;
    const { folder } = await propose(stateDir, topology, proposed(name), options);
    for (const member of ['stmary', 'acme', 'authority', 'northside', 'medisure'])
      await countersign(stateDir, folder, member);
    await eventually(() => applyProposal(stateDir, folder));
  }
  /** What an orderer of the others says to whoever asks for its newest block. */
  async function saidTo(identity: IdentityFiles): Promise<string> {
    const raw = new RawClient(fabric.prepared, 'stmary');
    const { status } = await deliverFromOrderer(raw, signerFrom(identity), { start: 'newest', stop: 'newest' });
    raw.close();
    return status;
  }
  const refusedByOrderer = (identity: IdentityFiles) =>
    eventually(async () => {
      assert.equal(await saidTo(identity), 'FORBIDDEN');
    });
  const hillPeer = () => peerAdmins(memberPairs(hill.prepared)[0]!)[0]!;

  it('gives its orderer up and has it again: what was revoked of it stays refused', async () => {
    const { stateDir } = fabric.prepared;
    const old = takenIdentity(ordererAdminIdentity(hill.prepared, 'hill'), join(home.path, 'orderer-admin'));
    assert.equal(await saidTo(old), 'SUCCESS');
    await revokeIdentity(stateDir, 'hill', 'orderer-admin');
    await refusedByOrderer(old);
    await changed('no-orderer', withHill(portBase));
    await changed('orderer-again', withHill(portBase, 'orderer: true'));
    const present = ordererAdminIdentity({ ...fabric.prepared, ...readNetwork(stateDir) }, 'hill');
    await eventually(async () => {
      assert.equal(await saidTo(present), 'SUCCESS');
    });
    assert.equal(await saidTo(old), 'FORBIDDEN');
    await changed('no-orderer-again', withHill(portBase));
  });

  it('leaves, and has no block and no transaction from then on; the others go on', async () => {
    const { stateDir } = fabric.prepared;
    lost = takenIdentity(gatewayIdentity(hill.prepared, 'hill'), join(home.path, 'gateway'));
    const reader = peerIdentity(hill.prepared, 'hill');
    assert.equal(await saidTo(reader), 'SUCCESS');
    await revokeIdentity(stateDir, 'hill', 'gateway0');
    const outsider = connectClient(hill.prepared, { member: 'hill', as: adminIdentity(hill.prepared, 'hill') });
    // Its peer may still ask the orderer that it gave up.
    await eventually(() => outsider.contract.submitTransaction(...run(['put', 'from', 'inside'])));
    await changed('leave', withHill(portBase, 'left: true'));
    await assert.rejects(
      outsider.contract.submitTransaction(...run(['put', 'from', 'outside'])),
      (error: EndorseError) => error.details.some(({ message }) => /creator org unknown/.test(message)),
    );
    outsider.close();
    await refusedByOrderer(reader);
    const height = await hillPeer().height('health');
    const client = fabric.client({ member: 'tally' });
    await client.contract.submitTransaction(...run(['put', 'after', 'hill left']));
    await reads(client, 'after', 'hill left');
    const [peer] = peerAdmins(memberPairs(fabric.prepared)[0]!);
    await eventually(async () => {
      assert.ok((await peer!.height('health')) > height + 3);
    });
    assert.equal(await hillPeer().height('health'), height);
  });

  it('comes back, and what it had revoked before stays refused', async () => {
    await changed('back', withHill(portBase));
    await eventually(async () => {
      assert.equal(await saidTo(peerIdentity(hill.prepared, 'hill')), 'SUCCESS');
    });
    assert.equal(await saidTo(lost), 'FORBIDDEN');
  });

  it('cost nobody a write that was acknowledged, all the time', async () => {
    const acknowledged = await load.stop();
    assert.ok(acknowledged.length > 20, `only ${acknowledged.length} writes went through`);
    const client = fabric.client({ member: 'stmary' });
    for (const key of acknowledged) await reads(client, key, key);
  });
});

/** Writes one key after the other, and remembers those that were acknowledged. */
class Load {
  private readonly acknowledged: string[] = [];
  private stopped = false;
  private readonly running: Promise<void>;

  constructor(private readonly client: TestClient) {
    this.running = this.write();
  }

  async stop(): Promise<readonly string[]> {
    this.stopped = true;
    await this.running;
    return this.acknowledged;
  }

  private async write(): Promise<void> {
    for (let number = 0; !this.stopped; number += 1) {
      const key = `load${number}`;
      try {
        await this.client.contract.submitTransaction(...run(['put', key, key]));
        this.acknowledged.push(key);
      } catch {
        // Not acknowledged: nothing is claimed of it.
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Whichever peer answers has seen the block by then: a commit's status comes from one peer and says nothing of the others. */
function reads(client: TestClient, key: string, value: string): Promise<void> {
  return eventually(async () => {
    assert.deepEqual(await evaluate(client, [['get', key]]), [value]);
  });
}
