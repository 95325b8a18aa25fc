import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeFile } from '@salus/network/compose/compose';
import { prepareContainers } from '@salus/network/compose/containers';
import { chaincodePackage } from '@salus/network/config/archive';
import { loadTopology } from '@salus/network/topology';
import { parseTopology } from '@salus/network/topology/parse';
import { parse } from 'yaml';
import { salus } from '../support/command.js';
import { checkedByCompose, type ComposeFile, type Service } from '../support/compose.js';
import { TEST_COLLECTIONS } from '../support/embedded-network.js';
import { projectRoot } from '../support/shared.js';

const topology = loadTopology();
const text = composeFile(topology);
const { services, networks, volumes } = parse(text, { version: '1.1' }) as ComposeFile;
const long = Object.entries(services).filter(([name]) => name !== 'setup' && name !== 'volumes');

describe('docker-compose.yaml', () => {
  it('is what the topology asks for', () => {
    assert.equal(readFileSync(join(projectRoot, 'docker-compose.yaml'), 'utf8'), text);
  });

  it('runs every node of every member', () => {
    const expected = topology.members.flatMap(({ name, orderer }) => [
      ...(orderer ? [`orderer.${name}`] : []),
      ...['peer0', 'gateway0', 'chaincode'].map((node) => `${node}.${name}`),
    ]);
    assert.deepEqual(long.map(([name]) => name).sort(), expected.sort());
  });

  it('pins every image and holds no secret', () => {
    for (const [name, { image }] of Object.entries(services)) assert.match(image, /:\d+\.\d+\.\d+$/, name);
    assert.doesNotMatch(text, /PRIVATE|BEGIN|password|secret/i);
  });

  it('runs nothing as root that goes on running, and gives nothing rights it does not need', () => {
    for (const [name, service] of Object.entries(services)) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
    }
    for (const [name, service] of long) {
      assert.equal(service.user, '${SALUS_UID:-1000}:${SALUS_GID:-1000}', name);
      assert.ok(service.healthcheck, name);
    }
  });

  it('lets chaincode be reached inside its member alone, and only gateways from the machine', () => {
    for (const [name, service] of long) {
      const [kind = '', member] = name.split('.');
      if (kind === 'chaincode') assert.deepEqual(service.networks, [`inside-${member!}`]);
      if (kind.startsWith('gateway')) assert.match(service.ports![0]!, /^127\.0\.0\.1:/);
      else assert.equal(service.ports, undefined, name);
    }
    for (const { name } of topology.members) assert.equal(networks[`inside-${name}`]?.internal, true);
  });

  it('keeps each member’s files from the others', () => {
    for (const [name, service] of long) {
      const [, member] = name.split('.');
      for (const volume of service.volumes.filter((each) => each.startsWith('${SALUS_STATE'))) {
        assert.match(volume, new RegExp(`/(members|orderers)/${member!}/`), `${name}: ${volume}`);
        assert.match(volume, /:ro$/, name);
        assert.doesNotMatch(volume, /\/(ca|tlsca|admin):/, name);
      }
    }
  });

  it('shows the container that brings the channel into force no key but administrators’, and peers’ for TLS', () => {
    for (const volume of services['setup']!.volumes) {
      assert.match(volume, /\/(network\.json|channel|admin|peers\/\w+\/tls):[^:]*:ro$/);
    }
  });

  it('keeps nothing of what a builder copied: a peer started again takes its new certificate', () => {
    assert.ok(services['peer0.acme']!.tmpfs!.includes('/salus/members/acme/ledger/peer0/externalbuilder'));
  });

  it('declares every volume it mounts', () => {
    const mounted = Object.values(services).flatMap((service) => service.volumes.map((each) => each.split(':')[0]!));
    const named = mounted.filter((each) => /^[a-z]/.test(each));
    assert.deepEqual([...new Set(named)].sort(), Object.keys(volumes).sort());
  });

  it('follows the topology', () => {
    const more = text.includes('peer1.stmary');
    const yaml = readFileSync(topology.file, 'utf8').replace('    peers: 1\n', '    peers: 3\n');
    assert.equal(more, false);
    assert.match(composeFile(parseTopology(yaml, 'net.yaml')), /peer2\.stmary/);
  });
});

