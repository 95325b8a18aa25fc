import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandIo } from '@salus/network/command';
import { revoke } from '@salus/network/commands/revoke';
import { fabricProcessesOf } from '@salus/network/commands/run-file';
import { writeEndpoints } from '@salus/network/endpoints';
import { memberPairs, peerAdmins } from '@salus/network/fabric/establish';
import { PeerAdmin } from '@salus/network/fabric/peer-admin';
import { presentConfiguration } from '@salus/network/fabric/reconfigure';
import { revokeIdentity } from '@salus/network/fabric/revoke';
import { revocationsOf } from '@salus/network/config/update/revocations';
import { revokedSerialNumbers } from '@salus/network/identity/authority';
import { layout } from '@salus/network/identity/layout';
import { pendingFiles } from '@salus/network/identity/revoked';
import { prepareState } from '@salus/network/prepare';
import {
  connectClient,
  gatewayIdentity,
  prepareTestState,
  TEST_COLLECTIONS,
  type TestClient,
} from '../support/embedded-network.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { eventually } from '../support/eventually.js';
import {
  adminIdentity,
  type IdentityFiles,
  ordererAdminIdentity,
  ordererIdentity,
  takenIdentity,
} from '../support/identities.js';
import { signerFrom } from '../support/proposal.js';
import { RawClient } from '../support/raw-client.js';
import { scratchFolder } from '../support/scratch.js';
import { blockSigner, deliverFromOrderer, newestOfOrderer } from '../support/seek.js';

const quiet = (stateDir: string): CommandIo => {
  const none = () => undefined;
  return { stateDir, topologyFile: '', isTerminal: false, isKept: false, out: none, err: none, progress: none };
};
/** Members that run an orderer. */
const ORDERERS = ['stmary', 'acme', 'authority'];
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

