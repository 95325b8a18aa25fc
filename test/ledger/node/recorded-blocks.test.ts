import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { common } from '@hyperledger/fabric-protos';
import { BlockCache } from '@salus/network/embedded/deliver/block-cache';
import { filteredBlocks, orderedBlocks } from '@salus/network/embedded/deliver/responses';
import { content, contents } from '@salus/network/embedded/deliver/wire';
import { blockHeaderHash } from '@salus/network/embedded/orderer/header';
import { sharedOrPending } from '../../support/shared.js';

const BAD_PAYLOAD = 2;

interface ExpectedBlock {
  readonly number: number;
  readonly headerHash: string;
  readonly flags: string;
}

/** Blocks of the recorded chain, each behind its length. */
function readBlocks(file: string): Buffer[] {
  const bytes = gunzipSync(readFileSync(file));
  const blocks: Buffer[] = [];
  for (let offset = 0; offset < bytes.length;) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(offset++);
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    blocks.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return blocks;
}

describe('blocks recorded from real Fabric', () => {
  let blocks: Buffer[] = [];
  let expected: ExpectedBlock[] = [];

  before(function () {
    const folder = sharedOrPending(this, 'data/fabric-vectors/a');
    blocks = readBlocks(join(folder, 'blocks.pb.gz'));
    const file = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { chain: ExpectedBlock[] };
    expected = file.chain;
  });

  it('have the header hashes that Fabric gave them', () => {
    const hashes = blocks.map((bytes) =>
      blockHeaderHash(common.Block.deserializeBinary(bytes).getHeader()!).toString('hex'),
    );
    assert.deepEqual(
      hashes,
      expected.map(({ headerHash }) => headerHash),
    );
  });

  it('are read with their validation codes, malformed transactions passed over', () => {
    const cache = new BlockCache({ height: blocks.length, block: (number) => blocks[number] });
    for (const { number, flags } of expected) {
      const read = cache.block(number)!.transactions.map(({ code }) => code);
      // What has no readable header (codes 2 and 20, or an unreadable envelope) has no place in an event.
      const readable = [...Buffer.from(flags, 'hex')].filter((code) => code !== BAD_PAYLOAD);
      assert.deepEqual(read, readable, `block ${number}`);
    }
  });

  it('give filtered blocks with names of events and without payloads', () => {
    const cache = new BlockCache({ height: blocks.length, block: (number) => blocks[number] });
    const events = expected.flatMap(({ number }) => cache.block(number)!.transactions.flatMap((tx) => tx.events ?? []));
    assert.ok(events.some((event) => event.getPayload_asU8().length > 0));
    for (const { number } of expected) {
      const message = filteredBlocks.block(cache.block(number)!, Buffer.alloc(0));
      for (const event of events) {
        const payload = Buffer.from(event.getPayload_asU8());
        if (payload.length > 8) assert.ok(!message.includes(payload));
      }
    }
  });

  it('are handed on by an orderer without what peers added', () => {
    const cache = new BlockCache({ height: blocks.length, block: (number) => blocks[number] });
    const block = common.Block.deserializeBinary(content(orderedBlocks.block(cache.block(5)!, Buffer.alloc(0)), 2));
    const metadata = block.getMetadata()!.getMetadataList_asU8();
    const { SIGNATURES, TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;
    assert.equal(metadata.length, 5);
    assert.ok(metadata[SIGNATURES]!.length > 0);
    assert.equal(metadata[TRANSACTIONS_FILTER]!.length, 0);
    assert.equal(metadata[COMMIT_HASH]!.length, 0);
    assert.deepEqual(
      block
        .getData()!
        .getDataList_asU8()
        .map((envelope) => Buffer.from(envelope)),
      contents(content(blocks[5]!, 2), 1),
    );
  });
});
