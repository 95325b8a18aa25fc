import { common } from '@hyperledger/fabric-protos';
import { compileSignaturePolicy, type Policy } from './signature-policy.js';

const { Rule } = common.ImplicitMetaPolicy;
const { PolicyType } = common.Policy;
const REJECTED = 'signature set did not satisfy policy';

/** The policies of a channel's configuration by path, such as /Channel/Application/Writers. */
export class ChannelPolicies {
  private readonly policies = new Map<string, Policy>();
  private readonly sources = new Map<string, common.Policy>();
  private readonly groups = new Map<string, readonly string[]>();

  constructor(root: common.ConfigGroup) {
    this.collect('/Channel', root);
    for (const [path, policy] of this.sources) this.policies.set(path, this.compile(path, policy));
  }

  get(path: string): Policy | undefined {
    return this.policies.get(path);
  }

  /**
   * The policy as one common.SignaturePolicyEnvelope with implicit ones resolved to "n of" their parts, or undefined
   * when there is none of that name.
   */
  asSignaturePolicy(path: string): common.SignaturePolicyEnvelope | undefined {
    const policy = this.sources.get(path);
    if (policy === undefined) return undefined;
    const value = policy.getValue_asU8();
    if (policy.getType() !== PolicyType.IMPLICIT_META) return common.SignaturePolicyEnvelope.deserializeBinary(value);
    const meta = common.ImplicitMetaPolicy.deserializeBinary(value);
    const parts = this.childPaths(path, meta.getSubPolicy()).flatMap((child) => this.asSignaturePolicy(child) ?? []);
    return nOutOf(threshold(meta.getRule(), this.childPaths(path, meta.getSubPolicy()).length), parts);
  }

  private collect(path: string, group: common.ConfigGroup): void {
    group.getPoliciesMap().forEach((entry, name) => {
      const policy = entry.getPolicy();
      if (policy !== undefined) this.sources.set(`${path}/${name}`, policy);
    });
    const children: string[] = [];
    group.getGroupsMap().forEach((child, name) => {
      children.push(`${path}/${name}`);
      this.collect(`${path}/${name}`, child);
    });
    this.groups.set(path, children);
  }

  private compile(path: string, policy: common.Policy): Policy {
    switch (policy.getType()) {
      case PolicyType.SIGNATURE:
        return compileSignaturePolicy(common.SignaturePolicyEnvelope.deserializeBinary(policy.getValue_asU8()));
      case PolicyType.IMPLICIT_META:
        return this.implicit(path, common.ImplicitMetaPolicy.deserializeBinary(policy.getValue_asU8()));
      default:
        throw new Error(`Unknown policy type: ${policy.getType()}`);
    }
  }

  private implicit(path: string, meta: common.ImplicitMetaPolicy): Policy {
    const name = meta.getSubPolicy();
    const children = this.childPaths(path, name);
    const needed = threshold(meta.getRule(), children.length);
    return (signers) => {
      let satisfied = 0;
      for (const child of children) {
        if (satisfied === needed) break;
        if ((this.policies.get(child) ?? reject)(signers) === undefined) satisfied += 1;
      }
      if (satisfied >= needed) return undefined;
      return (
        `implicit policy evaluation failed - ${satisfied} sub-policies were satisfied, ` +
        `but this policy requires ${needed} of the '${name}' sub-policies to be satisfied`
      );
    };
  }

  private childPaths(policyPath: string, name: string): string[] {
    const group = policyPath.slice(0, policyPath.lastIndexOf('/'));
    return (this.groups.get(group) ?? []).map((child) => `${child}/${name}`);
  }
}

const reject: Policy = () => REJECTED;

function threshold(rule: number, parts: number): number {
  if (parts === 0) return 0;
  if (rule === Rule.ANY) return 1;
  return rule === Rule.ALL ? parts : Math.floor(parts / 2) + 1;
}

/** Joins policies under "n of", each with its principals moved behind those before it. */
function nOutOf(n: number, parts: readonly common.SignaturePolicyEnvelope[]): common.SignaturePolicyEnvelope {
  const joined = new common.SignaturePolicyEnvelope();
  const gate = new common.SignaturePolicy.NOutOf();
  gate.setN(n);
  for (const part of parts) {
    const offset = joined.getIdentitiesList().length;
    part.getIdentitiesList().forEach((principal) => joined.addIdentities(principal));
    const rule = part.getRule();
    if (rule !== undefined) gate.addRules(shifted(rule, offset));
  }
  const rule = new common.SignaturePolicy();
  rule.setNOutOf(gate);
  joined.setRule(rule);
  return joined;
}

function shifted(rule: common.SignaturePolicy, offset: number): common.SignaturePolicy {
  const moved = new common.SignaturePolicy();
  const inner = rule.getNOutOf();
  if (inner === undefined) {
    moved.setSignedBy(rule.getSignedBy() + offset);
    return moved;
  }
  const gate = new common.SignaturePolicy.NOutOf();
  gate.setN(inner.getN());
  gate.setRulesList(inner.getRulesList().map((part) => shifted(part, offset)));
  moved.setNOutOf(gate);
  return moved;
}
