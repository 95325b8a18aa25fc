import { common } from '@hyperledger/fabric-protos';

/** A channel's configuration and the block that brought it. */
export interface ChannelConfig {
  readonly channelId: string;
  readonly block: number;
  readonly root: common.ConfigGroup;
}

/** Reads the configuration out of a config block; throws when the block holds none. */
export function readConfigBlock(bytes: Buffer): ChannelConfig {
  const block = common.Block.deserializeBinary(bytes);
  const data = block.getData()?.getDataList_asU8()[0];
  if (data === undefined) throw new Error('config block without transaction');
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(data).getPayload_asU8());
  const header = common.ChannelHeader.deserializeBinary(
    payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array(),
  );
  if (header.getType() !== common.HeaderType.CONFIG) throw new Error('block is no config block');
  return {
    channelId: header.getChannelId(),
    block: block.getHeader()?.getNumber() ?? 0,
    root: readConfig(Buffer.from(payload.getData_asU8())),
  };
}

/** Reads the channel group out of a common.ConfigEnvelope. */
export function readConfig(envelope: Buffer): common.ConfigGroup {
  const root = common.ConfigEnvelope.deserializeBinary(envelope).getConfig()?.getChannelGroup();
  if (root === undefined) throw new Error('config envelope without channel group');
  return root;
}
