import { common } from '@hyperledger/fabric-protos';
import type { MemberRule } from '../topology/model.js';

/** The tree a channel configuration is made of (common.ConfigGroup). Everything in it is changed by `Admins`. */

const CHANGED_BY = 'Admins';
const { PolicyType } = common.Policy;

/** A message that knows its bytes, as the generated classes do. */
export interface Serializable {
  serializeBinary(): Uint8Array;
}

/** What a configuration group holds, by name; each value is serialized as it stands. */
export interface GroupParts {
  readonly values?: Readonly<Record<string, Serializable>>;
  readonly policies: Readonly<Record<string, common.Policy>>;
  readonly groups?: Readonly<Record<string, common.ConfigGroup>>;
}

/** A configuration group (common.ConfigGroup) that its own `Admins` policy may change. */
export function configGroup(parts: GroupParts): common.ConfigGroup {
  const group = new common.ConfigGroup();
  group.setModPolicy(CHANGED_BY);
  for (const [name, value] of Object.entries(parts.values ?? {})) group.getValuesMap().set(name, configValue(value));
  for (const [name, policy] of Object.entries(parts.policies)) group.getPoliciesMap().set(name, configPolicy(policy));
  for (const [name, child] of Object.entries(parts.groups ?? {})) group.getGroupsMap().set(name, child);
  return group;
}

/** So many of the groups below must satisfy their policy of that name. */
export function fromBelow(rule: MemberRule, subPolicy: string): common.Policy {
  const meta = new common.ImplicitMetaPolicy();
  meta.setRule(common.ImplicitMetaPolicy.Rule[rule]);
  meta.setSubPolicy(subPolicy);
  return policy(PolicyType.IMPLICIT_META, meta);
}

/** A policy that asks for signatures (common.Policy of type SIGNATURE). */
export function signedBy(envelope: common.SignaturePolicyEnvelope): common.Policy {
  return policy(PolicyType.SIGNATURE, envelope);
}

function policy(type: number, value: Serializable): common.Policy {
  const made = new common.Policy();
  made.setType(type);
  made.setValue(value.serializeBinary());
  return made;
}

function configValue(value: Serializable): common.ConfigValue {
  const made = new common.ConfigValue();
  made.setValue(value.serializeBinary());
  made.setModPolicy(CHANGED_BY);
  return made;
}

function configPolicy(value: common.Policy): common.ConfigPolicy {
  const made = new common.ConfigPolicy();
  made.setPolicy(value);
  made.setModPolicy(CHANGED_BY);
  return made;
}
