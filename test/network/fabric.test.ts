import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import { installedPackages } from '@salus/network/fabric/packages';
import { startFabric } from '@salus/network/fabric/network';
import type { Programs } from '@salus/network/fabric/programs';
import { layout, mspFiles, tlsFiles } from '@salus/network/identity/layout';
import { chaincodePackage } from '@salus/network/config/archive';
import type { MemberMaterial } from '@salus/network/identity/material';
import { memberOf } from '@salus/network/topology';
import { eventually } from '../support/eventually.js';
import { gatewayIdentity, prepareTestState } from '../support/embedded-network.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { saidTo, statusOf } from '../support/tls-client.js';

const operationsOf = ({ host, operationsPort }: { host: string; operationsPort: number }) => ({
  host,
  port: operationsPort,
});

describe('a native Fabric network', function () {
  this.timeout(180_000);
  let programs: Programs;
  let fabric: TestFabric;

  before(async function () {
    programs = await programsOrPending(this);
    fabric = await startTestFabric(programs, { overrides: { peers: { stmary: 2 } } });
  });
  after(async () => {
    const running = fabric as TestFabric | undefined;
    await running?.stop();
    if (running) rmSync(running.prepared.stateDir, { recursive: true, force: true });
  });

  const run = (...operations: string[][]) => ['run', JSON.stringify(operations)] as const;

  it('runs three orderers, every member’s peers and every member’s own chaincode', () => {
    const names = [...fabric.network.pids.keys()];
    assert.equal(names.filter((name) => name.startsWith('orderer.')).length, 3);
    assert.equal(names.filter((name) => name.startsWith('peer')).length, 8);
    assert.equal(names.filter((name) => name.startsWith('chaincode.')).length, 7);
    assert.equal(fabric.network.sequence, 1);
  });

  it('takes nobody without a certificate at any port, operations, administration and chaincode included', async () => {
    const { topology } = fabric.prepared;
    const ports = topology.members.flatMap(({ host, peers, orderer, chaincodePort }) => [
      ...peers.flatMap((node) => [node.port, node.operationsPort]).map((port) => ({ host, port })),
      ...(orderer ? [orderer.port, orderer.adminPort, orderer.operationsPort].map((port) => ({ host, port })) : []),
      { host, port: chaincodePort },
    ]);
    assert.equal(ports.length, 2 * 8 + 3 * 3 + 7);
    for (const place of ports) assert.match(await saidTo(place), /ALERT.*CERTIFICATE/, JSON.stringify(place));
    const { cert, key } = gatewayIdentity(fabric.prepared, 'tally');
    const member = { cert: readFileSync(cert), key: readFileSync(key) };
    assert.equal(await saidTo({ ...ports[0]!, ...member }), 'nothing');
  });

  it('shows health and metrics, and has its log set, by a node’s own organisation alone', async () => {
    const { topology, material } = fabric.prepared;
    const member = memberOf(topology, 'stmary');
    const [own, other] = ['stmary', 'acme'].map((name) => material.members.find((each) => each.name === name)!);
    const certificates = ({ peers: [peer], orderer }: MemberMaterial) =>
      [mspFiles(peer!.mspDir), tlsFiles(peer!.tlsDir), mspFiles(orderer!.mspDir), tlsFiles(orderer!.tlsDir)].map(
        ({ cert, key }) => ({ cert: readFileSync(cert), key: readFileSync(key) }),
      );
    const [identity, tls, ...ofOrderer] = certificates(own!);
    for (const each of certificates(other!)) {
      for (const port of [member.peers[0]!.operationsPort, member.orderer!.operationsPort]) {
        assert.match(await saidTo({ host: member.host, port, ...each }), /ALERT.*CERTIFICATE|UNKNOWN_CA/);
      }
    }
    for (const path of ['/healthz', '/metrics', '/logspec']) {
      for (const each of [identity!, tls!])
        assert.equal(await statusOf(operationsOf(member.peers[0]!), path, each), 200, path);
      for (const each of ofOrderer) assert.equal(await statusOf(operationsOf(member.orderer!), path, each), 200, path);
    }
  });

  it('commits what a majority of members endorsed, for all members to read', async () => {
    await fabric.client({ member: 'stmary' }).contract.submitTransaction(...run(['put', 'pack', 'genuine']));
    const { contract } = fabric.client({ member: 'tally' });
    await eventually(async () => {
      const value = Buffer.from(await contract.evaluateTransaction(...run(['get', 'pack']))).toString();
      assert.equal(value, '["genuine"]');
    });
  });

  it('keeps private values with the collection’s members, by the gateways’ organisational unit', async () => {
    const { contract } = fabric.client({ member: 'stmary' });
    const transientData = { value: 'canary-7301' };
    const [name, args] = run(['privateStore', 'care', 'key', 'value']);
    await contract.submit(name, { arguments: [args], transientData });
    const read = run(['privateGet', 'care', 'key']);
    assert.equal(Buffer.from(await contract.evaluateTransaction(...read)).toString(), '["canary-7301"]');
    const outsider = fabric.client({ member: 'medisure' }).contract;
    await assert.rejects(outsider.evaluateTransaction(...read), /does not have read access permission/);
    const { stateDir } = fabric.prepared;
    const holders = ['stmary', 'northside', 'medisure', 'acme'].filter((member) =>
      contains(layout.memberLedger(layout.member(stateDir, member)), 'canary-7301'),
    );
    assert.deepEqual(holders, ['stmary', 'northside']);
  });

  it('installs the very same package at every peer, and notices where it is missing', async () => {
    const { stateDir, topology } = fabric.prepared;
    const hash = createHash('sha256').update(chaincodePackage(topology.chaincode.name).bytes).digest('hex');
    const { hashes, different } = await installedPackages(stateDir);
    assert.equal(Object.keys(hashes).length, 8);
    assert.deepEqual([...new Set(Object.values(hashes))], [hash]);
    assert.deepEqual(different, []);
    await fabric.network.signal('peer0.tally', 'SIGKILL');
    assert.deepEqual((await installedPackages(stateDir)).different, ['peer0.tally']);
    await fabric.network.restart('peer0.tally');
  });

  it('streams whole blocks to gateways', async () => {
    const { network } = fabric.client({ member: 'medisure' });
    const events = await network.getBlockEvents({ startBlock: 0n });
    for await (const block of events) {
      assert.equal(block.getHeader()!.getNumber(), 0);
      assert.deepEqual(
        Buffer.from(block.getData()!.getDataList_asU8()[0]!),
        Buffer.from(
          common.Block.deserializeBinary(readFileSync(layout.genesis(fabric.prepared.stateDir)))
            .getData()!
            .getDataList_asU8()[0]!,
        ),
      );
      break;
    }
    events.close();
  });

  it('goes on when one orderer and one peer are killed, and takes them back', async () => {
    const { contract } = fabric.client({ member: 'acme' });
    await fabric.network.signal('orderer.stmary', 'SIGKILL');
    await fabric.network.signal('peer0.meridian', 'SIGKILL');
    await eventually(() => contract.submitTransaction(...run(['put', 'while', 'two are away'])));
    await fabric.network.restart('orderer.stmary');
    await fabric.network.restart('peer0.meridian');
    const back = fabric.client({ member: 'meridian' }).contract;
    await eventually(async () => {
      const value = Buffer.from(await back.evaluateTransaction(...run(['get', 'while']))).toString();
      assert.equal(value, '["two are away"]');
    });
  });

  it('says which port is taken', async () => {
    const prepared = await prepareTestState();
    const { port } = prepared.topology.members[2]!.peers[0]!;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const start = startFabric({ stateDir: prepared.stateDir, programs, path: '', onProgress: () => undefined });
    await assert.rejects(start, new RegExp(`peer0.acme cannot listen on 127.0.0.1:${port}: something already does`));
    server.close();
    rmSync(prepared.stateDir, { recursive: true });
  });

  it('leaves nothing running, and continues where it was', async () => {
    const pids = [...fabric.network.pids.values()];
    const { prepared } = fabric;
    await fabric.network.stop();
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), /ESRCH/);
    fabric = await startTestFabric(programs, { prepared });
    const { contract } = fabric.client({ member: 'stmary' });
    await eventually(async () => {
      const value = Buffer.from(await contract.evaluateTransaction(...run(['get', 'pack']))).toString();
      assert.equal(value, '["genuine"]');
    });
  });
});

/** Whether a file below the folder holds the text. */
function contains(folder: string, text: string): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(text));
}
