/** The channel participation interface of the embedded ledger's orderers, and Fabric's osnadmin command against it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { channelAt, FabricRefusal, joinOrderer, type NodeAddress } from '@salus/network/fabric/clients';
import { readGenesis } from '@salus/network/config/channel-files';
import { mspFiles, tlsFiles } from '@salus/network/identity/layout';
import type { OrdererMaterial } from '@salus/network/identity/material';
import { memberOf } from '@salus/network/topology';

import { startTestLedger, type TestLedger } from '../support/embedded-network.js';
import { programsOrPending } from '../support/fabric-network.js';

const MEMBER = 'acme';

describe('the participation interface of an embedded orderer', function () {
  this.timeout(120_000);
  let ledger: TestLedger;
  let own: OrdererMaterial;
  let admin: NodeAddress;

  before(async () => {
    ledger = await startTestLedger();
    const { topology, material } = ledger.prepared;
    const { host, adminPort } = memberOf(topology, MEMBER).orderer ?? assert.fail('no orderer');
    own = material.members.find(({ name }) => name === MEMBER)?.orderer ?? assert.fail('no orderer');
    const address = `${host}:${adminPort}`;
    admin = { address, serverName: `orderer.${MEMBER}`, tlsCa: own.tlsCa, clientMspDir: own.adminMspDir };
  });
  after(() => ledger.stop());

  const refusal = async (asked: Promise<unknown>): Promise<FabricRefusal> => {
    const error = await asked.then(
      () => assert.fail('it was not refused'),
      (each: unknown) => each,
    );
    assert.ok(error instanceof FabricRefusal, String(error));
    return error;
  };

  it('tells the orderer’s administrator of the channel as Fabric does', async () => {
    const standing = await channelAt(admin, 'health');
    assert.equal(standing?.status, 'active');
    assert.equal(standing.consensusRelation, 'consenter');
    assert.equal(standing.height, ledger.network.height);
    assert.equal(await channelAt(admin, 'elsewhere'), undefined);
    assert.equal((await refusal(channelAt(admin, 'No'))).status, 400);
  });

  it('takes no channel, and says why', async () => {
    const { status, message } = await refusal(joinOrderer(admin, readGenesis(ledger.prepared.stateDir)));
    assert.equal(status, 403);
    assert.match(message, /embedded ledger has one channel/);
  });

  it('answers nobody but the orderer’s own administrators', async () => {
    const stranger = ledger.prepared.material.members.find(({ name }) => name === MEMBER)?.adminMspDir ?? '';
    const other = ledger.prepared.material.members.find(({ name }) => name === 'stmary')?.orderer?.adminMspDir ?? '';
    for (const clientMspDir of [stranger, other]) {
      await assert.rejects(channelAt({ ...admin, clientMspDir }, 'health'), /alert|reset|hang up|EPROTO|unknown ca/i);
    }
  });

  describe("Fabric's osnadmin command", () => {
    let program = '';
    before(async function () {
      program = join(dirname((await programsOrPending(this)).orderer), 'osnadmin');
      if (!existsSync(program)) this.skip();
    });

    /** Runs it as the orderer's administrator; what it printed, with the HTTP status first. */
    const osnadmin = (...args: string[]): Promise<string> => {
      const { cert, key } = mspFiles(own.adminMspDir);
      const tls = ['--ca-file', tlsFiles(own.tlsDir).ca, '--client-cert', cert, '--client-key', key];
      return new Promise((resolve) => {
        execFile(program, ['channel', ...args, '-o', admin.address, ...tls], (_error, out, err) => {
          resolve(out + err);
        });
      });
    };

    it('lists the channels, and one of them', async () => {
      const all = await osnadmin('list');
      assert.match(all, /Status: 200/);
      assert.match(all, /"name": "health"/);
      const one = await osnadmin('list', '-c', 'health');
      assert.match(one, /"consensusRelation": "consenter"/);
      assert.match(one, /"status": "active"/);
      assert.match(await osnadmin('list', '-c', 'elsewhere'), /Status: 404[^]*channel does not exist/);
    });

    it('is told that channels are not joined or left here', async () => {
      const genesis = join(ledger.prepared.stateDir, 'channel', 'genesis.block');
      assert.match(await osnadmin('join', '-c', 'health', '--config-block', genesis), /Status: 403[^]*one channel/);
      assert.match(await osnadmin('remove', '-c', 'health'), /Status: 403[^]*one channel/);
    });
  });
});
