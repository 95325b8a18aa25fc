import { peer } from '@hyperledger/fabric-protos';
import type { MspIdentity } from '../identity/msp.js';
import type { ChannelPolicies } from './channel-policies.js';
import { compileSignaturePolicy } from './signature-policy.js';

const { TypeCase } = peer.ApplicationPolicy;

/**
 * Evaluates a peer.ApplicationPolicy (a signature policy, or the path of a channel policy) over endorsers: undefined
 * when satisfied, else Fabric's text of why not (core/policy/application.go).
 */
export function evaluateApplicationPolicy(
  policies: ChannelPolicies,
  bytes: Buffer,
  signers: readonly MspIdentity[],
): string | undefined {
  const policy = parse(bytes);
  const signature = policy?.getSignaturePolicy();
  if (signature !== undefined) return evaluateSignature(signature, signers);
  if (policy?.getTypeCase() !== TypeCase.CHANNEL_CONFIG_POLICY_REFERENCE) return 'unsupported policy type';
  const path = policy.getChannelConfigPolicyReference();
  const referred = policies.get(path);
  if (referred === undefined) {
    return `could not create evaluator for channel reference policy: failed to retrieve policy for reference ${path}`;
  }
  return referred(signers);
}

function evaluateSignature(
  envelope: NonNullable<ReturnType<peer.ApplicationPolicy['getSignaturePolicy']>>,
  signers: readonly MspIdentity[],
): string | undefined {
  try {
    return compileSignaturePolicy(envelope)(signers);
  } catch (error) {
    return `could not create evaluator for signature policy: ${(error as Error).message}`;
  }
}

function parse(bytes: Buffer): peer.ApplicationPolicy | undefined {
  try {
    return peer.ApplicationPolicy.deserializeBinary(bytes);
  } catch {
    return undefined;
  }
}
