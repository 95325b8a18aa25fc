import { common, orderer } from '@hyperledger/fabric-protos';
import type { SignedData } from '../ports.js';

const { BAD_REQUEST, NOT_FOUND } = common.Status;

/** How far a seek envelope's timestamp may lie from the server's clock. */
const TIME_WINDOW_MS = 15 * 60 * 1000;

/** What a client asks of a deliver service. */
export interface SeekRequest {
  readonly channelId: string;
  readonly signed: SignedData;
  /** SHA-256 of the client's TLS certificate as the client states it. */
  readonly tlsCertHash: Buffer;
  readonly info: orderer.SeekInfo;
}

/** The blocks to send: numbers from start to stop, both included. */
export interface SeekRange {
  readonly start: number;
  readonly stop: number;
  readonly failIfNotReady: boolean;
}

/** A common.Status with which a request ends instead of blocks. */
export class SeekRefusal extends Error {
  constructor(
    readonly status: number,
    why: string,
  ) {
    super(why);
    this.name = 'SeekRefusal';
  }
}

/** Reads a seek envelope. Throws SeekRefusal for one that is malformed or out of time. */
export function parseSeek(bytes: Buffer, now: Date): SeekRequest {
  try {
    return readSeek(bytes, now);
  } catch (error) {
    if (error instanceof SeekRefusal) throw error;
    throw new SeekRefusal(BAD_REQUEST, `malformed seek envelope: ${(error as Error).message}`);
  }
}

function readSeek(bytes: Buffer, now: Date): SeekRequest {
  const envelope = common.Envelope.deserializeBinary(bytes);
  const data = Buffer.from(envelope.getPayload_asU8());
  const payload = common.Payload.deserializeBinary(data);
  const header = payload.getHeader();
  if (!header) throw new SeekRefusal(BAD_REQUEST, 'envelope has no header');
  const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  checkTime(channel, now);
  const creator = common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()).getCreator_asU8();
  return {
    channelId: channel.getChannelId(),
    signed: { identity: Buffer.from(creator), data, signature: Buffer.from(envelope.getSignature_asU8()) },
    tlsCertHash: Buffer.from(channel.getTlsCertHash_asU8()),
    info: orderer.SeekInfo.deserializeBinary(payload.getData_asU8()),
  };
}

function checkTime(channel: common.ChannelHeader, now: Date): void {
  const timestamp = channel.getTimestamp();
  if (!timestamp) throw new SeekRefusal(BAD_REQUEST, 'channel header in envelope must contain timestamp');
  const distance = Math.abs(timestamp.getSeconds() * 1000 + timestamp.getNanos() / 1e6 - now.getTime());
  if (distance > TIME_WINDOW_MS) throw new SeekRefusal(BAD_REQUEST, 'envelope timestamp is outside the time window');
}

/** Which blocks a request means on a chain of this height. Throws SeekRefusal. */
export function seekRange(info: orderer.SeekInfo, height: number): SeekRange {
  const [from, to] = [info.getStart(), info.getStop()];
  if (!from || !to) throw new SeekRefusal(BAD_REQUEST, 'seek info lacks start or stop');
  const start = startOf(from, height);
  return {
    start,
    stop: stopOf(from, to, start, height),
    failIfNotReady: info.getBehavior() === orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY,
  };
}

function startOf(position: orderer.SeekPosition, height: number): number {
  switch (position.getTypeCase()) {
    case orderer.SeekPosition.TypeCase.OLDEST:
      return 0;
    case orderer.SeekPosition.TypeCase.NEWEST:
      return height - 1;
    case orderer.SeekPosition.TypeCase.NEXT_COMMIT:
      return height;
    case orderer.SeekPosition.TypeCase.SPECIFIED: {
      const number = position.getSpecified()?.getNumber() ?? 0;
      if (number > height) throw new SeekRefusal(NOT_FOUND, `block ${number} lies beyond the next one, ${height}`);
      return number;
    }
    default:
      throw new SeekRefusal(NOT_FOUND, 'seek position of an unknown kind');
  }
}

/** A stop never reached (in the past, or of no meaning) lets the stream run on, as Fabric does. */
function stopOf(from: orderer.SeekPosition, to: orderer.SeekPosition, start: number, height: number): number {
  const { OLDEST, NEWEST, SPECIFIED } = orderer.SeekPosition.TypeCase;
  switch (to.getTypeCase()) {
    case OLDEST:
      return start;
    case NEWEST:
      return from.getTypeCase() === NEWEST ? start : endless(height - 1, start);
    case SPECIFIED: {
      const number = to.getSpecified()?.getNumber() ?? 0;
      if (number < start) throw new SeekRefusal(BAD_REQUEST, `start ${start} is greater than stop ${number}`);
      return number;
    }
    default:
      return endless(0, start);
  }
}

function endless(stop: number, start: number): number {
  return stop < start ? Number.POSITIVE_INFINITY : stop;
}
