import { msp } from '@hyperledger/fabric-protos';
import type { NodeRole } from './msp-config.js';
import type { MspIdentity } from './msp.js';

const { Classification } = msp.MSPPrincipal;
const { MSPRoleType } = msp.MSPRole;

/** A principal of a policy, parsed: whether an identity satisfies it. */
export type Principal = (identity: MspIdentity) => boolean;

/** Parses a principal of class role, organizational unit or identity; one of another class is satisfied by nobody. */
export function parsePrincipal(principal: msp.MSPPrincipal): Principal {
  const bytes = principal.getPrincipal_asU8();
  switch (principal.getPrincipalClassification()) {
    case Classification.ROLE:
      return role(msp.MSPRole.deserializeBinary(bytes));
    case Classification.ORGANIZATION_UNIT:
      return organizationalUnit(msp.OrganizationUnit.deserializeBinary(bytes));
    case Classification.IDENTITY:
      return sameIdentity(msp.SerializedIdentity.deserializeBinary(bytes));
    default:
      return () => false;
  }
}

/** The MSP a principal speaks of, or undefined when it names none. */
export function mspOfPrincipal(principal: msp.MSPPrincipal): string | undefined {
  const bytes = principal.getPrincipal_asU8();
  switch (principal.getPrincipalClassification()) {
    case Classification.ROLE:
      return msp.MSPRole.deserializeBinary(bytes).getMspIdentifier();
    case Classification.ORGANIZATION_UNIT:
      return msp.OrganizationUnit.deserializeBinary(bytes).getMspIdentifier();
    case Classification.IDENTITY:
      return msp.SerializedIdentity.deserializeBinary(bytes).getMspid();
    default:
      return undefined;
  }
}

function role(wanted: msp.MSPRole): Principal {
  const mspId = wanted.getMspIdentifier();
  const satisfied = satisfiesRole(wanted.getRole());
  return (identity) => identity.mspId === mspId && satisfied(identity);
}

function satisfiesRole(type: number): Principal {
  switch (type) {
    case MSPRoleType.MEMBER:
      return isValid;
    case MSPRoleType.ADMIN:
      return (identity) => identity.msp.isNamedAdmin(identity.certificate) || hasRole(identity, 'admin');
    case MSPRoleType.CLIENT:
      return (identity) => hasRole(identity, 'client');
    case MSPRoleType.PEER:
      return (identity) => hasRole(identity, 'peer');
    case MSPRoleType.ORDERER:
      return (identity) => hasRole(identity, 'orderer');
    default:
      return () => false;
  }
}

function organizationalUnit(wanted: msp.OrganizationUnit): Principal {
  const mspId = wanted.getMspIdentifier();
  const name = wanted.getOrganizationalUnitIdentifier();
  const certifiers = Buffer.from(wanted.getCertifiersIdentifier_asU8());
  return (identity) =>
    identity.mspId === mspId &&
    isValid(identity) &&
    identity.certificate.units.includes(name) &&
    identity.msp.certifiersOf(identity.certificate).equals(certifiers);
}

function sameIdentity(wanted: msp.SerializedIdentity): Principal {
  const mspId = wanted.getMspid();
  const pem = Buffer.from(wanted.getIdBytes_asU8());
  return (identity) => {
    if (identity.mspId !== mspId || !isValid(identity)) return false;
    try {
      return identity.msp.deserialize(Buffer.alloc(0), pem).key === identity.key;
    } catch {
      return false;
    }
  };
}

function isValid(identity: MspIdentity): boolean {
  return identity.msp.fault(identity.certificate) === undefined;
}

function hasRole(identity: MspIdentity, wanted: NodeRole): boolean {
  return isValid(identity) && identity.msp.hasRole(identity.certificate, wanted);
}
