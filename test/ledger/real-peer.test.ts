import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { common } from '@hyperledger/fabric-protos';
import { campaign } from '../support/campaigns.js';
import {
  gatewayIdentity,
  startTestLedger,
  take,
  type TestClient,
  type TestLedger,
} from '../support/embedded-network.js';
import type { Operation } from '../support/chaincode/operations.js';
import { programsOrPending } from '../support/fabric-network.js';
import { submit } from '../support/ledger-calls.js';
import { signedProposal, signer } from '../support/proposal.js';
import { RawClient } from '../support/raw-client.js';
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
  const runs = campaign('real-peer');
  this.timeout(runs.size({ slice: 600_000, full: 3_600_000 }));
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

  describe('given the same signed proposal', () => {
    const many = Array.from({ length: 101 }, (_, index) => ['put', `row${String(index).padStart(3, '0')}`, 'x']);
    // Signed by acme and sent to both peers of tally: the real one knows nobody to hand private values of tally's to.
    const cases: readonly (readonly [string, readonly string[][]])[] = [
      ['reads what is not there', [['get', 'absent']]],
      [
        'reads and writes',
        [
          ['get', 'row001'],
          ['put', 'row001', 'y'],
          ['del', 'row002'],
          ['put', 'new', 'z'],
        ],
      ],
      ['reads 50 rows', [['range', 'row000', 'row050']]],
      ['reads 51 rows', [['range', 'row000', 'row051']]],
      ['reads 101 rows', [['range', 'row', 'rox']]],
      ['reads a part of many rows', [['range', 'row', 'rox', '3']]],
      ['reads a page', [['page', 'row', 'rox', '10', '']]],
      ['reads history', [['history', 'row001']]],
      [
        'writes private values',
        [
          ['privatePut', 'of-acme', 'a', '1'],
          ['privatePut', 'of-acme', 'b', '2'],
        ],
      ],
      [
        'deletes and purges private values',
        [
          ['privateDel', 'of-acme', 'a'],
          ['privatePurge', 'of-acme', 'b'],
        ],
      ],
      [
        'reads private values and hashes',
        [
          ['privateGet', 'of-acme', 'a'],
          ['privateHash', 'care', 'a'],
          ['put', 'c', '1'],
        ],
      ],
      [
        'sorts keys by their bytes',
        [
          ['put', '\u{10ffff}', '1'],
          ['put', '\ue000', '2'],
          ['get', 'é'],
        ],
      ],
      [
        'sets an event',
        [
          ['event', 'name', 'payload'],
          ['put', 'e', '1'],
        ],
      ],
      [
        'answers 302',
        [
          ['put', 'r', '1'],
          ['respond', '302', 'moved', 'there'],
        ],
      ],
      [
        'answers 404',
        [
          ['put', 'r', '1'],
          ['respond', '404', 'gone', 'payload'],
        ],
      ],
      [
        'answers 500',
        [
          ['put', 'r', '1'],
          ['respond', '500', 'failed', 'payload'],
        ],
      ],
      ['may not read a private value', [['privateGet', 'care', 'a']]],
      ['names a collection that is not there', [['privateGet', 'none', 'a']]],
    ];
    let here: RawClient;
    let there: RawClient;
    const clients: RawClient[] = [];

    before(async () => {
      const tally = ledger.client({ member: 'tally' });
      await submit(tally, many as unknown as Operation[]);
      await real.useChaincode();
      await blocks(real.client());
      here = new RawClient(ledger.prepared, 'tally');
      there = new RawClient(real.prepared, 'tally');
      clients.push(here, there);
    });

    after(() => {
      for (const client of clients) client.close();
    });

    for (const [what, operations] of cases) {
      it(`gives the same answer: ${what}`, async () => {
        const { mspId, cert, key } = gatewayIdentity(ledger.prepared, 'acme');
        const by = signer(mspId, readFileSync(cert, 'utf8'), readFileSync(key, 'utf8'));
        const args = ['run', JSON.stringify(operations)];
        const { message } = signedProposal(by, { channel: 'health', chaincode: 'salus', args });
        const [ours, fabrics] = await Promise.all([here.process(message), there.process(message)]);
        assert.deepEqual(ours.getResponse()!.toObject(), fabrics.getResponse()!.toObject());
        assert.equal(ours.getPayload_asB64(), fabrics.getPayload_asB64());
      });
    }
  });
});
