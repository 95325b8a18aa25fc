import { createHash } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import { channelHeader, envelopeOf, headerOf, signatureHeader, transactionId } from './envelope.js';

const { BlockMetadataIndex, HeaderType } = common;
const METADATA_ENTRIES = Object.keys(BlockMetadataIndex).length;

/** The channel's block 0 (common.Block) with this configuration, as `configtxgen` would write it. */
export function buildGenesis(channel: string, root: common.ConfigGroup): Buffer {
  const envelope = configEnvelope(channel, root);
  const header = new common.BlockHeader();
  header.setDataHash(createHash('sha256').update(envelope).digest());
  const data = new common.BlockData();
  data.setDataList([envelope]);
  const block = new common.Block();
  block.setHeader(header);
  block.setData(data);
  block.setMetadata(metadata());
  return Buffer.from(block.serializeBinary());
}

function configEnvelope(channel: string, root: common.ConfigGroup): Uint8Array {
  const config = new common.Config();
  config.setChannelGroup(root);
  const configuration = new common.ConfigEnvelope();
  configuration.setConfig(config);
  return envelopeOf(header(channel), configuration.serializeBinary()).serializeBinary();
}

function header(channel: string): common.Header {
  const signed = signatureHeader();
  const made = channelHeader(HeaderType.CONFIG, channel);
  made.setVersion(1);
  made.setTxId(transactionId(signed));
  return headerOf(made, signed);
}

/** Nobody signs block 0: whoever joins has it from a hand it trusts. */
function metadata(): common.BlockMetadata {
  const orderer = new common.OrdererBlockMetadata();
  orderer.setLastConfig(new common.LastConfig());
  const signatures = new common.Metadata();
  signatures.setValue(orderer.serializeBinary());
  const entries = Array.from({ length: METADATA_ENTRIES }, (): Uint8Array => new Uint8Array());
  entries[BlockMetadataIndex.SIGNATURES] = signatures.serializeBinary();
  const made = new common.BlockMetadata();
  made.setMetadataList(entries);
  return made;
}
