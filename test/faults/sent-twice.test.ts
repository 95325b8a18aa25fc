/** What a gateway sends again after its first try took effect must not hold up the peers that keep private values of it. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';

import { peer } from '@hyperledger/fabric-protos';
import { memberOf } from '@salus/network/topology';
import { tlsFiles } from '@salus/network/identity/layout';
import { gatewayIdentity } from '../support/embedded-network.js';
import { eventually } from '../support/eventually.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { endorse, submit } from '../support/ledger-calls.js';
import { signerFrom } from '../support/proposal.js';
import { RawClient } from '../support/raw-client.js';
import { envelopeOf } from '../support/transactions.js';

/** In seconds, as a bucket of the peer's histogram: whoever asks others for what nobody has waits for longer. */
const PULL_BOUND = '1';

/** How often a peer looked for private values that did not reach it, and how often that took longer than the bound. */
interface Looks {
  readonly all: number;
  readonly long: number;
}

describe('on Fabric, an envelope that is sent twice', function () {
  this.timeout(240_000);
  let fabric: TestFabric | undefined;
  before(async function () {
    fabric = await startTestFabric(await programsOrPending(this));
  });
  after(async () => {
    await fabric?.stop();
  });

  it('is a duplicate, for whose private values no peer asks the others', async () => {
    assert.ok(fabric);
    const { prepared } = fabric;
    const stmary = fabric.client({ member: 'stmary' });
    const raw = new RawClient(prepared, 'stmary');
    try {
      const transaction = await endorse(stmary, [['privatePut', 'care', 'twice', 'x']]);
      assert.equal((await (await transaction.submit()).getStatus()).code, peer.TxValidationCode.VALID);
      const members = ['stmary', 'northside'];
      const before = await Promise.all(members.map((member) => looks(fabric!, member)));
      const envelope = envelopeOf(transaction);
      const key = gatewayIdentity(prepared, 'stmary');
      envelope.setSignature(signerFrom(key).sign(Buffer.from(envelope.getPayload_asU8())));
      assert.deepEqual(await raw.broadcast([envelope]), [{ status: 'SUCCESS', info: '' }]);
      await submit(stmary, [['put', 'afterwards', 'x']]);
      for (const [index, member] of members.entries()) {
        await eventually(async () => {
          const after = await looks(fabric!, member);
          assert.ok(after.all > before[index]!.all, `${member} has not come across the duplicate`);
          assert.equal(after.long, before[index]!.long, `${member} asked others for values of a duplicate`);
        });
      }
    } finally {
      raw.close();
    }
  });
});

/** From the metrics of a member's peer, which are for members alone. */
async function looks({ prepared }: TestFabric, member: string): Promise<Looks> {
  const [node] = memberOf(prepared.topology, member).peers;
  const [material] = prepared.material.members.find(({ name }) => name === member)!.peers;
  const own = gatewayIdentity(prepared, member);
  const [cert, key, ca] = [own.cert, own.key, tlsFiles(material!.tlsDir).ca].map((file) => readFileSync(file));
  const text = await new Promise<string>((resolve, reject) => {
    const asked = { cert: cert!, key: key!, ca: ca!, agent: false, servername: '' };
    get(`https://${node!.host}:${node!.operationsPort}/metrics`, asked, (response) => {
      let body = '';
      response.on('data', (part: Buffer) => (body += part.toString()));
      response.on('end', () => {
        resolve(body);
      });
    }).on('error', reject);
  });
  const count = (name: string): number => {
    const line = text.split('\n').find((each) => each.startsWith(`gossip_privdata_fetch_duration_${name}`));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  const all = count('count{channel="health"}');
  return { all, long: all - count(`bucket{channel="health",le="${PULL_BOUND}"}`) };
}
