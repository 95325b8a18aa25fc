import { strict as assert } from 'node:assert';

import { common } from '@hyperledger/fabric-protos';
import { verifyChain } from '@salus/network/verify/chain';

import { projectRoot, sharedPath } from '../support/shared.js';
import { join } from 'node:path';
import { readRecordedBlocks } from '@salus/network/embedded/vectors/recorded-chain';

/** The recorded chain, shared or the project's own small one. */
const recorded = sharedPath('data/fabric-vectors/a') ?? join(projectRoot, 'test', 'ledger', 'vectors');

describe('an auditor who verifies a chain', () => {
  const blocks = readRecordedBlocks(recorded).map(({ bytes }) => bytes);
  const genesis = blocks[0] ?? Buffer.alloc(0);

  async function* delivered(change: (block: common.Block, number: number) => void = () => undefined) {
    for (const [number, bytes] of blocks.slice(0, 40).entries()) {
      const block = common.Block.deserializeBinary(Uint8Array.from(bytes));
      change(block, number);
      yield await Promise.resolve(Buffer.from(block.serializeBinary()));
    }
  }

  it('finds nothing wrong with a chain recorded from Hyperledger Fabric', async () => {
    const report = await verifyChain(genesis, delivered());
    assert.deepEqual(report.findings, []);
    assert.ok(report.blocks > 1);
    assert.match(report.tip, /^[0-9a-f]{64}$/);
  });

  it('finds a changed transaction', async () => {
    const report = await verifyChain(
      genesis,
      delivered((block, number) => {
        const envelopes = block.getData()?.getDataList_asU8() ?? [];
        const [first] = envelopes;
        if (number === 2 && first !== undefined) first[first.length - 1] = (first.at(-1) ?? 0) ^ 1;
        block.getData()?.setDataList(envelopes);
      }),
    );
    assert.match(report.findings.join(), /block 2: .*data hash/);
    assert.equal(report.blocks, 2);
  });

  it('finds a validation code that is not the true one', async () => {
    const report = await verifyChain(
      genesis,
      delivered((block, number) => {
        const list = block.getMetadata()?.getMetadataList_asU8() ?? [];
        if (number === 2) list[common.BlockMetadataIndex.TRANSACTIONS_FILTER] = Buffer.from([10]);
        block.getMetadata()?.setMetadataList(list);
      }),
    );
    assert.match(report.findings.join(), /block 2: the validation codes/);
  });

  it('finds a block that does not follow the one before', async () => {
    const report = await verifyChain(
      genesis,
      delivered((block, number) => {
        if (number === 3) block.getHeader()?.setPreviousHash(Buffer.alloc(32));
      }),
    );
    assert.match(report.findings.join(), /block 3 does not follow/);
  });

  it('finds a genesis block that is not the channel’s', async () => {
    const report = await verifyChain(
      blocks[0] ?? Buffer.alloc(0),
      delivered((block, number) => {
        if (number === 0) block.getHeader()?.setDataHash(Buffer.alloc(32));
      }),
    );
    assert.match(report.findings.join(), /genesis/);
  });
});
