import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { composeFile } from '@salus/network/compose/compose';
import { prepareContainers } from '@salus/network/compose/containers';
import { exportMember } from '@salus/network/fabric/export';
import { prepareState, readNetwork } from '@salus/network/prepare';
import { chaincodePackage } from '@salus/network/config/archive';
import { memberOf } from '@salus/network/topology/model';
import { loadTopology } from '@salus/network/topology';
import { parseTopology } from '@salus/network/topology/parse';
import { parse } from 'yaml';
import { salus } from '../support/command.js';
import { TEST_COLLECTIONS } from '../support/embedded-network.js';
import { scratchFolder } from '../support/scratch.js';
import { projectRoot } from '../support/shared.js';

interface Service {
  readonly image: string;
  readonly user: string;
  readonly read_only: boolean;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly cap_drop: readonly string[];
  readonly healthcheck?: object;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Has Compose's own program check a file; throws what it says. Pending where it is not on this machine. */
function checkedByCompose(test: Mocha.Context, args: readonly string[]): void {
  try {
    execFileSync('docker-compose', [...args, 'config', '--quiet'], { stdio: 'pipe' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    test.test!.title += ' (pending: docker-compose is not on this machine)';
    test.skip();
  }
}

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

describe('the compose file of a member on a machine of its own', function () {
  this.timeout(120_000);
  const folder = scratchFolder();
  const own = join(folder.path, 'acme');
  let services: ComposeFile['services'];

  before(async () => {
    const stateDir = join(folder.path, 'whole');
    await prepareState(topology, stateDir, { collections: TEST_COLLECTIONS });
    exportMember(stateDir, 'acme', own);
    rmSync(stateDir, { recursive: true });
    const { code, out, err } = await salus(own, ['containers']);
    assert.equal(code, 0, err);
    assert.match(out, /docker compose --project-directory \. --env-file .* up --detach --build/);
    const values = new Map(
      readFileSync(join(own, '.env'), 'utf8')
        .split('\n')
        .map((each) => each.split('=', 2)) as [string, string][],
    );
    const file = readFileSync(join(own, 'docker-compose.yaml'), 'utf8');
    const filled = file.replaceAll(
      /\$\{([A-Z_]+)[^}]*\}/g,
      (_whole, name: string) => values.get(name) ?? assert.fail(name),
    );
    services = (parse(filled, { version: '1.1' }) as ComposeFile).services;
  });
  after(() => {
    folder.remove();
  });

  it('runs its nodes alone, on the network of the machine, with the folder where its settings say it is', () => {
    assert.deepEqual(Object.keys(services).sort(), [
      ...['chaincode.acme', 'gateway0.acme', 'orderer.acme', 'peer0.acme', 'setup'],
    ]);
    for (const [name, { volumes, networks, ports }] of Object.entries(services)) {
      assert.deepEqual([networks, ports], [undefined, undefined], name);
      for (const [from = '', to] of volumes.map((volume) => volume.split(':'))) {
        if (from.startsWith(own)) assert.equal(to, from, name);
      }
    }
  });

  it('has every file there that a container mounts and its settings name, and no other member’s', () => {
    const mounts = (name: string) => services[name]!.volumes.map((volume) => volume.split(':')[1]!);
    for (const [name, file] of [
      ['peer0.acme', 'members/acme/peers/peer0/core.yaml'],
      ['orderer.acme', 'orderers/acme/node/orderer.yaml'],
      ['gateway0.acme', 'members/acme/gateways/gateway0/settings.json'],
    ] as const) {
      const found = readFileSync(join(own, file), 'utf8').match(new RegExp(`${own}/[^'",\\s}]+`, 'g')) ?? [];
      assert.ok(found.length > 3, file);
      for (const path of found) {
        assert.ok(
          mounts(name).some((mount) => path === mount || path.startsWith(`${mount}/`)),
          `${name} reads ${path}`,
        );
        if (!/\/(ledger|data)(\/|$)/.test(path)) assert.ok(existsSync(path), path);
      }
    }
    const text = readFileSync(join(own, 'members/acme/peers/peer0/core.yaml'), 'utf8');
    assert.match(text, /path: \/builder/);
  });

  it('keeps what its containers write in the folder itself, where it is backed up, each in its own place', () => {
    const written = Object.entries(services).flatMap(([name, { volumes }]) =>
      volumes.filter((each) => !each.endsWith(':ro')).map((each) => [name, each] as const),
    );
    assert.deepEqual(written.map(([name, each]) => `${name} ${relative(own, each.split(':')[0]!)}`).sort(), [
      ...['gateway0.acme members/acme/data', 'orderer.acme orderers/acme/ledger'],
      'peer0.acme members/acme/ledger/peer0',
    ]);
    // Docker makes what is missing, for root.
    for (const [, each] of written) assert.equal(statSync(each.split(':')[0]!).mode & 0o777, 0o700, each);
  });

  it('is backed up and restored with its containers stopped, and not while they run', async () => {
    const { host, port } = memberOf(readNetwork(own).topology, 'acme').gateways[0]!;
    const kept = join(own, 'members/acme/data/keys.db');
    writeFileSync(kept, 'keys');
    const [copy, again] = [join(folder.path, 'copy'), join(folder.path, 'again')];
    // A container on the machine's own network is met as any program is that listens there.
    const container = createServer();
    await new Promise<void>((resolve) => container.listen(port, host, resolve));
    try {
      const refused = await salus(own, ['backup', copy]);
      assert.equal(refused.code, 1);
      assert.match(
        refused.err,
        /containers run from this folder: .*gateway0 of acme.* Stop them with: docker compose .* stop/,
      );
      assert.equal(existsSync(copy), false);
      assert.match((await salus(own, ['restore', copy])).err, /containers run from this folder/);
    } finally {
      await new Promise((resolve) => container.close(resolve));
    }
    assert.match((await salus(own, ['status'])).out, /whether its containers run says: docker compose .* ps/);
    const taken = await salus(own, ['backup', copy]);
    assert.equal(taken.code, 0, taken.err);
    const restored = await salus(again, ['restore', copy]);
    assert.equal(restored.code, 0, restored.err);
    assert.equal((await salus(again, ['containers'])).code, 0);
    assert.equal(readFileSync(join(again, 'members/acme/data/keys.db'), 'utf8'), 'keys');
    rmSync(kept);
  });

  it('is valid as the Compose tool reads it', function () {
    this.timeout(60_000);
    const files = ['--env-file', join(own, '.env'), '--file', join(own, 'docker-compose.yaml')];
    checkedByCompose(this, ['--project-directory', projectRoot, ...files]);
  });

  it('takes the verbs that change the channel, which ask a peer that runs', async () => {
    for (const verb of [
      ['rotate', '--member', 'acme'],
      ['revoke', '--member', 'acme', '--identity', 'gateway0'],
    ]) {
      const { code, err } = await salus(own, verb);
      assert.equal(code, 1);
      assert.doesNotMatch(err, /there is no network in/);
    }
    const strange = await salus(own, ['revoke', '--member', 'stmary', '--identity', 'gateway0']);
    assert.deepEqual([strange.code, /administrator of stmary is not in/.test(strange.err)], [2, true]);
  });

  it('serves the package of the code that is here', () => {
    const { packageId } = chaincodePackage(topology.chaincode.name);
    assert.equal(services['chaincode.acme']!.environment!['SALUS_CHAINCODE_ID'], packageId);
  });
});
