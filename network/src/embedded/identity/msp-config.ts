import type { msp } from '@hyperledger/fabric-protos';
import { Certificate } from './certificate.js';
import { RevocationList } from './revocation.js';

/** Roles that NodeOUs tell apart. */
export type NodeRole = 'client' | 'peer' | 'admin' | 'orderer';

/** An organizational unit and, unless empty, the chain of CAs that must have issued the certificate. */
export interface OrganizationalUnit {
  readonly name: string;
  readonly certificate: Certificate | undefined;
}

/** What msp.FabricMSPConfig says, parsed. */
export interface MspSettings {
  readonly name: string;
  readonly roots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly admins: readonly Certificate[];
  readonly revocations: readonly RevocationList[];
  readonly units: readonly OrganizationalUnit[];
  /** Undefined when NodeOUs are off. */
  readonly nodeUnits: ReadonlyMap<NodeRole, OrganizationalUnit> | undefined;
}

/** Reads an MSP's configuration as a channel carries it; throws when a certificate in it is none. */
export function parseMspSettings(config: msp.FabricMSPConfig): MspSettings {
  const certificates = (list: Uint8Array[]): Certificate[] => list.map((pem) => Certificate.parse(Buffer.from(pem)));
  return {
    name: config.getName(),
    roots: certificates(config.getRootCertsList_asU8()),
    intermediates: certificates(config.getIntermediateCertsList_asU8()),
    admins: certificates(config.getAdminsList_asU8()),
    revocations: config.getRevocationListList_asU8().map((list) => new RevocationList(Buffer.from(list))),
    units: config.getOrganizationalUnitIdentifiersList().map(parseUnit),
    nodeUnits: parseNodeUnits(config.getFabricNodeOus()),
  };
}

function parseNodeUnits(config: msp.FabricNodeOUs | undefined): ReadonlyMap<NodeRole, OrganizationalUnit> | undefined {
  if (config?.getEnable() !== true) return undefined;
  const found: [NodeRole, msp.FabricOUIdentifier | undefined][] = [
    ['client', config.getClientOuIdentifier()],
    ['peer', config.getPeerOuIdentifier()],
    ['admin', config.getAdminOuIdentifier()],
    ['orderer', config.getOrdererOuIdentifier()],
  ];
  const units = new Map<NodeRole, OrganizationalUnit>();
  for (const [role, unit] of found) if (unit !== undefined) units.set(role, parseUnit(unit));
  return units;
}

function parseUnit(unit: msp.FabricOUIdentifier): OrganizationalUnit {
  const pem = Buffer.from(unit.getCertificate_asU8());
  return {
    name: unit.getOrganizationalUnitIdentifier(),
    certificate: pem.length > 0 ? Certificate.parse(pem) : undefined,
  };
}
