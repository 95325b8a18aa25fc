import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateEnds } from '@salus/gateway/certificates';
import { makeMeters } from '@salus/gateway/metrics';
import { parseSettings } from '@salus/gateway/settings';
import { ENDING_DAYS, endingCertificates } from '@salus/network/identity/expiry';
import { exportMember } from '@salus/network/fabric/export';
import { layout, mspFiles, tlsFiles } from '@salus/network/identity/layout';
import { prepareOwn } from '@salus/network/prepare';
import { salus } from '../support/command.js';
import { prepareTestState } from '../support/embedded-network.js';
import { endingIn } from '../support/ending.js';
import { scratchFolder } from '../support/scratch.js';

const DAY_MS = 86_400_000;
/** Nodes and gateways get theirs for so many days, roots for ten times that. */
const LEAF_DAYS = 365;

describe('certificates that end soon', function () {
  this.timeout(60_000);
  let stateDir: string;
  let settingsFile: string;
  let start: number;

  before(async () => {
    start = Date.now();
    const prepared = await prepareTestState();
    ({ stateDir } = prepared);
    settingsFile = prepared.gatewaySettings[0]!;
  });
  after(() => {
    rmSync(stateDir, { recursive: true });
  });

  it('are none in a new network, and every node’s a year later', () => {
    assert.deepEqual(endingCertificates(stateDir), []);
    const soon = start + (LEAF_DAYS - ENDING_DAYS) * DAY_MS;
    assert.deepEqual(endingCertificates(stateDir, soon - DAY_MS), []);
    const ending = endingCertificates(stateDir, soon + DAY_MS);
    const names = new Set(ending.map(({ name }) => name));
    for (const name of ['peer0.tally', 'orderer.acme', 'admin.medisure', 'gateway0.northside', 'chaincode.meridian']) {
      assert.ok(names.has(name), name);
    }
    assert.ok(!names.has('ca.stmary'), 'roots have longer');
    for (const { daysLeft, file } of ending) {
      assert.ok(daysLeft === ENDING_DAYS - 1 || daysLeft === ENDING_DAYS - 2, `${file}: ${daysLeft}`);
      assert.ok(existsSync(join(stateDir, file)), file);
    }
  });

  it('include roots, each named once and by its own file', () => {
    const ending = endingCertificates(stateDir, start + 10 * LEAF_DAYS * DAY_MS);
    const roots = ending.filter(({ name }) => name === 'ca.stmary');
    assert.deepEqual(
      roots.map(({ file }) => file),
      ['members/stmary/ca/cert.pem'],
    );
    assert.ok(ending.some(({ name, daysLeft }) => name === 'peer0.stmary' && daysLeft < 0));
  });

  it('show in status, with the file and the day', async () => {
    const door = join(layout.gateway(layout.member(stateDir, 'medisure'), 'gateway0'), 'door.pem');
    const kept = mkdtempSync(join(tmpdir(), 'salus-expiry-'));
    copyFileSync(door, join(kept, 'door.pem'));
    writeFileSync(door, await endingIn(6.5));
    const status = await salus(stateDir, ['status']);
    const { certificates } = JSON.parse((await salus(stateDir, ['status', '--json'])).out) as {
      certificates: { file: string }[];
    };
    copyFileSync(join(kept, 'door.pem'), door);
    rmSync(kept, { recursive: true });
    assert.match(status.out, /certificate of short ends in 6 days \(20.*\): members\/medisure\/.*door\.pem/);
    assert.equal(certificates.length, 1);
  });

  it('are in the gateway’s metrics: its own, the roots it checks others by, its member’s other nodes’', async () => {
    const settings = parseSettings(readFileSync(settingsFile, 'utf8'), settingsFile);
    const files = certificateEnds(settings).map(({ file, name }) => `${file} ${name}`);
    for (const file of [
      ...['cert.pem gateway0.stmary', 'door.pem gateway0.stmary', 'doors.pem tlsca.tally'],
      ...['nodes.tls.pem peer0.stmary', 'nodes.identities.pem peer0.stmary', 'nodes.tls.pem orderer.stmary'],
      ...['nodes.identities.pem orderer.stmary', 'nodes.identities.pem admin.stmary', 'nodes.tls.pem chaincode.stmary'],
    ]) {
      assert.ok(files.includes(file), file);
    }
    const meters = makeMeters('stmary', 'gateway0');
    meters.observeCertificates(settings, () => start + 355 * DAY_MS);
    const text = await meters.registry.metrics();
    assert.match(text, /salus_certificate_days_left\{file="door.pem",name="gateway0.stmary",.*\} (9\.99|10)(\d|\.|$)/m);
  });
});

describe('certificates of a member with a folder of its own', function () {
  this.timeout(60_000);
  const folder = scratchFolder();
  after(() => {
    folder.remove();
  });

  it('are renewed there when they end soon, and made anew when they were revoked; an orderer’s TLS key stays', async () => {
    const { stateDir } = await prepareTestState();
    const own = join(folder.path, 'stmary');
    exportMember(stateDir, 'stmary', own);
    rmSync(stateDir, { recursive: true });
    const member = layout.member(own, 'stmary');
    const gateway = layout.gateway(member, 'gateway0');
    const peer = layout.peer(member, 'peer0');
    const orderer = layout.orderer(own, 'stmary');
    const pinned = tlsFiles(join(orderer, 'node', 'tls'));
    const known = readFileSync(pinned.key, 'utf8');
    const ending = [
      mspFiles(layout.msp(peer)).cert,
      tlsFiles(join(peer, 'tls')).cert,
      tlsFiles(layout.chaincode(member)).cert,
      mspFiles(layout.msp(layout.admin(member))).cert,
      mspFiles(layout.msp(layout.admin(orderer))).cert,
      mspFiles(layout.msp(join(orderer, 'node'))).cert,
      join(gateway, 'door.pem'),
      pinned.cert,
    ];
    for (const file of ending) writeFileSync(file, await endingIn(6.5));
    for (const name of ['cert.pem', 'key.pem']) rmSync(join(gateway, name));
    assert.equal(endingCertificates(own).length, ending.length);
    await prepareOwn(own);
    assert.deepEqual(endingCertificates(own), []);
    assert.equal(readFileSync(pinned.key, 'utf8'), known, 'by it the channel knows the orderer');
    assert.ok(new X509Certificate(readFileSync(pinned.cert)).checkPrivateKey(createPrivateKey(known)));
    for (const file of [...ending, join(gateway, 'cert.pem')]) {
      const certificate = new X509Certificate(readFileSync(file));
      assert.match(certificate.issuer, /CN=(tls)?ca\.stmary/, file);
    }
    const key = createPrivateKey(readFileSync(join(gateway, 'key.pem')));
    assert.ok(new X509Certificate(readFileSync(join(gateway, 'cert.pem'))).checkPrivateKey(key));
    assert.equal(existsSync(layout.member(own, 'acme')), false, 'nobody else’s keys are made');
  });
});
