import { serverStream, unary, type HandlerContext } from '../rpc/handlers.js';
import { rawService, type RawHandlers } from '../rpc/raw.js';
import { chaincodeEvents } from './chaincode-events.js';
import { commitStatus } from './commit-status.js';
import type { GatewayContext } from './context.js';
import { endorse } from './endorse.js';
import { evaluate } from './evaluate.js';
import { submit } from './submit.js';

/** gateway.Gateway of a peer. */
export const gatewayService = rawService('gateway.Gateway', {
  Evaluate: 'unary',
  Endorse: 'unary',
  Submit: 'unary',
  CommitStatus: 'unary',
  ChaincodeEvents: 'serverStream',
});

/** The five methods that the Fabric gateway client calls. */
export function gatewayHandlers(context: GatewayContext, handler: HandlerContext): RawHandlers {
  return {
    Evaluate: unary(handler, (request) => evaluate(request, context)),
    Endorse: unary(handler, (request) => endorse(request, context)),
    Submit: unary(handler, (request) => submit(request, context)),
    CommitStatus: unary(handler, (request, { signal }) => commitStatus(request, context, signal)),
    ChaincodeEvents: serverStream(handler, (request, outlet) => chaincodeEvents(request, context, outlet)),
  };
}
