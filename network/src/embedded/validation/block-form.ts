import { common } from '@hyperledger/fabric-protos';
import type { ConfiguredChannel } from '../channel/channel.js';
import { blockDataHash, encodeBlockHeader } from '../orderer/header.js';

const { BlockMetadataIndex } = common;
const BLOCK_VALIDATION = '/Channel/Orderer/BlockValidation';

/** Entries of a block's metadata list. */
const METADATA_ENTRIES = 5;

/** A block as it came from the orderer. */
export interface ReceivedBlock {
  readonly number: number;
  readonly previousHash: Buffer;
  readonly dataHash: Buffer;
  readonly envelopes: readonly Buffer[];
  readonly header: common.BlockHeader;
  readonly message: common.Block;
}

/** Parses a common.Block; throws when it lacks header or data. */
export function parseBlock(bytes: Buffer): ReceivedBlock {
  const message = common.Block.deserializeBinary(bytes);
  const header = message.getHeader();
  const data = message.getData();
  if (header === undefined || data === undefined) throw new Error('block without header or data');
  return {
    number: header.getNumber(),
    previousHash: Buffer.from(header.getPreviousHash_asU8()),
    dataHash: Buffer.from(header.getDataHash_asU8()),
    envelopes: data.getDataList_asU8().map((envelope) => Buffer.from(envelope)),
    header,
    message,
  };
}

/**
 * Checks that a block continues the chain and is signed as the channel's BlockValidation policy demands; throws with
 * what is wrong. The first block carries no signature.
 */
export function checkBlock(
  block: ReceivedBlock,
  height: number,
  previous: Buffer | undefined,
  channel: ConfiguredChannel,
): void {
  if (block.number !== height) throw new Error(`block ${block.number} came where block ${height} was due`);
  if (!blockDataHash(block.envelopes).equals(block.dataHash)) {
    throw new Error(`block ${block.number}: the data hash in the header is not that of its transactions`);
  }
  if (!block.previousHash.equals(previous ?? Buffer.alloc(0))) {
    throw new Error(`block ${block.number} does not follow block ${block.number - 1} of this ledger`);
  }
  if (height > 0) checkSignatures(block, channel);
}

/** The block with its validation flags and commit hash, as peers store and deliver it. */
export function withResult(block: ReceivedBlock, flags: Buffer, commitHash: Buffer): Buffer {
  const metadata = block.message.getMetadata() ?? new common.BlockMetadata();
  const entries: Uint8Array[] = metadata.getMetadataList_asU8();
  while (entries.length < METADATA_ENTRIES) entries.push(Buffer.alloc(0));
  entries[BlockMetadataIndex.TRANSACTIONS_FILTER] = flags;
  entries[BlockMetadataIndex.COMMIT_HASH] = commitHash.length === 0 ? commitHash : asMetadata(commitHash);
  metadata.setMetadataList(entries);
  block.message.setMetadata(metadata);
  return Buffer.from(block.message.serializeBinary());
}

/** What a peer added to the block is taken away, so that it must be found again. */
export function asFromOrderer(bytes: Buffer): Buffer {
  const block = common.Block.deserializeBinary(bytes);
  const metadata = block.getMetadata();
  const entries: Uint8Array[] = metadata?.getMetadataList_asU8() ?? [];
  entries[BlockMetadataIndex.TRANSACTIONS_FILTER] = new Uint8Array();
  entries[BlockMetadataIndex.COMMIT_HASH] = new Uint8Array();
  metadata?.setMetadataList(entries);
  return Buffer.from(block.serializeBinary());
}

function asMetadata(value: Buffer): Buffer {
  const metadata = new common.Metadata();
  metadata.setValue(value);
  return Buffer.from(metadata.serializeBinary());
}

function checkSignatures(block: ReceivedBlock, channel: ConfiguredChannel): void {
  const entry = block.message.getMetadata()?.getMetadataList_asU8()[BlockMetadataIndex.SIGNATURES];
  const metadata = common.Metadata.deserializeBinary(entry ?? new Uint8Array());
  const der = encodeBlockHeader(block.header);
  const signed = metadata.getSignaturesList().map((signature) => {
    const header = signature.getSignatureHeader_asU8();
    return {
      identity: Buffer.from(common.SignatureHeader.deserializeBinary(header).getCreator_asU8()),
      data: Buffer.concat([metadata.getValue_asU8(), header, der]),
      signature: Buffer.from(signature.getSignature_asU8()),
    };
  });
  try {
    channel.check(BLOCK_VALIDATION, signed);
  } catch (error) {
    throw new Error(`block ${block.number} is not signed as ${BLOCK_VALIDATION} demands`, { cause: error });
  }
}
