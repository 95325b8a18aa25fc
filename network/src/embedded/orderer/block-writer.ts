import { common } from '@hyperledger/fabric-protos';
import { signatureHeader } from '../../config/envelope.js';
import type { Chain, Signer } from '../ports.js';
import { blockDataHash, blockHeaderHash, encodeBlockHeader } from './header.js';

/** Entries of a block's metadata, in the order of common.BlockMetadataIndex. */
const METADATA_ENTRIES = 5;
const { SIGNATURES, LAST_CONFIG } = common.BlockMetadataIndex;

/** Where the chain ends: what the next block is built on. */
export interface ChainTip {
  readonly height: number;
  /** Hash of the last block's header. */
  readonly headerHash: Buffer;
}

/** Makes blocks of ordered envelopes, signed as an orderer signs them. */
export class BlockWriter {
  #tip: ChainTip;

  constructor(
    tip: ChainTip,
    private readonly signer: Signer,
    /** Number of the config block in force. */
    private readonly lastConfig: () => number,
  ) {
    this.#tip = tip;
  }

  /** The next block of the chain with these envelopes: common.Block without what peers add. */
  write(envelopes: readonly Buffer[]): Buffer {
    const header = this.#header(envelopes);
    const block = new common.Block();
    block.setHeader(header);
    block.setData(dataOf(envelopes));
    block.setMetadata(this.#metadata(encodeBlockHeader(header)));
    this.#tip = { height: this.#tip.height + 1, headerHash: blockHeaderHash(header) };
    return Buffer.from(block.serializeBinary());
  }

  #header(envelopes: readonly Buffer[]): common.BlockHeader {
    const header = new common.BlockHeader();
    header.setNumber(this.#tip.height);
    header.setPreviousHash(this.#tip.headerHash);
    header.setDataHash(blockDataHash(envelopes));
    return header;
  }

  #metadata(headerDer: Buffer): common.BlockMetadata {
    const lastConfig = new common.LastConfig();
    lastConfig.setIndex(this.lastConfig());
    const entries: Uint8Array[] = Array.from({ length: METADATA_ENTRIES }, () => new Uint8Array());
    entries[SIGNATURES] = this.#signatures(lastConfig, headerDer).serializeBinary();
    entries[LAST_CONFIG] = withValue(lastConfig.serializeBinary()).serializeBinary();
    const metadata = new common.BlockMetadata();
    metadata.setMetadataList(entries);
    return metadata;
  }

  #signatures(lastConfig: common.LastConfig, headerDer: Buffer): common.Metadata {
    const value = new common.OrdererBlockMetadata();
    value.setLastConfig(lastConfig);
    const metadata = withValue(value.serializeBinary());
    const signature = new common.MetadataSignature();
    signature.setSignatureHeader(signatureHeader(this.signer.identity).serializeBinary());
    const signed = Buffer.concat([metadata.getValue_asU8(), signature.getSignatureHeader_asU8(), headerDer]);
    signature.setSignature(this.signer.sign(signed));
    metadata.addSignatures(signature);
    return metadata;
  }
}

/** Where a chain ends. Throws when it has no block yet. */
export function chainTip(chain: Chain): ChainTip {
  const bytes = chain.height > 0 ? chain.block(chain.height - 1) : undefined;
  const header = bytes && common.Block.deserializeBinary(bytes).getHeader();
  if (!header) throw new Error('the channel has no genesis block: create the ledger from it before ordering');
  return { height: chain.height, headerHash: blockHeaderHash(header) };
}

function dataOf(envelopes: readonly Buffer[]): common.BlockData {
  const data = new common.BlockData();
  data.setDataList([...envelopes]);
  return data;
}

function withValue(value: Uint8Array): common.Metadata {
  const metadata = new common.Metadata();
  metadata.setValue(value);
  return metadata;
}
