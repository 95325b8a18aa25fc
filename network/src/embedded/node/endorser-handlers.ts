import type { Endorser } from '../ports.js';
import { unary, type HandlerContext } from '../rpc/handlers.js';
import { rawService, type RawHandlers } from '../rpc/raw.js';

/** protos.Endorser of a peer. */
export const endorserService = rawService('protos.Endorser', { ProcessProposal: 'unary' });

/** Proposals sent straight to a peer, as the peer command and other peers do. */
export function endorserHandlers(endorser: Endorser, handler: HandlerContext): RawHandlers {
  return { ProcessProposal: unary(handler, (signedProposal) => endorser.process(signedProposal)) };
}
