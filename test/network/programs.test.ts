/** What is needed before a native Fabric network starts: its programs, its nodes' configuration, the external builder. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPrograms } from '@salus/network/fabric/programs';
import { renderOrderer, renderPeer } from '@salus/network/fabric/render';
import { parse } from 'yaml';
import { prepareTestState } from '../support/embedded-network.js';
import { scratchFolder } from '../support/scratch.js';
import { projectRoot } from '../support/shared.js';

/** A file that answers `version` as Fabric's programs do. */
function programSaying(folder: string, name: string, version: string): void {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\nprintf '${name}:\\n Version: %s\\n Go version: go1.26\\n' '${version}'\n`);
  chmodSync(file, 0o755);
}

describe('finding Fabric’s programs', () => {
  const folder = scratchFolder();
  after(() => {
    folder.remove();
  });
  const found = (peer: string, orderer: string) => {
    programSaying(folder.path, 'peer', peer);
    programSaying(folder.path, 'orderer', orderer);
    return findPrograms({ folder: folder.path, path: '' });
  };

  it('says which are missing, where to get them, and that none are needed', async () => {
    await assert.rejects(
      findPrograms({ path: '/nowhere' }),
      /peer and orderer not found on PATH; SALUS_FABRIC_BIN is not set.*readthedocs\.io.*embedded ledger needs none/,
    );
    programSaying(folder.path, 'peer', 'v2.5.16');
    await assert.rejects(
      findPrograms({ folder: folder.path, path: '' }),
      /^CommandError: Hyperledger Fabric's orderer/,
    );
  });

  it('takes 2.5.9 and later', async () => {
    assert.equal((await found('v2.5.9', '2.5.16')).peer, join(folder.path, 'peer'));
    await found('v3.1.5', '3.0.0');
  });

  it('refuses an older one by its version', async () => {
    await assert.rejects(found('v2.5.8', 'v2.5.16'), /peer is 2\.5\.8: Salus needs 2\.5\.9 or later/);
    await assert.rejects(found('v2.5.16', 'v2.2.20'), /orderer is 2\.2\.20/);
  });

  it('refuses a program that does not say its version', async () => {
    await assert.rejects(found('unknown', 'v2.5.16'), /does not say its version/);
  });
});

describe('configuration of Fabric’s nodes', () => {
  it('fills every place of the templates and stays readable YAML', async () => {
    const { topology, material, stateDir } = await prepareTestState();
    const [member] = topology.members;
    const [own] = material.members;
    const peer = renderPeer(member!, member!.peers[0]!, own!, own!.peers[0]!);
    const orderer = renderOrderer(member!.orderer!, own!.orderer!);
    for (const file of [join(peer.configDir, 'core.yaml'), join(orderer.configDir, 'orderer.yaml')]) {
      const text = readFileSync(file, 'utf8');
      assert.doesNotMatch(text, /\$\{/);
      assert.equal(typeof parse(text), 'object');
    }
    const core = parse(readFileSync(join(peer.configDir, 'core.yaml'), 'utf8')) as Record<
      string,
      Record<string, unknown>
    >;
    assert.deepEqual(core['ledger']!['pvtdataStore'], {
      purgeInterval: 1,
      collElgProcMaxDbBatchSize: 5000,
      collElgProcDbBatchesInterval: 1000,
      deprioritizedDataReconcilerInterval: '60m',
    });
    rmSync(stateDir, { recursive: true });
  });
});

describe('the external builder', () => {
  const folder = scratchFolder();
  after(() => {
    folder.remove();
  });
  const bin = (name: string) => join(projectRoot, 'network', 'builder', 'bin', name);
  const place = (name: string) => {
    const path = join(folder.path, name);
    mkdirSync(path, { recursive: true });
    return path;
  };

  it('takes chaincode as a service and nothing else', () => {
    const metadata = join(place('metadata'), 'metadata.json');
    writeFileSync(metadata, '{ "type": "ccaas", "label": "salus" }');
    execFileSync(bin('detect'), [place('source'), place('metadata')]);
    writeFileSync(metadata, '{ "type": "golang", "label": "ccaas" }');
    assert.throws(() => execFileSync(bin('detect'), [place('source'), place('metadata')]));
  });

  it('releases the peer’s own connection, not the package’s', () => {
    const connection = join(folder.path, 'own.json');
    writeFileSync(connection, '{"address":"127.0.0.1:7601"}');
    const env = { PATH: process.env['PATH'], SALUS_BUILDER_CONNECTION: connection };
    writeFileSync(join(place('source'), 'connection.json'), '{"address":"elsewhere"}');
    execFileSync(bin('build'), [place('source'), place('metadata'), place('built')], { env });
    execFileSync(bin('release'), [place('built'), place('released')], { env });
    const released = join(folder.path, 'released', 'chaincode', 'server', 'connection.json');
    assert.equal(readFileSync(released, 'utf8'), '{"address":"127.0.0.1:7601"}');
  });
});
