import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { common, ledger, peer } from '@hyperledger/fabric-protos';
import { BlockError, decodeBareBlock, decodeBlock } from '@salus/gateway/ledger/blocks';
import type { LedgerBlock } from '@salus/gateway/ports';

import { sharedPath } from '../support/shared.js';
import { recordedBlocks } from '../support/vectors.js';

interface ExpectedBlock {
  readonly number: number;
  readonly headerHash: string;
  readonly dataHash: string;
  readonly commitHash: string;
  readonly flags: string;
}

/** The private sets the peer of Org1 delivered right after each commit, by block. */
function recordedPrivateSets(folder: string): Map<number, { tx: number; rwset: string }[]> {
  const byBlock = new Map<number, { tx: number; rwset: string }[]>();
  for (const line of gunzipSync(readFileSync(join(folder, 'private.jsonl.gz')))
    .toString()
    .split('\n')) {
    if (line === '') continue;
    const entry = JSON.parse(line) as { when: string; block: number; tx: number; org: string; rwset: string };
    if (entry.when !== 'commit' || entry.org !== 'Org1MSP') continue;
    byBlock.set(entry.block, [...(byBlock.get(entry.block) ?? []), entry]);
  }
  return byBlock;
}

function withPrivateData(block: Uint8Array, sets: readonly { tx: number; rwset: string }[]): peer.BlockAndPrivateData {
  const message = new peer.BlockAndPrivateData();
  message.setBlock(common.Block.deserializeBinary(block));
  for (const { tx, rwset } of sets) {
    const set = ledger.rwset.TxPvtReadWriteSet.deserializeBinary(Buffer.from(rwset, 'base64'));
    message.getPrivateDataMapMap().set(tx, set);
  }
  return message;
}

describe('blocks decoded from a recorded Fabric chain', () => {
  const folder = sharedPath('data/fabric-vectors/a');
  let raw: Uint8Array[];
  let blocks: LedgerBlock[];

  before(function () {
    if (folder === undefined) return this.skip();
    raw = recordedBlocks(folder);
    const sets = recordedPrivateSets(folder);
    blocks = raw.map((block, number) => decodeBlock(withPrivateData(block, sets.get(number) ?? []), 'one'));
  });

  it('has the hashes, flags and commit hashes that the peers computed', () => {
    const expected = JSON.parse(readFileSync(join(folder!, 'expected.json'), 'utf8')) as { chain: ExpectedBlock[] };
    const seen = blocks.map((block) => ({
      number: block.number,
      headerHash: block.hash,
      dataHash: block.dataHash,
      commitHash: block.commitHash,
      flags: Buffer.from(block.transactions.map((each) => each.code)).toString('hex'),
    }));
    const wanted = expected.chain.map(({ number, headerHash, dataHash, commitHash, flags }) => ({
      number,
      headerHash,
      dataHash,
      commitHash,
      flags,
    }));
    assert.deepEqual(seen, wanted);
  });

  it('links each block to the one before', () => {
    for (const [index, block] of blocks.slice(1).entries()) assert.equal(block.previousHash, blocks[index]?.hash);
  });

  it('shows writes of valid transactions only', () => {
    const invalid = blocks.flatMap((block) => block.transactions).filter((each) => each.code !== 0);
    assert.ok(invalid.length > 400);
    assert.equal(invalid.flatMap((each) => each.writes).length, 0);
  });

  it('joins hashed writes with the clear values the member holds', () => {
    const writes = blocks.flatMap((block) => block.transactions.flatMap((each) => each.writes));
    const held = writes.filter((write) => write.collection === 'c12' && write.value !== undefined);
    const foreign = writes.filter((write) => write.collection === 'c34' && !write.isDelete);
    assert.ok(held.length > 10);
    assert.ok(held.every((write) => write.key !== undefined && write.valueHash?.length === 64));
    assert.ok(foreign.length > 0);
    assert.ok(foreign.every((write) => write.value === undefined && write.key === undefined));
    assert.ok(writes.some((write) => write.isPurge));
  });

  it('only counts what was written to collections that are not held', () => {
    const writesTo = (block: LedgerBlock, name: string) =>
      block.transactions.flatMap((each) => each.writes).filter(({ collection }) => collection === name);
    for (const [number, block] of blocks.entries()) {
      const counted = decodeBlock(withPrivateData(raw[number]!, []), 'one', (name) => name !== 'c34');
      const elsewhere = counted.transactions.map((each) => each.elsewhere);
      const sum = (pick: 'writes' | 'purges') => elsewhere.reduce((total, each) => total + each[pick], 0);
      assert.equal(sum('writes'), writesTo(block, 'c34').length);
      assert.equal(sum('purges'), writesTo(block, 'c34').filter(({ isPurge }) => isPurge).length);
      assert.equal(writesTo(counted, 'c34').length, 0);
      assert.equal(writesTo(counted, 'c12').length, writesTo(block, 'c12').length);
    }
    assert.ok(blocks.some((block) => writesTo(block, 'c34').some(({ isPurge }) => isPurge)));
  });

  it('passes no clear value whose hash is not the one in the block', () => {
    const number = blocks.findIndex((block) =>
      block.transactions.some((each) => each.writes.some((write) => write.collection === 'c12' && write.value)),
    );
    const index = blocks[number]!.transactions.findIndex((each) => each.writes.some((write) => write.value));
    const entry = recordedPrivateSets(folder!)
      .get(number)!
      .find((each) => each.tx === index)!;
    const set = ledger.rwset.TxPvtReadWriteSet.deserializeBinary(Buffer.from(entry.rwset, 'base64'));
    for (const collection of set.getNsPvtRwsetList().flatMap((each) => each.getCollectionPvtRwsetList())) {
      const writes = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(collection.getRwset_asU8());
      for (const write of writes.getWritesList()) write.setValue(Buffer.from('forged'));
      collection.setRwset(writes.serializeBinary());
    }
    const forged = { tx: index, rwset: Buffer.from(set.serializeBinary()).toString('base64') };
    const decoded = decodeBlock(withPrivateData(raw[number]!, [forged]), 'one');
    const writes = decoded.transactions[index]!.writes.filter((write) => write.collection !== undefined);
    assert.ok(writes.some((write) => write.key !== undefined));
    assert.ok(writes.every((write) => write.value === undefined));
  });

  it('refuses a block whose data was changed', () => {
    const block = common.Block.deserializeBinary(raw[5]!);
    const data = block.getData()!;
    data.setDataList([Buffer.concat([data.getDataList_asU8()[0]!, Buffer.from([0])])]);
    assert.throws(() => decodeBareBlock(block, 'one'), BlockError);
  });
});
