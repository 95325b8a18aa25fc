import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { revokedSerialNumbers } from '@salus/network/identity/authority';
import { memberAccess } from '@salus/network/identity/fabric-ca/access';
import { FabricCa } from '@salus/network/identity/fabric-ca/fabric-ca';
import { type RunningAuthorities, startAuthorities } from '@salus/network/fabric/authorities';
import { findFabricCaServer } from '@salus/network/fabric/programs';
import { ensureIssuedIdentity } from '@salus/network/identity/issue';
import { type KeyFiles, layout, mspFiles, tlsFiles } from '@salus/network/identity/layout';
import { ensureAuthorities, ensureMaterial, ensureMember, type MemberMaterial } from '@salus/network/identity/material';
import type { Topology } from '@salus/network/topology';
import { prepareState } from '@salus/network/prepare';
import { applyProposal, countersign, propose } from '@salus/network/fabric/proposal';
import { revokeIdentity } from '@salus/network/fabric/revoke';
import { take, TEST_COLLECTIONS, type TestClient } from '../support/embedded-network.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { fabricCaOrPending, PLACES, topologyWithFabricCa } from '../support/fabric-ca.js';
import { freePortBase } from '../support/free-ports.js';
import { adminIdentity, takenIdentity } from '../support/identities.js';
import { saidTo, statusOf } from '../support/tls-client.js';

const DAY_MS = 86_400_000;
const SERVED = 'stmary';
const GATEWAY = { organisation: SERVED, name: 'gateway0.stmary', units: ['gateway'] };

const operation = (...operations: string[][]) => ['run', JSON.stringify(operations)] as const;
const put = (value: string) => operation(['put', 'pack', value]);

function subjectOf(file: string): { O: string; OU: string[]; CN: string } {
  const subject = new X509Certificate(readFileSync(file)).toLegacyObject().subject as Record<string, string | string[]>;
  return { O: String(subject['O']), OU: [subject['OU'] ?? []].flat(), CN: String(subject['CN']) };
}