describe('what is revoked on Fabric', function () {
  this.timeout(240_000);
  const scratch = scratchFolder();
  let fabric: TestFabric;
  let clients: { member: string; client: TestClient }[];

  before(async function () {
    fabric = await startTestFabric(await programsOrPending(this), { overrides: { gateways: { northside: 2 } } });
    const { members } = fabric.prepared.topology;
    clients = members.map(({ name }) => ({ member: name, client: fabric.client({ member: 'medisure', at: name }) }));
  });
  after(async () => {
    await (fabric as TestFabric | undefined)?.stop();
    scratch.remove();
  });

  const read = ({ contract }: TestClient) => contract.evaluateTransaction(...run(['get', 'pack']));

  it('a gateway is refused by every peer once the list is in force, and no one else is', async () => {
    for (const { client } of clients) await read(client);
    await revokeIdentity(fabric.prepared.stateDir, 'medisure', 'gateway0');
    for (const { member, client } of clients) {
      await assert.rejects(read(client), /access denied: channel \[health\] creator org \[MedisureMSP\]/, member);
    }
    await read(fabric.client({ member: 'stmary', at: 'medisure' }));
  });

  it('a gateway has another certificate at its next start, and the list grows', async () => {
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

  it('is refused by name, and what there is named, when there is no such identity or member', async () => {
    const { stateDir } = fabric.prepared;
    await assert.rejects(
      revokeIdentity(stateDir, 'medisure', 'gateway9'),
      /no identity gateway9; it has peer0, gateway0, admin$/,
    );
    await assert.rejects(revokeIdentity(stateDir, 'acme', 'admin1'), /it has .*admin, orderer, orderer-admin$/);
    await assert.rejects(
      revokeIdentity(stateDir, 'nobody', 'gateway0'),
      /no member is named nobody; there are stmary, northside, acme,/,
    );
    await assert.rejects(revokeIdentity(stateDir, 'medisure', 'gateway0'), /gateway0 of medisure is revoked already/);
  });

  /** What each orderer says to whoever asks for its newest block. */
  async function saidByOrderers(identity: IdentityFiles): Promise<string[]> {
    const answers = ORDERERS.map(async (name) => {
      const raw = new RawClient(fabric.prepared, 'stmary', name);
      const { status } = await deliverFromOrderer(raw, signerFrom(identity), { start: 'newest', stop: 'newest' });
      raw.close();
      return status;
    });
    return Promise.all(answers);
  }
  const pendingOf = (member: string) => pendingFiles(join(fabric.prepared.stateDir, 'orderers', member), 'orderer');
  const takenBy = (status: string) => ORDERERS.map(() => status);
  /** An orderer may have the block a moment later than the peers. */
  const refusedByOrderers = (identity: IdentityFiles) =>
    eventually(async () => {
      assert.deepEqual(await saidByOrderers(identity), takenBy('FORBIDDEN'));
    });

  it('an administrator is refused by every peer and orderer; another has its place at once', async () => {
    const { topology, stateDir } = fabric.prepared;
    const old = takenIdentity(adminIdentity(fabric.prepared, 'acme'), join(scratch.path, 'admin'));
    const everywhere = topology.members.map(({ name }) => fabric.client({ member: 'acme', at: name, as: old }));
    for (const client of everywhere) await read(client);
    assert.deepEqual(await saidByOrderers(old), takenBy('SUCCESS'));
    assert.equal((await revokeIdentity(stateDir, 'acme', 'admin')).isReplaced, true);
    for (const client of everywhere)
      await assert.rejects(read(client), /access denied: channel \[health\] creator org \[AcmeMSP\]/);
    await refusedByOrderers(old);
    const present = adminIdentity(fabric.prepared, 'acme');
    await read(fabric.client({ member: 'acme', as: present }));
    assert.deepEqual(await saidByOrderers(present), takenBy('SUCCESS'));
    assert.equal(existsSync(pendingFiles(layout.member(stateDir, 'acme'), 'admin').key), false);
  });

  it('an administrator is refused by its own peer outside the channel too from that peer’s next start on', async () => {
    const { topology, stateDir } = fabric.prepared;
    const pair = memberPairs(fabric.prepared).find(({ member }) => member.name === 'acme')!;
    const [present] = peerAdmins(pair);
    const old = new PeerAdmin({ ...present!.node, clientMspDir: join(scratch.path, 'admin') }, pair.own.mspId);
    await prepareState(topology, stateDir, { collections: TEST_COLLECTIONS });
    await fabric.network.signal('peer0.acme', 'SIGTERM');
    await fabric.network.restart('peer0.acme');
    await eventually(() => present!.installed());
    await assert.rejects(old.installed(), /access denied: channel \[\] creator org \[AcmeMSP\]/);
  });

  it('an administrator stays where nobody issues another', async () => {
    const { stateDir } = fabric.prepared;
    const { key } = layout.authority(layout.member(stateDir, 'tally'));
    const before = readFileSync(adminIdentity(fabric.prepared, 'tally').cert, 'utf8');
    renameSync(key, `${key}.away`);
    await assert.rejects(revokeIdentity(stateDir, 'tally', 'admin'), /has lost its key/);
    renameSync(`${key}.away`, key);
    assert.equal(readFileSync(adminIdentity(fabric.prepared, 'tally').cert, 'utf8'), before);
    await read(fabric.client({ member: 'tally', as: adminIdentity(fabric.prepared, 'tally') }));
  });

  it('an orderer’s administrator is refused by every orderer; another signs for it', async () => {
    const old = takenIdentity(ordererAdminIdentity(fabric.prepared, 'acme'), join(scratch.path, 'orderer-admin'));
    assert.deepEqual(await saidByOrderers(old), takenBy('SUCCESS'));
    await revokeIdentity(fabric.prepared.stateDir, 'acme', 'orderer-admin');
    await refusedByOrderers(old);
    assert.deepEqual(await saidByOrderers(ordererAdminIdentity(fabric.prepared, 'acme')), takenBy('SUCCESS'));
  });

  /** The certificate (PEM) with which an orderer signed the newest block that it hands out. */
  async function signedBy(orderer: string): Promise<string> {
    const raw = new RawClient(fabric.prepared, 'stmary', orderer);
    const block = await newestOfOrderer(raw, signerFrom(gatewayIdentity(fabric.prepared, 'stmary')));
    raw.close();
    return Buffer.from(blockSigner(block).getIdBytes_asU8()).toString();
  }

  it('an orderer is not started again while another one is away', async () => {
    const { stateDir } = fabric.prepared;
    const old = readFileSync(ordererIdentity(fabric.prepared, 'acme').cert, 'utf8');
    await fabric.network.signal('orderer.stmary', 'SIGTERM');
    await assert.rejects(
      revokeIdentity(stateDir, 'acme', 'orderer'),
      /the orderer of acme is not started again while that of stmary is away/,
    );
    assert.equal(await signedBy('acme'), old);
    await fabric.network.restart('orderer.stmary');
    await eventually(() => signedBy('stmary'));
  });

  it('an orderer signs blocks with another certificate before the one it had is refused', async () => {
    const { stateDir } = fabric.prepared;
    const old = takenIdentity(
      { ...ordererIdentity(fabric.prepared, 'acme'), ...pendingOf('acme') },
      join(scratch.path, 'orderer'),
    );
    assert.deepEqual(await saidByOrderers(old), takenBy('SUCCESS'));
    const { isInForce } = await revokeIdentity(stateDir, 'acme', 'orderer');
    assert.equal(isInForce, true);
    await refusedByOrderers(old);
    const present = ordererIdentity(fabric.prepared, 'acme');
    assert.deepEqual(await saidByOrderers(present), takenBy('SUCCESS'));
    await eventually(async () => {
      assert.equal(await signedBy('acme'), readFileSync(present.cert, 'utf8'));
    });
    await fabric.client({ member: 'stmary' }).contract.submitTransaction(...run(['put', 'pack', 'ordered']));
  });

  it('an orderer that we did not start must be started again before the one it had is refused', async () => {
    const { stateDir } = fabric.prepared;
    const old = takenIdentity(ordererIdentity(fabric.prepared, 'authority'), join(scratch.path, 'far-orderer'));
    const record = fabricProcessesOf(stateDir);
    renameSync(record, `${record}.away`);
    const first = await revokeIdentity(stateDir, 'authority', 'orderer');
    assert.equal(first.isInForce, false);
    // Asked for again though nobody started it.
    assert.deepEqual(await revokeIdentity(stateDir, 'authority', 'orderer'), first);
    assert.deepEqual(await saidByOrderers(old), takenBy('SUCCESS'));
    await fabric.network.signal('orderer.authority', 'SIGTERM');
    await fabric.network.restart('orderer.authority');
    const { contract } = fabric.client({ member: 'stmary' });
    await eventually(async () => {
      // A block is wanted, and what a leader took that was just ended is lost.
      await contract.submitAsync('run', { arguments: [JSON.stringify([['put', 'pack', 'again']])] });
      assert.equal(
        await signedBy('authority'),
        readFileSync(ordererIdentity(fabric.prepared, 'authority').cert, 'utf8'),
      );
    });
    assert.deepEqual(await revokeIdentity(stateDir, 'authority', 'orderer'), { ...first, isInForce: true });
    renameSync(`${record}.away`, record);
    await refusedByOrderers(old);
  });

  it('two identities of a member are revoked at once: both are on its list', async () => {
    const { stateDir } = fabric.prepared;
    const revocations = await Promise.all([
      revokeIdentity(stateDir, 'northside', 'gateway0'),
      revokeIdentity(stateDir, 'northside', 'gateway1'),
    ]);
    const pair = memberPairs(fabric.prepared).find(({ member }) => member.name === 'stmary')!;
    const present = await presentConfiguration(peerAdmins(pair)[0]!, 'health');
    const lists = revocationsOf(present, 'NorthsideMSP').map((list) => Buffer.from(list).toString());
    assert.deepEqual(
      revocations.map(({ serialNumber }) => lists.flatMap(revokedSerialNumbers).includes(serialNumber.toLowerCase())),
      [true, true],
    );
  });
});
