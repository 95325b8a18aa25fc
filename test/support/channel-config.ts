import { common, msp } from '@hyperledger/fabric-protos';
import { ConfiguredChannel } from '@salus/network/embedded/channel/channel';
import type { Authority } from '@salus/network/identity/authority';

const { MSPRoleType } = msp.MSPRole;
const { Classification } = msp.MSPPrincipal;
const { PolicyType } = common.Policy;

/** A rule of a signature policy: the index of a principal, or n of further rules. */
export type Rule = number | { readonly n: number; readonly of: readonly Rule[] };

/** An organisation of a channel that a test makes by hand. */
export interface TestOrganisation {
  readonly mspId: string;
  readonly authority: Authority;
  readonly revocations?: readonly Buffer[];
  readonly policies?: Readonly<Record<string, common.Policy>>;
}

/** A channel with these application organisations and policies of its Application group. */
export function testChannel(
  organisations: readonly TestOrganisation[],
  policies: Readonly<Record<string, common.Policy>> = {},
): ConfiguredChannel {
  const application = new common.ConfigGroup();
  setPolicies(application, policies);
  for (const organisation of organisations) {
    const group = new common.ConfigGroup();
    setPolicies(group, organisation.policies ?? {});
    const value = new common.ConfigValue();
    value.setValue(mspConfig(organisation).serializeBinary());
    group.getValuesMap().set('MSP', value);
    application.getGroupsMap().set(organisation.mspId, group);
  }
  const root = new common.ConfigGroup();
  root.getGroupsMap().set('Application', application);
  return new ConfiguredChannel({ channelId: 'test', block: 0, root });
}

/** The principal "a `role` of the MSP". */
export function rolePrincipal(mspId: string, role: keyof typeof MSPRoleType): msp.MSPPrincipal {
  const wanted = new msp.MSPRole();
  wanted.setMspIdentifier(mspId);
  wanted.setRole(MSPRoleType[role]);
  return principal(Classification.ROLE, wanted.serializeBinary());
}

/** The principal "an identity of the MSP with this organizational unit, issued by these authorities". */
export function unitPrincipal(mspId: string, unit: string, certifiers: Uint8Array): msp.MSPPrincipal {
  const wanted = new msp.OrganizationUnit();
  wanted.setMspIdentifier(mspId);
  wanted.setOrganizationalUnitIdentifier(unit);
  wanted.setCertifiersIdentifier(certifiers);
  return principal(Classification.ORGANIZATION_UNIT, wanted.serializeBinary());
}

/** The principal "exactly this identity". */
export function identityPrincipal(serialized: Uint8Array): msp.MSPPrincipal {
  return principal(Classification.IDENTITY, serialized);
}

/** A common.SignaturePolicyEnvelope. */
export function signaturePolicy(rule: Rule, principals: readonly msp.MSPPrincipal[]): common.SignaturePolicyEnvelope {
  const envelope = new common.SignaturePolicyEnvelope();
  envelope.setRule(ruleMessage(rule));
  envelope.setIdentitiesList([...principals]);
  return envelope;
}

/** A signature policy as a channel's configuration holds it. */
export function signedBy(...principals: msp.MSPPrincipal[]): common.Policy {
  const policy = new common.Policy();
  policy.setType(PolicyType.SIGNATURE);
  policy.setValue(signaturePolicy({ n: 1, of: principals.map((_, index) => index) }, principals).serializeBinary());
  return policy;
}

/** An implicit policy over the organisations' policies of a name. */
export function implicit(rule: keyof typeof common.ImplicitMetaPolicy.Rule, subPolicy: string): common.Policy {
  const meta = new common.ImplicitMetaPolicy();
  meta.setRule(common.ImplicitMetaPolicy.Rule[rule]);
  meta.setSubPolicy(subPolicy);
  const policy = new common.Policy();
  policy.setType(PolicyType.IMPLICIT_META);
  policy.setValue(meta.serializeBinary());
  return policy;
}

function principal(
  classification: msp.MSPPrincipal.ClassificationMap[keyof msp.MSPPrincipal.ClassificationMap],
  bytes: Uint8Array,
): msp.MSPPrincipal {
  const made = new msp.MSPPrincipal();
  made.setPrincipalClassification(classification);
  made.setPrincipal(bytes);
  return made;
}

function ruleMessage(rule: Rule): common.SignaturePolicy {
  const made = new common.SignaturePolicy();
  if (typeof rule === 'number') {
    made.setSignedBy(rule);
    return made;
  }
  const gate = new common.SignaturePolicy.NOutOf();
  gate.setN(rule.n);
  gate.setRulesList(rule.of.map(ruleMessage));
  made.setNOutOf(gate);
  return made;
}

function setPolicies(group: common.ConfigGroup, policies: Readonly<Record<string, common.Policy>>): void {
  for (const [name, policy] of Object.entries(policies)) {
    const entry = new common.ConfigPolicy();
    entry.setPolicy(policy);
    group.getPoliciesMap().set(name, entry);
  }
}

function mspConfig({ mspId, authority, revocations = [] }: TestOrganisation): msp.MSPConfig {
  const root = Buffer.from(authority.certificate);
  const unit = (name: string): msp.FabricOUIdentifier => {
    const made = new msp.FabricOUIdentifier();
    made.setCertificate(root);
    made.setOrganizationalUnitIdentifier(name);
    return made;
  };
  const units = new msp.FabricNodeOUs();
  units.setEnable(true);
  units.setClientOuIdentifier(unit('client'));
  units.setPeerOuIdentifier(unit('peer'));
  units.setAdminOuIdentifier(unit('admin'));
  units.setOrdererOuIdentifier(unit('orderer'));
  const config = new msp.FabricMSPConfig();
  config.setName(mspId);
  config.setRootCertsList([root]);
  config.setRevocationListList([...revocations]);
  config.setFabricNodeOus(units);
  const wrapped = new msp.MSPConfig();
  wrapped.setConfig(config.serializeBinary());
  return wrapped;
}
