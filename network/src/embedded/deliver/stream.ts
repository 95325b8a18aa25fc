import { common, orderer } from '@hyperledger/fabric-protos';
import type { Channel } from '../ports.js';
import type { BlockCache } from './block-cache.js';
import { ReadBlock } from './block-cache.js';
import { headerAndMetadata, headersOnly, type Responses } from './responses.js';
import { parseSeek, SeekRefusal, seekRange, type SeekRange, type SeekRequest } from './seek.js';
import { Session } from './session.js';

const { SUCCESS, BAD_REQUEST, FORBIDDEN, NOT_FOUND } = common.Status;

/** The client's end of a deliver stream. */
export interface BlockSink {
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** SHA-256 of the TLS certificate the client connected with; undefined where none is asked for. */
  readonly tlsCertHash: Buffer | undefined;
  /** Resolves when the client can take more. */
  send(message: Buffer): Promise<void>;
}

/** What a deliver service needs. */
export interface DeliverContext {
  readonly channel: Channel;
  readonly blocks: BlockCache;
  /** Resolves when the chain has the block, or the signal is aborted. */
  readonly untilHeight: (height: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => Date;
}

/** One kind of deliver service. */
export interface DeliverKind {
  readonly responses: Responses;
  /** Path of the policy that says who may receive these blocks. */
  readonly policy: () => string;
}

/**
 * Answers one seek envelope: blocks, then a status. Returns whether the client may send another envelope (Fabric ends
 * the stream after any status but SUCCESS).
 */
export async function answerSeek(
  envelope: Buffer,
  kind: DeliverKind,
  context: DeliverContext,
  sink: BlockSink,
): Promise<boolean> {
  const status = await deliver(envelope, kind, context, sink).catch((error: unknown) => {
    if (error instanceof SeekRefusal) return error.status;
    throw error;
  });
  if (sink.signal.aborted) return false;
  await sink.send(kind.responses.status(status));
  return status === SUCCESS;
}

async function deliver(envelope: Buffer, kind: DeliverKind, context: DeliverContext, sink: BlockSink): Promise<number> {
  const request = parseSeek(envelope, context.now());
  checkBinding(request, sink.tlsCertHash);
  if (request.channelId !== context.channel.id) throw new SeekRefusal(NOT_FOUND, 'no such channel');
  const session = new Session(context.channel, kind.policy, request.signed, context.now);
  permitted(session);
  const range = seekRange(request.info, context.blocks.height);
  const responses = contentType(request.info, kind.responses);
  for (let number = range.start; !sink.signal.aborted; number++) {
    const block = await nextBlock(number, range, context, sink.signal);
    if (!block) break;
    permitted(session);
    await sink.send(responses.block(block, request.signed.identity));
    if (number === range.stop) break;
  }
  return SUCCESS;
}

/** Undefined when the client went away while waiting. */
async function nextBlock(
  number: number,
  range: SeekRange,
  { blocks, untilHeight }: DeliverContext,
  signal: AbortSignal,
): Promise<ReadBlock | undefined> {
  if (number >= blocks.height) {
    if (range.failIfNotReady) throw new SeekRefusal(NOT_FOUND, `block ${number} is not committed yet`);
    await untilHeight(number + 1, signal);
  }
  return signal.aborted ? undefined : blocks.block(number);
}

/** A client on mutual TLS signs the hash of its TLS certificate, so that nobody else can use its envelope. */
function checkBinding(request: SeekRequest, tlsCertHash: Buffer | undefined): void {
  if (tlsCertHash && !request.tlsCertHash.equals(tlsCertHash)) {
    throw new SeekRefusal(BAD_REQUEST, 'the channel header does not carry the hash of the TLS client certificate');
  }
}

function permitted(session: Session): void {
  try {
    session.check();
  } catch (error) {
    throw new SeekRefusal(FORBIDDEN, (error as Error).message);
  }
}

function contentType(info: orderer.SeekInfo, responses: Responses): Responses {
  if (info.getContentType() !== orderer.SeekInfo.SeekContentType.HEADER_WITH_SIG) return responses;
  return headersOnly(responses, ({ number, bytes }) => new ReadBlock(number, headerAndMetadata(bytes)));
}