describe('the state folder of containers', function () {
  this.timeout(60_000);
  let dir: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'salus-containers-'));
    await prepareContainers(topology, dir, { collections: TEST_COLLECTIONS });
  });
  after(() => {
    rmSync(dir, { recursive: true });
  });

  const here = (path: string) => path.replace('/salus', dir);

  it('names only paths that the container sees and that exist', () => {
    for (const [name, service] of long) {
      const mounts = service.volumes.map((volume) => volume.replace(/:ro$/, '').split(':').at(-1)!);
      for (const path of pathsOf(service)) {
        assert.ok(
          mounts.some((mount) => path === mount || path.startsWith(`${mount}/`)),
          `${name} reads ${path} and mounts ${mounts.join(' ')}`,
        );
        if (!/\/(ledger|data)(\/|$)/.test(path)) assert.ok(existsSync(here(path)), path);
      }
    }
  });

  it('holds no path of this machine in what containers read', () => {
    for (const [, service] of long) {
      for (const file of filesOf(service)) assert.ok(!readFileSync(here(file), 'utf8').includes(dir), file);
    }
  });

  it('is what the file asks for, as the Compose tool reads it', function () {
    this.timeout(60_000);
    checkedByCompose(this, ['--env-file', join(dir, '.env'), '--file', join(projectRoot, 'docker-compose.yaml')]);
  });

  it('is not taken for all there is: what containers keep is in volumes', async () => {
    const { code, err } = await salus(dir, ['backup', join(dir, '..', 'none')]);
    assert.equal(code, 1);
    assert.match(err, /lies in Docker's volumes, not in this folder: stop them and copy the volumes/);
  });

  it('says which package the chaincode serves', () => {
    const { packageId } = chaincodePackage(topology.chaincode.name);
    assert.match(services['chaincode.acme']!.environment!['SALUS_CHAINCODE_ID']!, /^\$\{SALUS_CHAINCODE_ID:\?/);
    assert.ok(readFileSync(join(dir, '.env'), 'utf8').split('\n').includes(`SALUS_CHAINCODE_ID=${packageId}`));
  });

  it('reaches every node under its service’s name', () => {
    const core = readFileSync(join(dir, 'members', 'acme', 'peers', 'peer0', 'core.yaml'), 'utf8');
    assert.match(core, /^ {2}address: peer0\.acme:7121$/m);
    assert.match(core, /^ {2}listenAddress: 0\.0\.0\.0:7121$/m);
    const connection = join(dir, 'members', 'acme', 'peers', 'peer0', 'connection.json');
    assert.match(readFileSync(connection, 'utf8'), /"address": "chaincode\.acme:7603"/);
    assert.equal(statSync(connection).mode & 0o777, 0o600);
  });

  /** Configuration files that a service reads. */
  function filesOf({ environment = {}, command = [] }: Service): string[] {
    const config = environment['FABRIC_CFG_PATH'];
    const settings = command.filter((each) => each.endsWith('settings.json'));
    if (config === undefined) return settings;
    return [`${config}/core.yaml`, `${config}/orderer.yaml`].filter((file) => existsSync(here(file)));
  }

  /** Every path of the state folder that a service is told, in its environment or in its configuration. */
  function pathsOf(service: Service): string[] {
    const texts = [
      JSON.stringify(service.environment ?? {}),
      ...filesOf(service).map((file) => readFileSync(here(file), 'utf8')),
    ];
    return texts.flatMap((each) => each.match(/\/salus\/[^'",\s}]+/g) ?? []);
  }
});
