import { status } from '@grpc/grpc-js';
import { checkAccess } from '../endorser/access.js';
import type { Channel, SignedData } from '../ports.js';
import { RpcFailure } from '../rpc/failure.js';

/** Refuses a signed request that the channel's ACL for the resource does not permit. */
export function checkRequest(channel: Channel, channelId: string, resource: string, signed: SignedData): void {
  if (channelId !== channel.id) {
    throw new RpcFailure(status.PERMISSION_DENIED, `Failed to get policy manager for channel [${channelId}]`);
  }
  checkAccess(channel, resource, [signed], status.PERMISSION_DENIED);
}
