import assert from 'node:assert/strict';
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeEndpoints } from '@salus/network/endpoints';
import { layout, mspFiles, tlsFiles } from '@salus/network/identity/layout';
import { ensureMaterial, type Material } from '@salus/network/identity/material';
import { writeSettings } from '@salus/network/identity/settings';
import type { GatewaySettings } from '@salus/network/settings';
import { isLowS } from '@salus/network/identity/signature';
import { DEFAULT_TOPOLOGY_FILE, loadTopology } from '@salus/network/topology';

const topology = loadTopology(DEFAULT_TOPOLOGY_FILE, { peers: { stmary: 2 } });

function files(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function certificate(file: string): X509Certificate {
  return new X509Certificate(readFileSync(file));
}

function units(file: string): string[] {
  return certificate(file)
    .subject.split('\n')
    .filter((part) => part.startsWith('OU='))
    .map((part) => part.slice(3));
}

/** Making eighty keys takes a second on an idle machine. */
const PREPARATION_MS = 60_000;

describe('material of the default consortium', () => {
  let dir: string;
  let material: Material;
  let settings: string[];

  before(async function () {
    this.timeout(PREPARATION_MS);
    dir = mkdtempSync(join(tmpdir(), 'salus-material-'));
    material = await ensureMaterial(topology, dir);
    settings = writeSettings(topology, material);
  });
  after(() => {
    rmSync(dir, { recursive: true });
  });

  it('keeps every private key readable by its owner only', () => {
    const secrets = files(dir).filter((file) => /PRIVATE KEY|"d":/.test(readFileSync(file, 'utf8')));
    assert.ok(secrets.length > 60, `${secrets.length} keys`);
    for (const file of secrets) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  });

  it('gives each identity exactly one role, and gateways the gateway unit beside it', () => {
    for (const member of material.members) {
      assert.deepEqual(units(mspFiles(member.adminMspDir).cert), ['admin']);
      for (const peer of member.peers) assert.deepEqual(units(mspFiles(peer.mspDir).cert), ['peer']);
      for (const gateway of member.gateways)
        assert.deepEqual(units(join(gateway.dir, 'cert.pem')), ['client', 'gateway']);
      if (member.orderer) assert.deepEqual(units(mspFiles(member.orderer.mspDir).cert), ['orderer']);
    }
  });

  it('issues every certificate under its own member, signed low-S, with its key beside it', () => {
    for (const member of material.members) {
      const root = new X509Certificate(member.ca);
      const { cert, key } = mspFiles(member.adminMspDir);
      assert.ok(certificate(cert).verify(root.publicKey));
      assert.ok(certificate(cert).checkPrivateKey(createPrivateKey(readFileSync(key))));
      assert.ok(certificate(cert).validFromDate >= root.validFromDate);
      for (const other of material.members) {
        if (other !== member) assert.equal(certificate(cert).verify(new X509Certificate(other.ca).publicKey), false);
      }
    }
    for (const file of files(dir).filter((name) => /\.(pem|crt)$/.test(name))) {
      if (/roots|key\.pem$/.test(file)) continue;
      assert.ok(isLowS(signatureOf(file)), file);
    }
  });

  it('names no person and no host in a certificate’s subject', () => {
    for (const member of material.members) {
      const subjects = files(member.dir)
        .filter((file) => /cert\.pem$|\.crt$|door\.pem$/.test(file))
        .map((file) => certificate(file).subject);
      for (const subject of subjects)
        assert.match(subject, new RegExp(`^O=${member.name}\\n(OU=[a-z]+\\n)*CN=[a-z0-9]+\\.${member.name}$`));
    }
  });

  it('lets a TLS client know a node by its address and by its name', () => {
    const [peer] = material.members[1]!.peers;
    const server = certificate(tlsFiles(peer!.tlsDir).cert);
    for (const address of ['127.0.0.1']) assert.equal(server.checkIP(address), address);
    for (const host of ['localhost', 'peer0.northside']) assert.equal(server.checkHost(host), host);
  });

  it('keeps what exists and makes what is missing', async function () {
    this.timeout(PREPARATION_MS);
    const before = new Map(files(dir).map((file) => [file, readFileSync(file, 'utf8')]));
    const lost = join(layout.gateway(material.members[0]!.dir, 'gateway0'), 'door.pem');
    unlinkSync(lost);
    await ensureMaterial(topology, dir);
    for (const [file, content] of before) {
      if (!/door\.(pem|key)$/.test(file)) assert.equal(readFileSync(file, 'utf8'), content, file);
    }
    assert.notEqual(readFileSync(lost, 'utf8'), before.get(lost));
  });

  it('refuses a certificate whose key was lost, saying what to do', async function () {
    this.timeout(PREPARATION_MS);
    const other = mkdtempSync(join(tmpdir(), 'salus-material-'));
    try {
      await ensureMaterial(topology, other);
      unlinkSync(join(other, 'members', 'acme', 'ca', 'key.pem'));
      await assert.rejects(ensureMaterial(topology, other), /has lost its key .*restore the key, or delete/);
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it('writes the settings of every gateway', () => {
    assert.equal(settings.length, 7);
    const own = JSON.parse(readFileSync(settings[0]!, 'utf8')) as GatewaySettings;
    assert.equal(own.member, 'stmary');
    assert.deepEqual(
      own.peers.map((peer) => peer.endpoint),
      ['127.0.0.1:7101', '127.0.0.1:7102'],
    );
    assert.equal(own.members.length, 7);
    const { x, y, kid } = own.members[0]!.jwk;
    const canonical = JSON.stringify({ crv: 'P-256', kty: 'EC', x, y });
    assert.equal(kid, createHash('sha256').update(canonical).digest('base64url'));
    assert.doesNotMatch(readFileSync(settings[0]!, 'utf8'), /"d"|PRIVATE/);
  });

  it('refuses shifted clocks in production', () => {
    const production = { ...topology, production: true };
    assert.throws(() => writeSettings(production, material, { clockOffsetMs: 1 }), /not shifted in production/);
  });

  it('writes endpoints.json as programs outside expect it', () => {
    const endpoints = writeEndpoints(topology, material, 'embedded');
    assert.deepEqual(JSON.parse(readFileSync(layout.endpoints(dir), 'utf8')), endpoints);
    assert.equal(endpoints.members.northside?.fhir, 'http://127.0.0.1:8102/fhir/R4');
    assert.equal(endpoints.members.northside.peer, '127.0.0.1:7111');
    for (const member of Object.values(endpoints.members)) {
      for (const file of [member.cert, member.key, member.peerTlsCa]) assert.ok(statSync(file).size > 0);
    }
  });
});

/** Contents of the certificate's third element, the BIT STRING with the signature. */
function signatureOf(file: string): Buffer {
  let rest = contents(certificate(file).raw);
  for (let skipped = 0; skipped < 2; skipped++) rest = rest.subarray(header(rest) + contents(rest).length);
  return contents(rest).subarray(1);
}

function contents(der: Buffer): Buffer {
  const start = header(der);
  const length = start === 2 ? der[1]! : der.readUIntBE(2, start - 2);
  return der.subarray(start, start + length);
}

function header(der: Buffer): number {
  return der[1]! < 0x80 ? 2 : 2 + (der[1]! & 0x7f);
}
