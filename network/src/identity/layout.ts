import { join } from 'node:path';

/** Where everything lies in the state folder. Folders of one member hold what that member alone may read. */
export const layout = {
  /** Topology and material as processes of the network read them. */
  network: (stateDir: string) => join(stateDir, 'network.json'),
  /** In the folder of one member alone: which. */
  exported: (stateDir: string) => join(stateDir, 'member.json'),
  /** Digests of the proposed changes that were countersigned from here. */
  countersigned: (stateDir: string) => join(stateDir, 'countersigned.json'),
  endpoints: (stateDir: string) => join(stateDir, 'endpoints.json'),
  genesis: (stateDir: string) => join(stateDir, 'channel', 'genesis.block'),
  definition: (stateDir: string) => join(stateDir, 'channel', 'definition.json'),
  /** Chaincode processes that an upgrade brings while the network runs. */
  successors: (stateDir: string) => join(stateDir, 'channel', 'successors.json'),
  member: (stateDir: string, member: string) => join(stateDir, 'members', member),
  orderers: (stateDir: string) => join(stateDir, 'orderers'),
  orderer: (stateDir: string, member: string) => join(stateDir, 'orderers', member),
  /** Blocks and votes of an orderer, in its folder. */
  ordererLog: (dir: string) => join(dir, 'ledger'),
  /** TLS of one chaincode process that serves all members, under a CA of its own. */
  sharedChaincode: (stateDir: string) => join(stateDir, 'chaincode'),
  /** Embedded ledger: the public store. */
  ledger: (stateDir: string) => join(stateDir, 'ledger'),
  authority: (dir: string) => ({ cert: join(dir, 'ca', 'cert.pem'), key: join(dir, 'ca', 'key.pem') }),
  tlsAuthority: (dir: string) => ({ cert: join(dir, 'tlsca', 'cert.pem'), key: join(dir, 'tlsca', 'key.pem') }),
  /** Of an organisation: what it revoked by serial number, what it is about to by name, and the lists in force. */
  revoked: (dir: string) => join(dir, 'ca', 'revoked'),
  revoking: (dir: string) => join(dir, 'ca', 'revoked', 'pending'),
  revocationLists: (dir: string) => join(dir, 'ca', 'revoked', 'lists'),
  /** TLS certificate and key with which a member calls its Fabric CA server. */
  fabricCaClient: (dir: string) => ({
    cert: join(dir, 'fabric-ca', 'client.pem'),
    key: join(dir, 'fabric-ca', 'client.key'),
  }),
  /** Of an organisation whose identities a Fabric CA issues: its root, the registrar's own certificate and key. */
  fabricCa: (dir: string) => ({
    root: join(dir, 'fabric-ca', 'root.pem'),
    cert: join(dir, 'fabric-ca', 'registrar.pem'),
    key: join(dir, 'fabric-ca', 'registrar.key'),
  }),
  /** Home of a member's Fabric CA server where the native network starts it, and its registrar's credentials. */
  fabricCaServer: (dir: string) => join(dir, 'fabric-ca', 'server'),
  fabricCaRegistrar: (dir: string) => join(dir, 'fabric-ca', 'server', 'registrar.json'),
  msp: (dir: string) => join(dir, 'msp'),
  admin: (dir: string) => join(dir, 'admin'),
  peer: (dir: string, peer: string) => join(dir, 'peers', peer),
  gateway: (dir: string, gateway: string) => join(dir, 'gateways', gateway),
  chaincode: (dir: string) => join(dir, 'chaincode'),
  data: (dir: string) => join(dir, 'data'),
  memberLedger: (dir: string) => join(dir, 'ledger'),
  /** Certificates a peer, orderer or chaincode server of this member takes TLS clients from. */
  clientRoots: (dir: string) => join(dir, 'roots', 'clients.pem'),
  /** Certificates this member's door takes the other members' gateways from. */
  doorRoots: (dir: string) => join(dir, 'roots', 'doors.pem'),
} as const;

/** Where the TLS folder lies that is to take the place of this one, once the channel knows its certificate. */
export function nextTls(dir: string): string {
  return join(dir, 'next');
}

/** Files of a certificate and its private key. */
export interface KeyFiles {
  readonly cert: string;
  readonly key: string;
}

/** Files of a gateway's door, and of the key with which it signs what other members check (private JWK). */
export function gatewayFiles(dir: string): KeyFiles & { readonly jwk: string } {
  return { cert: join(dir, 'door.pem'), key: join(dir, 'door.key'), jwk: join(dir, 'jwk.json') };
}

/** Files of a local MSP folder in Fabric's layout. */
export function mspFiles(mspDir: string): KeyFiles {
  return { cert: join(mspDir, 'signcerts', 'cert.pem'), key: join(mspDir, 'keystore', 'key.pem') };
}

/** Files of the roots in an MSP folder. */
export function mspRoots(mspDir: string): { readonly ca: string; readonly tlsCa: string } {
  return { ca: join(mspDir, 'cacerts', 'ca.pem'), tlsCa: join(mspDir, 'tlscacerts', 'tlsca.pem') };
}

/** Folder of the revocation lists in an MSP folder. */
export function mspRevocations(mspDir: string): string {
  return join(mspDir, 'crls');
}

/** Files of a TLS folder in the layout Fabric's tools use; `ca` is the root the certificate was issued under. */
export function tlsFiles(dir: string): KeyFiles & { readonly ca: string } {
  return { cert: join(dir, 'server.crt'), key: join(dir, 'server.key'), ca: join(dir, 'ca.crt') };
}