describe('a member’s Fabric CA server', function () {
  this.timeout(120_000);
  let stateDir: string;
  let topology: Topology;
  let authorities: RunningAuthorities;
  let own: MemberMaterial;

  before(async function () {
    await fabricCaOrPending(this);
    stateDir = mkdtempSync(join(tmpdir(), 'salus-fabric-ca-'));
    topology = topologyWithFabricCa(SERVED, '{}', { portBase: await freePortBase() });
    authorities = await startAuthorities(topology, stateDir, PLACES);
    const [first] = (await ensureMaterial(topology, stateDir)).members;
    own = first!;
  });
  after(async () => {
    await (authorities as RunningAuthorities | undefined)?.stop();
    if (stateDir) rmSync(stateDir, { recursive: true });
  });

  const gatewayFiles = () => ({
    cert: join(own.gateways[0]!.dir, 'cert.pem'),
    key: join(own.gateways[0]!.dir, 'key.pem'),
  });
  const open = () => FabricCa.open(memberAccess(topology.members[0]!, own.dir)!, own.dir);

  it('issues under the member’s own root what the built-in authority would: role, organisation and name', () => {
    const expected: [string, string[], string][] = [
      [mspFiles(own.adminMspDir).cert, ['admin'], 'admin.stmary'],
      [mspFiles(own.peers[0]!.mspDir).cert, ['peer'], 'peer0.stmary'],
      [gatewayFiles().cert, ['client', 'gateway'], 'gateway0.stmary'],
    ];
    const root = new X509Certificate(readFileSync(layout.authority(own.dir).cert));
    assert.equal(new X509Certificate(own.ca).fingerprint256, root.fingerprint256);
    for (const [file, units, name] of expected) {
      assert.deepEqual(subjectOf(file), { O: SERVED, OU: units, CN: name });
      assert.ok(new X509Certificate(readFileSync(file)).verify(root.publicKey), file);
    }
    const { key, cert } = mspFiles(own.adminMspDir);
    assert.ok(new X509Certificate(readFileSync(cert)).checkPrivateKey(createPrivateKey(readFileSync(key))));
  });

  it('issues the orderer’s under the orderer’s root, by a second authority', () => {
    const { orderer } = own;
    const file = mspFiles(orderer!.mspDir).cert;
    assert.deepEqual(subjectOf(file), { O: 'stmary-orderer', OU: ['orderer'], CN: 'orderer.stmary' });
    assert.ok(new X509Certificate(readFileSync(file)).verify(new X509Certificate(orderer!.ca).publicKey));
    assert.notEqual(orderer!.ca, own.ca);
  });

  it('takes nobody at either port who shows no certificate of the member’s own TLS root', async () => {
    const log = readFileSync(join(stateDir, 'log', 'fabric-ca.stmary.log'), 'utf8');
    const [, operations] = /Operation Server Listening on 127\.0\.0\.1:(\d+)/.exec(log)!;
    const { host, port } = topology.members[0]!.fabricCa!.listens!;
    const other = (await ensureMember(topology.members[1]!, stateDir)).peers[0]!;
    const shown = ({ cert, key }: KeyFiles) => ({ cert: readFileSync(cert), key: readFileSync(key) });
    const mine = shown(layout.fabricCaClient(own.dir));
    for (const place of [
      { host, port },
      { host, port: Number(operations) },
    ]) {
      assert.match(await saidTo(place), /ALERT.*CERTIFICATE/);
      for (const each of [tlsFiles(other.tlsDir), mspFiles(other.mspDir), mspFiles(own.adminMspDir)]) {
        assert.match(await saidTo({ ...place, ...shown(each) }), /ALERT.*CERTIFICATE|UNKNOWN_CA/);
      }
      assert.equal(await saidTo({ ...place, ...mine }), 'nothing');
    }
    assert.equal(await statusOf({ host, port }, '/cainfo', mine), 200);
    assert.equal(await statusOf({ host, port: Number(operations) }, '/healthz', mine), 200);
  });

  it('keeps what it issued: a second start needs no server', async () => {
    const before = readFileSync(gatewayFiles().cert, 'utf8');
    await authorities.stop();
    await ensureMaterial(topology, stateDir);
    assert.equal(readFileSync(gatewayFiles().cert, 'utf8'), before);
    rmSync(gatewayFiles().cert);
    await assert.rejects(ensureMaterial(topology, stateDir), /Fabric CA at https:\S+ does not answer .*start it/);
    authorities = await startAuthorities(topology, stateDir, PLACES);
    await ensureMaterial(topology, stateDir);
    assert.deepEqual(subjectOf(gatewayFiles().cert).OU, ['client', 'gateway']);
  });

  it('renews on the word of the present certificate, under a new key', async () => {
    const ca = await open();
    const [certificate, key] = [gatewayFiles().cert, gatewayFiles().key].map((file) => readFileSync(file, 'utf8'));
    const renewed = await ca.renewed({ certificate: certificate!, key: key! }, GATEWAY, 'client');
    const serial = (pem: string) => new X509Certificate(pem).serialNumber;
    assert.notEqual(serial(renewed.certificate), serial(certificate!));
    assert.notEqual(renewed.key, key);
    const stranger = await ca.identity({ organisation: SERVED, name: 'other.stmary' }, 'client');
    await assert.rejects(ca.renewed(stranger, GATEWAY, 'client'), /common name must equal the enrollment ID/i);
  });

  it('renews what ends within 30 days, and nothing else, when material is made', async () => {
    const ca = await open();
    const files = gatewayFiles();
    const serial = () => new X509Certificate(readFileSync(files.cert)).serialNumber;
    const before = serial();
    const daysOn = (days: number) => Date.now() + days * DAY_MS;
    await ensureIssuedIdentity(files, ca, GATEWAY, 'client', daysOn(300));
    assert.equal(serial(), before);
    await ensureIssuedIdentity(files, ca, GATEWAY, 'client', daysOn(340));
    assert.notEqual(serial(), before);
    assert.deepEqual(subjectOf(files.cert), { O: SERVED, OU: ['client', 'gateway'], CN: 'gateway0.stmary' });
  });

  it('serves a member whose own machine has neither its root’s key nor its database', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'salus-fabric-ca-'));
    const tlsRoot = layout.tlsAuthority(own.dir).cert;
    const { url } = topology.members[0]!.fabricCa!;
    const shown = layout.fabricCaClient(own.dir);
    const entry = `{ url: '${url}', name: ca-stmary, tlsRoot: '${tlsRoot}', registrar: '${layout.fabricCaRegistrar(own.dir)}', tlsCert: '${shown.cert}', tlsKey: '${shown.key}' }`;
    const [member] = (await ensureMaterial(topologyWithFabricCa(SERVED, entry), elsewhere)).members;
    assert.equal(member!.ca, own.ca);
    assert.deepEqual(subjectOf(mspFiles(member!.peers[0]!.mspDir).cert).OU, ['peer']);
    assert.ok(!existsSync(layout.authority(member!.dir).key));
    assert.notEqual(member!.orderer!.ca, own.orderer!.ca, 'without ordererName the built-in authority issues');
    rmSync(elsewhere, { recursive: true });
  });

  it('revokes by serial number, lists what it revoked, and renews no revoked one', async () => {
    const ca = await open();
    const issued = await ca.identity({ organisation: SERVED, name: 'gone.stmary' }, 'client');
    const certificate = new X509Certificate(issued.certificate);
    const list = await ca.revocation(certificate);
    assert.ok(revokedSerialNumbers(list).includes(certificate.serialNumber.toLowerCase()));
    assert.ok(await new x509.X509Crl(list).verify({ publicKey: new x509.X509Certificate(own.ca) }));
    assert.deepEqual(revokedSerialNumbers(await ca.revocation(certificate)), revokedSerialNumbers(list));
    const again = ca.renewed(issued, { organisation: SERVED, name: 'gone.stmary' }, 'client');
    await assert.rejects(again, /refused reenroll/);
    const fresh = await ca.identity({ organisation: SERVED, name: 'gone.stmary' }, 'client');
    assert.notEqual(fresh.certificate, issued.certificate);
  });

  it('writes no secret where others may read it, and takes none from there', async () => {
    const registrar = layout.fabricCaRegistrar(own.dir);
    const { secret } = JSON.parse(readFileSync(registrar, 'utf8')) as { secret: string };
    assert.ok(!readFileSync(join(stateDir, 'log', 'fabric-ca.stmary.log'), 'utf8').includes(secret));
    chmodSync(registrar, 0o644);
    await assert.rejects(async () => (await open()).identity(GATEWAY, 'client'), /may be read by others: chmod 600/);
    chmodSync(registrar, 0o600);
  });

  it('is refused when it issues under another root than the member’s', async () => {
    const other = mkdtempSync(join(tmpdir(), 'salus-fabric-ca-'));
    await ensureAuthorities(other, SERVED);
    const asked = FabricCa.open(memberAccess(topology.members[0]!, own.dir)!, other);
    await assert.rejects(asked, /has another root than .*ca\/cert\.pem: start it with that one and its key/);
    rmSync(other, { recursive: true });
  });
});

