import { common } from '@hyperledger/fabric-protos';
import { commitHash as hashOfCommit } from '../rwset/commit-hash.js';
import type { PublicStore } from '../store/public-store.js';
import { blockDataHash, blockHeaderHash } from '../orderer/header.js';
import { parseBlock, type ReceivedBlock } from './block-form.js';

const { BlockMetadataIndex } = common;

/** The newest block as stored, found whole. */
export interface StoredTip {
  readonly height: number;
  readonly headerHash: Buffer;
  readonly commitHash: Buffer;
  /** The config block in force. */
  readonly configBlock: Buffer;
}

/**
 * Checks the newest block of a stored chain: its header and data hashes, its link to the block before, and its commit
 * hash recomputed from its flags and changes. Throws with the file and what to do when one does not fit.
 */
export function checkTip(store: PublicStore, file: string, genesis: Buffer): StoredTip {
  const damaged = (what: string): Error =>
    new Error(`${file}: ${what}. Restore the file from a backup, or start anew with "salus reset".`);
  const height = store.height();
  const block = storedBlock(store, height - 1);
  const hashes = store.hashes(height - 1);
  if (block === undefined || hashes === undefined) throw damaged(`block ${height - 1} is missing`);
  const first = storedBlock(store, 0);
  if (first === undefined || !blockHeaderHash(first.header).equals(blockHeaderHash(parseBlock(genesis).header))) {
    throw damaged('the stored chain starts from another genesis block than the one given');
  }
  if (
    !blockHeaderHash(block.header).equals(hashes.headerHash) ||
    !blockDataHash(block.envelopes).equals(block.dataHash)
  ) {
    throw damaged(`the hashes of block ${height - 1} do not fit its content`);
  }
  checkLink(store, block, hashes.commitHash, damaged);
  const configBlock = store.configBlock();
  if (configBlock === undefined) throw damaged('the config block in force is missing');
  return { height, ...hashes, configBlock };
}

function checkLink(
  store: PublicStore,
  block: ReceivedBlock,
  commitHash: Buffer,
  damaged: (what: string) => Error,
): void {
  if (block.number === 0) return;
  const before = store.hashes(block.number - 1);
  if (before === undefined || !block.previousHash.equals(before.headerHash)) {
    throw damaged(`block ${block.number} does not follow the block before it`);
  }
  const flags = metadataOf(block, BlockMetadataIndex.TRANSACTIONS_FILTER);
  const expected = hashOfCommit(flags, store.lastUpdates() ?? Buffer.alloc(0), before.commitHash);
  const recorded = common.Metadata.deserializeBinary(metadataOf(block, BlockMetadataIndex.COMMIT_HASH));
  if (!expected.equals(commitHash) || !expected.equals(recorded.getValue_asU8())) {
    throw damaged(`the commit hash of block ${block.number} does not fit its flags and changes`);
  }
}

function storedBlock(store: PublicStore, number: number): ReceivedBlock | undefined {
  const bytes = store.block(number);
  return bytes && parseBlock(bytes);
}

function metadataOf(block: ReceivedBlock, index: number): Buffer {
  return Buffer.from(block.message.getMetadata()?.getMetadataList_asU8()[index] ?? new Uint8Array());
}
