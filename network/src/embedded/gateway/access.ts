import { status } from '@grpc/grpc-js';
import type { Channel, SignedData } from '../ports.js';
import { RpcFailure } from '../rpc/failure.js';

/** Refuses a signed request that the channel's ACL for the resource does not permit (fabric-behaviour A28, L8). */
export function checkAccess(channel: Channel, channelId: string, resource: string, signed: SignedData): void {
  if (channelId !== channel.id) {
    throw new RpcFailure(status.PERMISSION_DENIED, `Failed to get policy manager for channel [${channelId}]`);
  }
  const policy = channel.acl(resource);
  try {
    channel.check(policy, [signed]);
  } catch (error) {
    throw new RpcFailure(status.PERMISSION_DENIED, refusal(channelId, policy, (error as Error).message));
  }
}

/** Fabric's default policies and those an ACL names are refused in different words. */
function refusal(channelId: string, policy: string, cause: string): string {
  return policy === '/Channel/Application/Readers' || policy === '/Channel/Application/Writers'
    ? `Failed evaluating policy on signed data during check policy on channel [${channelId}] with policy [${policy}]: [${cause}]`
    : `failed evaluating policy on signed data during check policy [${policy}]: [${cause}]`;
}
