/** What a consortium is made of. Everything here is read or derived from the topology file. */

/** What a member does in the consortium; collections and permissions are granted by these. */
export const MEMBER_ROLES = [
  'hospital',
  'pharmacy',
  'manufacturer',
  'sponsor',
  'wholesaler',
  'payer',
  'regulator',
  'witness',
  'cro',
] as const;
/** One of the roles of members. */
export type MemberRole = (typeof MEMBER_ROLES)[number];

/** Rules over one vote per member, as Fabric's implicit meta policies know them. */
export const MEMBER_RULES = ['ANY', 'ALL', 'MAJORITY'] as const;
/** One of the rules over members' votes. */
export type MemberRule = (typeof MEMBER_RULES)[number];

/** First port of each kind of node. */
export interface PortPlan {
  readonly gateways: number;
  readonly doors: number;
  readonly peers: number;
  readonly orderers: number;
  readonly chaincode: number;
  readonly operations: number;
  /** Fabric CA servers that the native network starts. */
  readonly authorities: number;
}
/** The keys of a PortPlan, as the topology file may set them. */
export const PORT_KINDS = ['gateways', 'doors', 'peers', 'orderers', 'chaincode', 'operations', 'authorities'] as const;

/** A peer: where it listens and is reached. */
export interface PeerNode {
  /** peer0, peer1 ... within the member. */
  readonly name: string;
  readonly host: string;
  /** Address it binds to; others reach it under `host`. */
  readonly listenHost: string;
  readonly port: number;
  readonly operationsPort: number;
  /** Engine fabric: where the chaincode process may call back; unused by chaincode as a service. */
  readonly chaincodeListenPort: number;
}

/** A gateway: where it listens, and where people and other gateways reach it. */
export interface GatewayNode {
  /** gateway0, gateway1 ... within the member. */
  readonly name: string;
  /** Under which other gateways reach its door. */
  readonly host: string;
  /** Address its door binds to. */
  readonly listenHost: string;
  /** Address it binds to for people and programs, in plain HTTP: a proxy with TLS stands before any that is not loopback. */
  readonly httpHost: string;
  /** Under which people and programs reach it: scheme, host and port, and no path. */
  readonly publicUrl: string;
  readonly port: number;
  readonly doorPort: number;
}

/** A member's orderer: where it listens and is administered. */
export interface OrdererNode {
  /** `<Member>OrdererMSP`: an MSP and CA of its own. */
  readonly mspId: string;
  readonly host: string;
  readonly listenHost: string;
  readonly port: number;
  /** Channel participation API. */
  readonly adminPort: number;
  readonly operationsPort: number;
}

/** Files of the TLS certificate that a caller shows, and of its key. */
export interface TlsClientFiles {
  readonly cert: string;
  readonly key: string;
}

/** A Fabric CA server that issues a member's identities in place of the built-in authority. */
export interface FabricCaServer {
  /** https://host:port */
  readonly url: string;
  /** Name of the member's authority on it; empty = the server's default one. */
  readonly name: string;
  /** Name of the authority of the member's orderer; absent: the built-in one issues its identities. */
  readonly ordererName?: string;
  /**
   * On the member's machine: root of the server's TLS certificate, and the registrar's credentials; certificate and key that a
   * server is shown which asks for one, where it takes none under the member's own TLS root.
   */
  readonly files?: { readonly tlsRoot: string; readonly registrar: string; readonly client?: TlsClientFiles };
  /** Where it listens when the native network starts it; it then has no files of its own. */
  readonly listens?: { readonly host: string; readonly port: number };
}

/** What a member is called in the supply chain (GS1 General Specifications). */
export interface Gs1 {
  /** GS1 company prefixes, 6 to 12 digits. */
  readonly companyPrefixes: readonly string[];
  /** PGLN as an EPC pure identity URI. */
  readonly party?: string;
  /** SGLNs as EPC pure identity URIs. */
  readonly premises: readonly string[];
}

/** One member and all that it runs. */
export interface Member {
  readonly name: string;
  /** Position in the file: ports and ticking follow it. */
  readonly index: number;
  readonly mspId: string;
  readonly title: string;
  readonly roles: readonly MemberRole[];
  readonly gs1: Gs1;
  readonly host: string;
  readonly peers: readonly PeerNode[];
  readonly gateways: readonly GatewayNode[];
  readonly orderer?: OrdererNode;
  /** Absent: the built-in authority issues the member's identities. */
  readonly fabricCa?: FabricCaServer | undefined;
  /** Where this member's own chaincode process listens. */
  readonly chaincodeHost: string;
  readonly chaincodePort: number;
}

/** The chaincode's definition, as members approve it. */
export interface ChaincodeSpec {
  readonly name: string;
  readonly version: string;
  /** Sequence of the definition, from 1. */
  readonly sequence: number;
  readonly endorsement: MemberRule;
  readonly lifecycle: MemberRule;
}

/** A topology file, parsed, checked and completed with what is derived. */
export interface Topology {
  readonly file: string;
  readonly channel: string;
  readonly production: boolean;
  readonly chaincode: ChaincodeSpec;
  readonly ports: PortPlan;
  /** Where one chaincode process that serves all members listens. */
  readonly sharedChaincodePort: number;
  readonly members: readonly Member[];
  /** Names of members that left: the ledger keeps what was theirs. */
  readonly former: readonly string[];
}

/** The member of that name; throws when the topology has none. */
export function memberOf(topology: Topology, name: string): Member {
  const member = topology.members.find((each) => each.name === name);
  if (!member) {
    const names = topology.members.map((each) => each.name).join(', ');
    throw new Error(`no member is named ${name}; ${topology.file} has ${names}`);
  }
  return member;
}

/** Members that hold one of the roles, in the order of the file. */
export function membersWithRole(topology: Topology, roles: readonly string[]): Member[] {
  return topology.members.filter((member) => member.roles.some((role) => roles.includes(role)));
}

/** Members that run an orderer, with that orderer. */
export function ordererMembers(topology: Topology): (Member & { readonly orderer: OrdererNode })[] {
  return topology.members.filter((member): member is Member & { readonly orderer: OrdererNode } => 'orderer' in member);
}

/** The same consortium with nothing but built-in authorities. */
export function withBuiltInAuthorities(topology: Topology): Topology {
  return { ...topology, members: topology.members.map((member) => ({ ...member, fabricCa: undefined })) };
}