describe('a network one of whose members has a Fabric CA', function () {
  this.timeout(180_000);
  let portBase: number;
  let authorities: RunningAuthorities;
  let fabric: TestFabric;

  before(async function () {
    await fabricCaOrPending(this);
    const programs = await programsOrPending(this);
    const stateDir = mkdtempSync(join(tmpdir(), 'salus-fabric-ca-'));
    portBase = await freePortBase();
    const topology = topologyWithFabricCa(SERVED, '{}', { portBase });
    authorities = await startAuthorities(topology, stateDir, PLACES);
    const prepared = await prepareState(topology, stateDir, { collections: TEST_COLLECTIONS });
    fabric = await startTestFabric(programs, { prepared });
  });
  after(async () => {
    const running = fabric as TestFabric | undefined;
    await running?.stop();
    await (authorities as RunningAuthorities | undefined)?.stop();
    if (running) rmSync(running.prepared.stateDir, { recursive: true, force: true });
  });

  it('takes its gateway and its peer as any other: private values, whole blocks, public state', async () => {
    const { contract, network } = fabric.client({ member: SERVED });
    const transientData = { value: 'kept' };
    await contract.submit('run', {
      arguments: [operation(['privateStore', 'care', 'key', 'value'])[1]],
      transientData,
    });
    const kept = await contract.evaluateTransaction(...operation(['privateGet', 'care', 'key']));
    assert.equal(Buffer.from(kept).toString(), '["kept"]');
    const [first] = await take(await network.getBlockEvents({ startBlock: 0n }), 1);
    assert.equal(first!.getHeader()!.getNumber(), 0);
    await contract.submitTransaction(...put('genuine'));
  });

  it('has every peer refuse what the Fabric CA revoked, and take what it issues next', async () => {
    const { prepared } = fabric;
    const old = prepared.topology.members.map(({ name }) => fabric.client({ member: SERVED, at: name }));
    const read = ({ contract }: TestClient) => contract.evaluateTransaction(...operation(['get', 'pack']));
    for (const client of old) await read(client);
    await revokeIdentity(prepared.stateDir, SERVED, 'gateway0');
    for (const client of old) await assert.rejects(read(client), /access denied: channel \[health\] creator org/);
    await prepareState(prepared.topology, prepared.stateDir, { collections: TEST_COLLECTIONS });
    const { contract } = fabric.client({ member: SERVED });
    await contract.submitTransaction(...put('again'));
  });

  it('has another administrator issued there before every peer refuses the one whom the Fabric CA revoked', async () => {
    const { stateDir, topology } = fabric.prepared;
    const old = takenIdentity(adminIdentity(fabric.prepared, SERVED), join(stateDir, 'taken'));
    const everywhere = topology.members.map(({ name }) => fabric.client({ member: SERVED, at: name, as: old }));
    const read = ({ contract }: TestClient) => contract.evaluateTransaction(...operation(['get', 'pack']));
    for (const client of everywhere) await read(client);
    const { serialNumber, isReplaced } = await revokeIdentity(stateDir, SERVED, 'admin');
    assert.equal(isReplaced, true);
    for (const client of everywhere)
      await assert.rejects(read(client), /access denied: channel \[health\] creator org/);
    const present = adminIdentity(fabric.prepared, SERVED);
    for (const { name } of topology.members) await read(fabric.client({ member: SERVED, at: name, as: present }));
    // Nor does the server give a new certificate on the word of the old one.
    const dir = layout.member(stateDir, SERVED);
    const ca = await FabricCa.open(memberAccess(topology.members[0]!, dir)!, dir);
    const word = { certificate: readFileSync(old.cert, 'utf8'), key: readFileSync(old.key, 'utf8') };
    assert.equal(new X509Certificate(word.certificate).serialNumber, serialNumber);
    await assert.rejects(
      ca.renewed(word, { organisation: SERVED, name: subjectOf(old.cert).CN }, 'admin'),
      /refused reenroll/,
    );
  });

  it('gives a member that joins its identities from a server of its own, which runs while the join is proposed', async () => {
    const { stateDir, topology } = fabric.prepared;
    const more = '  - { name: hill, mspId: HillMSP, roles: [hospital], fabricCa: {} }\n';
    const withHill = topologyWithFabricCa(SERVED, '{}', { portBase }, more);
    const options = { collections: TEST_COLLECTIONS, places: PLACES };
    const { changes, folder } = await propose(stateDir, withHill, join(stateDir, 'updates', 'join'), options);
    assert.ok(changes.some((line) => line.includes('HillMSP')));
    const dir = layout.member(stateDir, 'hill');
    const issued = readFileSync(join(dir, 'gateways', 'gateway0', 'cert.pem'), 'utf8');
    for (const { name } of topology.members.slice(0, 4)) await countersign(stateDir, folder, name);
    assert.equal(await applyProposal(stateDir, folder), 2);
    // Its port is free again: the server is gone.
    const again = await startAuthorities({ ...withHill, members: withHill.members.slice(-1) }, stateDir, PLACES);
    const served = await FabricCa.open(memberAccess(withHill.members.at(-1)!, dir)!, dir);
    const list = await served.revocation(new X509Certificate(issued));
    await again.stop();
    assert.ok(revokedSerialNumbers(list).includes(new X509Certificate(issued).serialNumber.toLowerCase()));
  });
});

describe('finding Fabric CA’s server', () => {
  it('says where to get it, and what works without', async () => {
    await assert.rejects(
      findFabricCaServer({ path: '/nowhere' }),
      /fabric-ca-server not found on PATH.*fabricCa.*readthedocs\.io.*built-in authority/,
    );
  });
});
