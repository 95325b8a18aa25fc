import { createHash } from 'node:crypto';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { bidiStream, type HandlerContext } from '../rpc/handlers.js';
import { rawService, type RawHandlers } from '../rpc/raw.js';
import { filteredBlocks, privateDataBlocks, wholeBlocks, type PrivateDataSource } from './responses.js';
import { answerSeek, type DeliverContext, type DeliverKind } from './stream.js';

/** protos.Deliver of a peer. */
export const deliverService = rawService('protos.Deliver', {
  Deliver: 'bidiStream',
  DeliverFiltered: 'bidiStream',
  DeliverWithPrivateData: 'bidiStream',
});

/** The peer's three block streams; access is said by the channel's ACLs. */
export function deliverHandlers(
  mspId: string,
  context: DeliverContext & PrivateDataSource,
  handler: HandlerContext,
): RawHandlers {
  const { channel } = context;
  const blockEvents = (): string => channel.acl('event/Block');
  const filteredEvents = (): string => channel.acl('event/FilteredBlock');
  return {
    Deliver: deliverMethod({ responses: wholeBlocks, policy: blockEvents }, context, handler),
    DeliverFiltered: deliverMethod({ responses: filteredBlocks, policy: filteredEvents }, context, handler),
    DeliverWithPrivateData: deliverMethod(
      { responses: privateDataBlocks(mspId, context), policy: blockEvents },
      context,
      handler,
    ),
  };
}

/** One deliver method of a peer or an orderer. */
export function deliverMethod(kind: DeliverKind, context: DeliverContext, handler: HandlerContext) {
  return bidiStream(handler, (envelope, outlet, call) =>
    answerSeek(envelope, kind, context, {
      signal: outlet.signal,
      send: (message) => outlet.send(message),
      tlsCertHash: tlsCertHash(call),
    }),
  );
}

function tlsCertHash(call: ServerDuplexStream<Buffer, Buffer>): Buffer | undefined {
  const certificate = call.getAuthContext().sslPeerCertificate?.raw;
  return certificate && createHash('sha256').update(certificate).digest();
}
