import { common } from '@hyperledger/fabric-protos';
import type { Channel } from '../ports.js';

const { SUCCESS, BAD_REQUEST, FORBIDDEN } = common.Status;

/** The policy that says who may have a transaction ordered. */
const WRITERS = '/Channel/Writers';

/** What the orderer says about an envelope: a common.Status and Fabric's text. */
export interface Verdict {
  readonly status: number;
  readonly info: string;
}

/** What the filters need to know. */
export interface FilterContext {
  readonly channel: Channel;
  /** AbsoluteMaxBytes of the channel's configuration. */
  readonly maxBytes: number;
  readonly now: () => Date;
}

/** The broadcast filters in Fabric's order; the content of a transaction is not looked at. */
export function filter(envelope: common.Envelope, context: FilterContext): Verdict {
  const header = headerOf(envelope);
  if (typeof header === 'string') return refuse(header);
  const refusal = checkType(header.channel, context) ?? checkSize(envelope, context);
  if (refusal !== undefined) return refuse(refusal);
  return checkCreator(envelope, header.creator, context);
}

/** Bytes of an envelope as the size rules count them. */
export function envelopeSize(envelope: common.Envelope): number {
  return envelope.getPayload_asU8().length + envelope.getSignature_asU8().length;
}

interface Headers {
  readonly channel: common.ChannelHeader;
  readonly creator: Buffer;
}

function headerOf(envelope: common.Envelope): Headers | string {
  try {
    const header = common.Payload.deserializeBinary(envelope.getPayload_asU8()).getHeader();
    if (!header) return 'could not determine channel ID: no header set';
    const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
    const signature = common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8());
    return { channel, creator: Buffer.from(signature.getCreator_asU8()) };
  } catch (error) {
    return `could not determine channel ID: error unmarshalling Payload: ${(error as Error).message}`;
  }
}

function checkType(header: common.ChannelHeader, { channel }: FilterContext): string | undefined {
  if (header.getChannelId() !== channel.id) {
    return 'channel creation request not allowed because the orderer system channel is not defined';
  }
  switch (header.getType()) {
    case common.HeaderType.CONFIG:
    case common.HeaderType.ORDERER_TRANSACTION:
      return 'message is of type that cannot be processed directly';
    case common.HeaderType.CONFIG_UPDATE:
      return 'the embedded ledger does not take channel configuration updates: start a new channel, or use Fabric';
    default:
      return undefined;
  }
}

function checkSize(envelope: common.Envelope, { maxBytes }: FilterContext): string | undefined {
  if (envelope.getPayload_asU8().length === 0) return 'Message was empty';
  const size = envelopeSize(envelope);
  return size > maxBytes ? `message payload is ${size} bytes and exceeds maximum allowed ${maxBytes} bytes` : undefined;
}

function checkCreator(envelope: common.Envelope, creator: Buffer, { channel, now }: FilterContext): Verdict {
  try {
    if (expired(channel, creator, now())) return refuse('broadcast client identity expired');
    channel.check(WRITERS, [
      {
        identity: creator,
        data: Buffer.from(envelope.getPayload_asU8()),
        signature: Buffer.from(envelope.getSignature_asU8()),
      },
    ]);
  } catch (error) {
    return { status: FORBIDDEN, info: `${(error as Error).message}: permission denied` };
  }
  return { status: SUCCESS, info: '' };
}

/** An identity that cannot be read has no expiry; the policy refuses it. */
function expired(channel: Channel, creator: Buffer, now: Date): boolean {
  try {
    return channel.identity(creator).notAfter < now;
  } catch {
    return false;
  }
}

function refuse(info: string): Verdict {
  return { status: BAD_REQUEST, info };
}
