import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { salus } from '../support/command.js';
import { freePortBase } from '../support/free-ports.js';
import { networkOfSuite, startNetwork, type TestNetwork } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';

const CHANNEL = 'trade-north';
/** Who trades with one another, and the regulator who watches. */
const MEMBERS = ['stmary', 'northside', 'acme', 'meridian', 'authority'];

/** The channel that a member's gateway serves, and all that its newest blocks hold, as text. */
async function ledgerAt(network: TestNetwork, member: string): Promise<readonly [unknown, string]> {
  const json = { headers: { accept: 'application/json' } };
  const { body } = await network.ask(member, '/ledger', json);
  return [body.channel, (await network.ask(member, '/ledger/blocks?count=100', json)).text];
}

/** What a scan of a pack's element string brings at a member. */
async function verified(network: TestNetwork, member: string, code: string): Promise<unknown> {
  const token = await network.token({ member, role: 'supply-operator' });
  return (await network.ask(member, `/verify/scan?code=${encodeURIComponent(code)}`, { token })).body.data;
}

describe('a community of trade on a channel of its own', () => {
  const consortium = networkOfSuite();
  const folder = scratchFolder();
  let community: TestNetwork;

  before(async function () {
    this.timeout(240_000);
    const portBase = await freePortBase();
    const topologyFile = fewMembers(folder.path, portBase, MEMBERS);
    const text = readFileSync(topologyFile, 'utf8');
    writeFileSync(topologyFile, text.replace('channel: health', `channel: ${CHANNEL}`));
    community = await startNetwork({ topologyFile, portBase, stateDir: join(folder.path, 'state') });
  });
  after(async function () {
    this.timeout(60_000);
    await community.stop();
    folder.remove();
  });

  it('takes packs from the line to the patient beside the consortium, where nobody sees that anything was traded', async function () {
    this.timeout(240_000);
    const { code: exit, out, err } = await salus(community.stateDir, ['demo', 'supply']);
    assert.equal(exit, 0, err);
    const [, code = ''] = /prints (\(01\)\S+\(21\)\d+)/.exec(out) ?? [];
    const isVerified = (network: TestNetwork) => verified(network, 'meridian', code);
    assert.deepEqual(
      [await isVerified(community), await isVerified(consortium)],
      [
        { verified: true, additionalInfo: 'Recalled' },
        { verified: false, verificationFailureReason: 'No_match_GTIN_Serial' },
      ],
    );
    const [own, traded] = await ledgerAt(community, 'acme');
    const [common, seen] = await ledgerAt(consortium, 'tally');
    assert.deepEqual([own, common], [CHANNEL, 'health']);
    assert.match(traded, /supply:/);
    assert.doesNotMatch(seen, /supply:/);
  });
});
