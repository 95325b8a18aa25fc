import { status } from '@grpc/grpc-js';
import { gateway } from '@hyperledger/fabric-protos';
import { RpcFailure } from '../rpc/failure.js';
import { checkRequest } from './access.js';
import type { GatewayContext } from './context.js';

/**
 * gateway.Gateway/CommitStatus: the first occurrence of the transaction, once there is one; an unknown id waits until
 * the client gives up.
 */
export async function commitStatus(bytes: Buffer, context: GatewayContext, signal: AbortSignal): Promise<Buffer> {
  const request = authorised(bytes, context);
  for (;;) {
    const position = context.chain.transaction(request.getTransactionId());
    if (position) {
      const response = new gateway.CommitStatusResponse();
      response.setResult(position.code as 0);
      response.setBlockNumber(position.block);
      return Buffer.from(response.serializeBinary());
    }
    await context.commits.nextCommit(signal);
    if (signal.aborted) throw new RpcFailure(status.CANCELLED, 'context canceled');
  }
}

function authorised(bytes: Buffer, { channel }: GatewayContext): gateway.CommitStatusRequest {
  const signed = gateway.SignedCommitStatusRequest.deserializeBinary(bytes);
  const data = Buffer.from(signed.getRequest_asU8());
  if (data.length === 0) throw invalid('a commit status request is required');
  const request = gateway.CommitStatusRequest.deserializeBinary(data);
  const identity = Buffer.from(request.getIdentity_asU8());
  if (identity.length === 0) throw invalid('no identity provided');
  if (request.getChannelId() === '') throw invalid('no channel ID provided');
  const signature = Buffer.from(signed.getSignature_asU8());
  checkRequest(channel, request.getChannelId(), 'gateway/CommitStatus', { identity, data, signature });
  return request;
}

function invalid(text: string): RpcFailure {
  return new RpcFailure(status.INVALID_ARGUMENT, text);
}
