import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { exportMember } from '@salus/network/fabric/export';
import { prepareState, readNetwork } from '@salus/network/prepare';
import { chaincodePackage } from '@salus/network/config/archive';
import { memberOf } from '@salus/network/topology/model';
import { loadTopology } from '@salus/network/topology';
import { parse } from 'yaml';
import { salus } from '../support/command.js';
import { checkedByCompose, type ComposeFile } from '../support/compose.js';
import { TEST_COLLECTIONS } from '../support/embedded-network.js';
import { scratchFolder } from '../support/scratch.js';
import { projectRoot } from '../support/shared.js';

const topology = loadTopology();

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
