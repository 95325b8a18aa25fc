import { status } from '@grpc/grpc-js';
import { FabricError, type Channel, type SignedData } from '../ports.js';

/** Policies that hold for a resource when the channel's configuration says nothing of it. */
const DEFAULT_POLICIES: ReadonlySet<string> = new Set(['/Channel/Application/Readers', '/Channel/Application/Writers']);

/**
 * Whether the signers may use a resource such as peer/Propose, by the channel's ACLs. Throws FabricError with the
 * text of Fabric's default provider, or of its configured one, and the code given.
 */
export function checkAccess(
  channel: Channel,
  resource: string,
  signed: readonly SignedData[],
  code: number = status.UNKNOWN,
): void {
  const policy = channel.acl(resource);
  try {
    channel.check(policy, signed);
  } catch (error) {
    if (!(error instanceof FabricError)) throw error;
    const text = DEFAULT_POLICIES.has(policy)
      ? `Failed evaluating policy on signed data during check policy on channel [${channel.id}] with policy [${policy}]`
      : `failed evaluating policy on signed data during check policy [${policy}]`;
    throw new FabricError(code, `${text}: [${error.message}]`);
  }
}
