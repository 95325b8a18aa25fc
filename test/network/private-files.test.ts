/** Files of a member that nobody else may read, wherever they are copied to; and places with names that files must stand. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { memberPairs, ordererPairs } from '@salus/network/fabric/establish';
import { fill, renderOrderer, renderPeer } from '@salus/network/fabric/render';
import { layout } from '@salus/network/identity/layout';
import { type PreparedState, prepareState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { parse } from 'yaml';

import { salus } from '../support/command.js';
import { TEST_COLLECTIONS } from '../support/embedded-network.js';
import { scratchFolder } from '../support/scratch.js';

describe('a member’s files', function () {
  this.timeout(120_000);
  const scratch = scratchFolder();
  const stateDir = join(scratch.path, "St. Mary's #2");
  let state: PreparedState;
  const acme = () => memberPairs(state).find(({ member }) => member.name === 'acme')!;

  before(async () => {
    state = await prepareState(loadTopology(), stateDir, { collections: TEST_COLLECTIONS });
  });
  after(() => {
    scratch.remove();
  });

  it('are as private in the folder of an export, whose dealer is told that the keys are still there', async () => {
    const server = layout.fabricCaServer(acme().own.dir);
    const config = join(server, 'fabric-ca-server-config.yaml');
    mkdirSync(server, { recursive: true });
    writeFileSync(config, `pass: secret\nkeyfile: '${join(server, 'key.pem')}'\n`, { mode: 0o600 });
    const own = join(scratch.path, 'own');
    const { code, out, err } = await salus(stateDir, ['export', '--member', 'acme', own]);
    assert.equal(code, 0, err);
    assert.match(out, /still holds these keys, those of the member's authorities too: once every member.* delete it/);
    assert.match(readFileSync(join(own, 'README.md'), 'utf8'), /see that the folder it was made from is deleted/);
    const copy = config.replace(stateDir, own);
    assert.match(readFileSync(copy, 'utf8'), new RegExp(`keyfile: '${own}/`));
    assert.equal(statSync(copy).mode & 0o077, 0);
    assert.equal(statSync(layout.network(own)).mode & 0o044, 0o044);
  });

  it('may lie under any name: a quote or a number sign in it leaves every setting whole', () => {
    const { member, own } = acme();
    const peer = renderPeer(member, member.peers[0]!, own, own.peers[0]!);
    const core = parse(readFileSync(join(peer.configDir, 'core.yaml'), 'utf8')) as {
      peer: { fileSystemPath: string; mspConfigPath: string; tls: { cert: { file: string } }; address: string };
      ledger: { snapshots: { rootDir: string } };
    };
    const data = join(layout.memberLedger(own.dir), 'peer0');
    assert.equal(core.peer.fileSystemPath, data);
    assert.equal(core.peer.mspConfigPath, own.peers[0]!.mspDir);
    assert.equal(core.peer.tls.cert.file, join(own.peers[0]!.tlsDir, 'server.crt'));
    assert.equal(core.ledger.snapshots.rootDir, join(data, 'snapshots'));
    const [orderer] = ordererPairs([acme()]);
    const rendered = renderOrderer(orderer!.node, orderer!.own);
    const settings = parse(readFileSync(join(rendered.configDir, 'orderer.yaml'), 'utf8')) as {
      General: { LocalMSPDir: string; ListenPort: number; TLS: { Certificate: string } };
      Consensus: { WALDir: string };
    };
    assert.equal(settings.General.LocalMSPDir, orderer!.own.mspDir);
    assert.equal(settings.General.ListenPort, orderer!.node.port);
    assert.equal(settings.General.TLS.Certificate, join(orderer!.own.tlsDir, 'server.crt'));
    assert.equal(settings.Consensus.WALDir, join(orderer!.own.dir, 'ledger/etcdraft/wal'));
    const files = [join(stateDir, 'further.yaml')];
    const tls = { tlsCert: files[0]!, tlsKey: files[0]!, tlsCa: files[0]!, host: '127.0.0.1', port: '7054' };
    const server = parse(fill('fabric-ca-server.yaml', { ...tls, furtherFiles: files })) as {
      tls: { clientauth: { certfiles: string[] } };
      operations: { tls: { clientCACertFiles: string[]; cert: { file: string } } };
    };
    const { tls: listening, operations } = server;
    assert.deepEqual([listening.clientauth.certfiles, operations.tls.clientCACertFiles], [files, files]);
    assert.equal(operations.tls.cert.file, files[0]);
    assert.deepEqual(
      { ...server, tls: undefined, operations: undefined },
      {
        ...{ port: 7054, address: '127.0.0.1', cafiles: files, tls: undefined, operations: undefined },
      },
    );
  });

  it('name no new connection while what was built with the old one is there', () => {
    const { member, own } = acme();
    const builds = join(layout.memberLedger(own.dir), 'peer0', 'externalbuilder', 'builds');
    const render = () => renderPeer(member, member.peers[0]!, own, own.peers[0]!);
    const connection = join(render().configDir, 'connection.json');
    mkdirSync(builds, { recursive: true });
    render();
    assert.ok(existsSync(builds), 'nothing is new');
    writeFileSync(connection, '{"client_cert":"the one before"}');
    // Interrupted: the new one cannot be written.
    mkdirSync(`${connection}.new`);
    assert.throws(render, /EISDIR/);
    assert.equal(existsSync(builds), false);
  });
});

describe('a backup that cannot be finished', () => {
  const scratch = scratchFolder();
  after(() => {
    scratch.remove();
  });

  it('leaves no keys behind, and says why without a stack', async () => {
    const [stateDir, copy] = [join(scratch.path, 'state'), join(scratch.path, 'copy')];
    const data = join(stateDir, 'members', 'acme', 'data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(stateDir, 'endpoints.json'), '{"engine":"fabric","members":{}}');
    writeFileSync(join(data, 'keys.db'), 'keys');
    // A pipe cannot be copied: this one fails after it began.
    execFileSync('mkfifo', [join(data, 'master.wrapped')]);
    const { code, err } = await salus(stateDir, ['backup', copy]);
    assert.equal(code, 1);
    assert.match(err, /^salus: the backup failed, and nothing of it is left: ./);
    assert.doesNotMatch(err, /\n\s+at /);
    assert.equal(existsSync(copy), false);
  });
});
