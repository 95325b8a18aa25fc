import { createHash, X509Certificate } from 'node:crypto';
import { common, msp } from '@hyperledger/fabric-protos';
import type { Organisation } from '../identity/material.js';
import { GATEWAY_UNIT } from '../identity/node-units.js';

/** Policies that name principals (common.SignaturePolicyEnvelope). */

const { MSPRoleType } = msp.MSPRole;
const { Classification } = msp.MSPPrincipal;

/** A role of an MSP's principals, as Fabric names it: `MEMBER`, `PEER` and the like. */
export type Role = keyof typeof MSPRoleType;

/** Whoever holds the role in the organisation. */
export function rolePrincipal(mspId: string, role: Role): msp.MSPPrincipal {
  const principal = new msp.MSPRole();
  principal.setMspIdentifier(mspId);
  principal.setRole(MSPRoleType[role]);
  return wrap(Classification.ROLE, principal.serializeBinary());
}

/**
 * The organisation's gateways: certificates with the unit `gateway`. The certifier is named by the SHA-256 of its
 * certificate in low-S form, which is how our authorities issue it.
 */
function gatewayPrincipal({ mspId, ca }: Organisation): msp.MSPPrincipal {
  const unit = new msp.OrganizationUnit();
  unit.setMspIdentifier(mspId);
  unit.setOrganizationalUnitIdentifier(GATEWAY_UNIT);
  unit.setCertifiersIdentifier(createHash('sha256').update(new X509Certificate(ca).raw).digest());
  return wrap(Classification.ORGANIZATION_UNIT, unit.serializeBinary());
}

/** Who may hold a member's private values and read whole blocks: its peers and its gateways. */
export function nodePrincipals(organisations: readonly Organisation[]): msp.MSPPrincipal[] {
  return [...organisations.map(({ mspId }) => rolePrincipal(mspId, 'PEER')), ...organisations.map(gatewayPrincipal)];
}

/** N of the principals must sign. */
export function outOf(n: number, principals: readonly msp.MSPPrincipal[]): common.SignaturePolicyEnvelope {
  if (n < 1 || n > principals.length) throw new Error(`a policy of ${n} out of ${principals.length} principals`);
  const rules = principals.map((_, index) => {
    const rule = new common.SignaturePolicy();
    rule.setSignedBy(index);
    return rule;
  });
  const choice = new common.SignaturePolicy.NOutOf();
  choice.setN(n);
  choice.setRulesList(rules);
  const rule = new common.SignaturePolicy();
  rule.setNOutOf(choice);
  const envelope = new common.SignaturePolicyEnvelope();
  envelope.setRule(rule);
  envelope.setIdentitiesList([...principals]);
  return envelope;
}

/** One of the principals must sign. */
export function anyOf(principals: readonly msp.MSPPrincipal[]): common.SignaturePolicyEnvelope {
  return outOf(1, principals);
}

function wrap(classification: 0 | 1, principal: Uint8Array): msp.MSPPrincipal {
  const wrapped = new msp.MSPPrincipal();
  wrapped.setPrincipalClassification(classification);
  wrapped.setPrincipal(principal);
  return wrapped;
}
