import { orderer } from '@hyperledger/fabric-protos';
import { orderedBlocks } from '../deliver/responses.js';
import { deliverMethod } from '../deliver/handlers.js';
import type { DeliverContext } from '../deliver/stream.js';
import type { Orderer } from '../ports.js';
import { bidiStream, type HandlerContext } from '../rpc/handlers.js';
import { rawService, type RawHandlers } from '../rpc/raw.js';

const SUCCESS = 200;
/** Policy that says who may receive blocks from an orderer. */
const READERS = '/Channel/Readers';

/** orderer.AtomicBroadcast. */
export const ordererService = rawService('orderer.AtomicBroadcast', {
  Broadcast: 'bidiStream',
  Deliver: 'bidiStream',
});

/** An orderer's two streams: envelopes in, blocks out. */
export function ordererHandlers(service: Orderer, context: DeliverContext, handler: HandlerContext): RawHandlers {
  return {
    Broadcast: bidiStream(handler, async (envelope, outlet) => {
      const { status, info } = await service.broadcast(envelope);
      const response = new orderer.BroadcastResponse();
      response.setStatus(status as typeof SUCCESS);
      response.setInfo(info);
      await outlet.send(Buffer.from(response.serializeBinary()));
      return status === SUCCESS;
    }),
    Deliver: deliverMethod({ responses: orderedBlocks, policy: () => READERS }, context, handler),
  };
}
