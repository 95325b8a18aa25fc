import assert from 'node:assert/strict';
import { common } from '@hyperledger/fabric-protos';
import { campaign } from '../support/campaigns.js';
import { startTestLedger, take, type TestClient, type TestLedger } from '../support/embedded-network.js';
import { programsOrPending } from '../support/fabric-network.js';
import { randomLoad } from '../support/random-load.js';
import { startRealPeer, type RealPeer } from '../support/real-peer.js';

const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;

function flagsOf(block: common.Block): Uint8Array {
  return block.getMetadata()!.getMetadataList_asU8()[TRANSACTIONS_FILTER]!;
}

/** All of a block that peers agree on: header, transactions, flags, commit hash. */
function judged(block: common.Block): Record<string, string | string[]> {
  const metadata = block.getMetadata()!.getMetadataList_asU8();
  const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
  return {
    header: hex(block.getHeader()!.serializeBinary()),
    transactions: block.getData()!.getDataList_asB64(),
    flags: hex(metadata[TRANSACTIONS_FILTER]),
    commitHash: hex(metadata[COMMIT_HASH]),
  };
}

describe("a peer of Fabric's own on the embedded channel", function () {
  this.timeout(600_000);
  const runs = campaign('real-peer');
  let ledger: TestLedger;
  let real: RealPeer;
  const started: { stop(): Promise<void> }[] = [];

  before(async function () {
    const programs = await programsOrPending(this);
    ledger = await startTestLedger({ overrides: { peers: { tally: 2 } } });
    started.push(ledger);
    real = await startRealPeer(ledger.prepared, 'tally', programs);
    started.unshift(real);
  });

  after(async () => {
    for (const each of started) await each.stop();
  });

  const blocks = async (client: TestClient): Promise<common.Block[]> => {
    const events = await client.network.getBlockEvents({ startBlock: 0n });
    return Promise.race([
      take<common.Block>(events, ledger.network.height),
      real.failed.then((why) => Promise.reject(new Error(why))),
    ]);
  };

  it('agrees on every validation flag and commit hash under a random load with conflicts', async () => {
    const random = runs.random();
    for (let round = 0; round < runs.size({ slice: 1, full: 20 }); round += 1) {
      await randomLoad({
        clients: ['stmary', 'northside', 'acme'].map((member) => ledger.client({ member })),
        random,
        transactions: runs.size({ slice: 150, full: 1_000 }),
        lone: 'AcmeMSP',
        collections: ['of-stmary', 'care'],
      });
    }
    const [here, there] = [await blocks(ledger.client({ member: 'tally' })), await blocks(real.client())];
    assert.deepEqual(there.map(judged), here.map(judged));
    const codes = new Set(here.flatMap((block) => [...flagsOf(block)]));
    for (const code of [0, 9, 10, 11]) assert.ok(codes.has(code), `the load made no transaction of code ${code}`);
  });
});
