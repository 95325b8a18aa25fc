import { status } from '@grpc/grpc-js';
import { common, msp } from '@hyperledger/fabric-protos';
import { Identities } from '../identity/identities.js';
import { Msp, type MspIdentity } from '../identity/msp.js';
import { evaluateApplicationPolicy } from '../policy/application-policy.js';
import { ChannelPolicies } from '../policy/channel-policies.js';
import { compileSignaturePolicy, satisfiesAnyPrincipal, signersOf } from '../policy/signature-policy.js';
import { FabricError, type Channel, type SignedData } from '../ports.js';
import { parseAcls } from './acls.js';
import type { ChannelConfig } from './config-block.js';

/** Application capabilities, each including those before it. */
const CAPABILITIES = ['V1_1', 'V1_2', 'V1_3', 'V1_4_2', 'V2_0', 'V2_5'];

/** The channel as one configuration block defines it; a new block makes a new one. */
export class ConfiguredChannel implements Channel {
  readonly id: string;
  readonly configBlock: number;
  readonly organisations: readonly { readonly name: string; readonly mspId: string }[];
  private readonly identities: Identities;
  private readonly policies: ChannelPolicies;
  /** Member policies by the bytes they were parsed from: collections are asked for them again and again. */
  private readonly memberPolicies = new WeakMap<Buffer, common.SignaturePolicyEnvelope>();
  private readonly acls: ReadonlyMap<string, string>;
  private readonly capabilities: readonly string[];

  constructor(config: ChannelConfig) {
    this.id = config.channelId;
    this.configBlock = config.block;
    const application = config.root.getGroupsMap().get('Application');
    const members = mspsOf(application);
    this.organisations = [...members].map(([name, { mspId }]) => ({ name, mspId }));
    const all = [...members.values(), ...mspsOf(config.root.getGroupsMap().get('Orderer')).values()];
    this.identities = new Identities(new Map(all.map((one) => [one.mspId, one])));
    this.policies = new ChannelPolicies(config.root);
    this.acls = parseAcls(valueOf(application, 'ACLs'));
    this.capabilities = capabilitiesOf(application);
  }

  identity(serialized: Buffer): MspIdentity {
    const identity = this.deserialize(serialized);
    if (identity.msp.fault(identity.certificate) !== undefined) {
      throw new FabricError(status.UNKNOWN, `access denied: channel [${this.id}] creator org [${identity.mspId}]`);
    }
    return identity;
  }

  check(policyPath: string, signed: readonly SignedData[]): void {
    const policy = this.policies.get(policyPath);
    if (policy === undefined) throw new FabricError(status.PERMISSION_DENIED, `policy ${policyPath} not found`);
    refuse(policy(signersOf(this.identities, signed)));
  }

  checkSignaturePolicy(envelope: Buffer, signed: readonly SignedData[]): void {
    const policy = compileSignaturePolicy(common.SignaturePolicyEnvelope.deserializeBinary(envelope));
    refuse(policy(signersOf(this.identities, signed)));
  }

  isMember(envelope: Buffer, identity: Buffer): boolean {
    const known = this.memberPolicies.get(envelope);
    const policy = known ?? common.SignaturePolicyEnvelope.deserializeBinary(envelope);
    if (!known) this.memberPolicies.set(envelope, policy);
    try {
      return satisfiesAnyPrincipal(policy, this.identities.deserialize(identity));
    } catch {
      return false;
    }
  }

  signaturePolicy(policyPath: string): Buffer {
    const policy = this.policies.asSignaturePolicy(policyPath);
    if (policy === undefined) throw new FabricError(status.PERMISSION_DENIED, `policy ${policyPath} not found`);
    return Buffer.from(policy.serializeBinary());
  }

  acl(resource: string): string {
    const policyPath = this.acls.get(resource);
    if (policyPath === undefined) throw new FabricError(status.UNKNOWN, `Unmapped policy for ${resource}`);
    return policyPath;
  }

  hasCapability(name: string): boolean {
    const wanted = CAPABILITIES.indexOf(name);
    return wanted >= 0 && this.capabilities.some((capability) => CAPABILITIES.indexOf(capability) >= wanted);
  }

  /** Whether the configuration has a policy of that path. */
  hasPolicy(policyPath: string): boolean {
    return this.policies.get(policyPath) !== undefined;
  }

  /** The distinct identities whose signatures hold. */
  signers(signed: readonly SignedData[]): MspIdentity[] {
    return signersOf(this.identities, signed);
  }

  /** Evaluates a peer.ApplicationPolicy: undefined when satisfied, else why not. */
  applicationPolicyFault(policy: Buffer, signers: readonly MspIdentity[]): string | undefined {
    return evaluateApplicationPolicy(this.policies, policy, signers);
  }

  private deserialize(serialized: Buffer): MspIdentity {
    try {
      return this.identities.deserialize(serialized);
    } catch {
      throw new FabricError(
        status.UNKNOWN,
        `access denied: channel [${this.id}] creator org unknown, creator is malformed`,
      );
    }
  }
}

function refuse(reason: string | undefined): void {
  if (reason !== undefined) throw new FabricError(status.PERMISSION_DENIED, reason);
}

function mspsOf(group: common.ConfigGroup | undefined): Map<string, Msp> {
  const found = new Map<string, Msp>();
  group?.getGroupsMap().forEach((organisation, name) => {
    const value = valueOf(organisation, 'MSP');
    if (value === undefined) throw new Error(`organisation ${name} of the channel has no MSP`);
    const config = msp.MSPConfig.deserializeBinary(value).getConfig_asU8();
    found.set(name, new Msp(msp.FabricMSPConfig.deserializeBinary(config)));
  });
  return found;
}

function capabilitiesOf(group: common.ConfigGroup | undefined): string[] {
  const names: string[] = [];
  const value = valueOf(group, 'Capabilities');
  if (value === undefined) return names;
  common.Capabilities.deserializeBinary(value)
    .getCapabilitiesMap()
    .forEach((_capability, name) => names.push(name));
  return names;
}

function valueOf(group: common.ConfigGroup | undefined, name: string): Uint8Array | undefined {
  return group?.getValuesMap().get(name)?.getValue_asU8();
}
