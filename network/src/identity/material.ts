import { join } from 'node:path';
import type { PublicJwk } from '../settings.js';
import type { GatewayNode, Member, OrdererNode, Topology } from '../topology/model.js';
import type { IdentityIssuer } from './authority.js';
import { memberAccess, ordererAccess } from './fabric-ca/access.js';
import { FabricCa, type FabricCaAccess } from './fabric-ca/fabric-ca.js';
import {
  type Authorities,
  ensureAuthority,
  ensureIdentity,
  ensureIssued,
  ensureIssuedIdentity,
  ensureTls,
  writeMsp,
} from './issue.js';
import { writePublic } from './files.js';
import { ensureGatewayKey } from './gateway-key.js';
import { gatewayFiles, layout, nextTls } from './layout.js';
import { finishReplacement } from './replacement.js';
import { revocationLists } from './revoked.js';
import { GATEWAY_UNIT } from './node-units.js';

/** An organisation of the channel as its configuration names it: roots in PEM. */
export interface Organisation {
  readonly mspId: string;
  readonly ca: string;
  readonly tlsCa: string;
  /** Lists (PEM) of what it has revoked so far: one that leaves and comes back brings them along. Absent where there is none. */
  readonly revocations?: readonly string[];
}

/** Folders of one peer's identity and TLS. */
export interface PeerMaterial {
  readonly name: string;
  readonly mspDir: string;
  /** server.crt, server.key, ca.crt; serves as the peer's TLS client certificate too. */
  readonly tlsDir: string;
}

/** Folder of one gateway's keys, and the public key with which it signs. */
export interface GatewayMaterial {
  readonly name: string;
  readonly dir: string;
  readonly jwk: PublicJwk;
}

/** Folders of a member's orderer, an organisation of its own. */
export interface OrdererMaterial extends Organisation {
  readonly dir: string;
  readonly mspDir: string;
  readonly tlsDir: string;
  readonly adminMspDir: string;
  readonly clientRoots: string;
}

/** Folders of all that a member holds. */
export interface MemberMaterial extends Organisation {
  readonly name: string;
  readonly dir: string;
  readonly peers: readonly PeerMaterial[];
  readonly gateways: readonly GatewayMaterial[];
  readonly adminMspDir: string;
  /** TLS of this member's own chaincode process. */
  readonly chaincodeTlsDir: string;
  /** File of the certificates from which TLS clients are taken: all members' roots for TLS and for identities. */
  readonly clientRoots: string;
  readonly orderer?: OrdererMaterial;
}

/** Everybody's certificates, by file; keys are never in memory longer than it takes to write them. */
export interface Material {
  readonly stateDir: string;
  /** In the order of the topology. */
  readonly members: readonly MemberMaterial[];
  /** TLS of one chaincode process that serves all members, and of the peers that call it (client.crt, client.key). */
  readonly sharedChaincodeTlsDir: string;
}

/** Names under which a node on this machine or in a container network is reached. */
function hostsOf(host: string, ...names: string[]): string[] {
  return [...new Set([host, '127.0.0.1', 'localhost', ...names])];
}

/** Makes what is missing of every member's keys and certificates, and anew what ends soon; all else is kept. */
export async function ensureMaterial(topology: Topology, stateDir: string): Promise<Material> {
  const material = await ensureKeys(topology, stateDir);
  writeRoots(material);
  return material;
}

/** The same for a topology that is not in force yet: nobody trusts the roots of whoever is new in it. */
export async function ensureKeys(topology: Topology, stateDir: string): Promise<Material> {
  const members: MemberMaterial[] = [];
  for (const member of topology.members) members.push(await ensureMember(member, stateDir));
  return { stateDir, members, sharedChaincodeTlsDir: await ensureSharedChaincode(stateDir) };
}

/** Makes what is missing of one member's keys and certificates, and renews what ends; nobody else's are made. */
export async function ensureMember(member: Member, stateDir: string): Promise<MemberMaterial> {
  const dir = layout.member(stateDir, member.name);
  const from = await ensureAuthorities(dir, member.name, memberAccess(member, dir));
  const { name } = member;
  writeMsp(layout.msp(dir), from);
  const adminMspDir = layout.msp(layout.admin(dir));
  await ensureIdentity(adminMspDir, from, { organisation: name, name: `admin.${name}` }, 'admin');
  const chaincodeTlsDir = layout.chaincode(dir);
  const chaincode = `chaincode.${name}`;
  await ensureTls(chaincodeTlsDir, from.tls, { organisation: name, name: chaincode }, hostsOf(member.host, chaincode));
  return {
    name,
    dir,
    mspId: member.mspId,
    ...roots(from),
    peers: await ensurePeers(member, dir, from),
    gateways: await ensureGateways(member, dir, from),
    adminMspDir,
    chaincodeTlsDir,
    clientRoots: layout.clientRoots(dir),
    ...(member.orderer && { orderer: await ensureOrderer(member, member.orderer, stateDir) }),
  };
}

/** An organisation's authorities; what it has none of is made. Without `access` it issues its identities itself. */
export async function ensureAuthorities(
  dir: string,
  organisation: string,
  access?: FabricCaAccess,
): Promise<Authorities> {
  return {
    organisation,
    identities: await issuerOf(dir, organisation, access),
    revoked: revocationLists(dir),
    tls: await ensureAuthority(layout.tlsAuthority(dir), { organisation, name: `tlsca.${organisation}` }),
  };
}

/** Who issues an organisation's identities: the Fabric CA at hand, or the built-in authority, made when there is none. */
export function issuerOf(dir: string, organisation: string, access?: FabricCaAccess): Promise<IdentityIssuer> {
  if (access) return FabricCa.open(access, dir);
  return ensureAuthority(layout.authority(dir), { organisation, name: `ca.${organisation}` });
}

async function ensurePeers(member: Member, dir: string, from: Authorities): Promise<PeerMaterial[]> {
  const peers: PeerMaterial[] = [];
  for (const peer of member.peers) {
    const home = layout.peer(dir, peer.name);
    const subject = { organisation: member.name, name: `${peer.name}.${member.name}` };
    const made = { name: peer.name, mspDir: layout.msp(home), tlsDir: join(home, 'tls') };
    await ensureIdentity(made.mspDir, from, subject, 'peer');
    await ensureTls(made.tlsDir, from.tls, subject, hostsOf(peer.host, subject.name));
    peers.push(made);
  }
  return peers;
}

async function ensureGateways(member: Member, dir: string, from: Authorities): Promise<GatewayMaterial[]> {
  const gateways: GatewayMaterial[] = [];
  for (const gateway of member.gateways) gateways.push(await ensureGateway(member, gateway, dir, from));
  return gateways;
}

async function ensureGateway(
  member: Member,
  gateway: GatewayNode,
  dir: string,
  from: Authorities,
): Promise<GatewayMaterial> {
  const home = layout.gateway(dir, gateway.name);
  const subject = { organisation: member.name, name: `${gateway.name}.${member.name}` };
  const files = { cert: join(home, 'cert.pem'), key: join(home, 'key.pem') };
  await ensureIssuedIdentity(files, from.identities, { ...subject, units: [GATEWAY_UNIT] }, 'client');
  const { jwk, ...door } = gatewayFiles(home);
  await ensureIssued(door, () => from.tls.tls(subject, hostsOf(gateway.host, subject.name)));
  return { name: gateway.name, dir: home, jwk: ensureGatewayKey(jwk) };
}

/** An orderer is an organisation of its own beside the member that runs it. */
async function ensureOrderer(member: Member, node: OrdererNode, stateDir: string): Promise<OrdererMaterial> {
  const dir = layout.orderer(stateDir, member.name);
  const organisation = `${member.name}-orderer`;
  const from = await ensureAuthorities(dir, organisation, ordererAccess(member, layout.member(stateDir, member.name)));
  const adminMspDir = layout.msp(layout.admin(dir));
  const subject = { organisation, name: `orderer.${member.name}` };
  const made = { dir, mspDir: layout.msp(join(dir, 'node')), tlsDir: join(dir, 'node', 'tls'), adminMspDir };
  writeMsp(layout.msp(dir), from);
  await ensureIdentity(adminMspDir, from, { organisation, name: `admin.${organisation}` }, 'admin');
  await ensureIdentity(made.mspDir, from, subject, 'orderer');
  finishReplacement(made.tlsDir);
  await ensureTls(made.tlsDir, from.tls, subject, hostsOf(node.host, subject.name), true);
  return { ...made, mspId: node.mspId, ...roots(from), clientRoots: layout.clientRoots(dir) };
}

/** Another key and TLS certificate for a member's orderer, beside those it has; kept when they are there already. */
export async function ensureNextTls(
  member: Member,
  node: OrdererNode,
  { dir, tlsDir }: OrdererMaterial,
): Promise<void> {
  const organisation = `${member.name}-orderer`;
  const tls = await ensureAuthority(layout.tlsAuthority(dir), { organisation, name: `tlsca.${organisation}` });
  const subject = { organisation, name: `orderer.${member.name}` };
  await ensureTls(nextTls(tlsDir), tls, subject, hostsOf(node.host, subject.name));
}

async function ensureSharedChaincode(stateDir: string): Promise<string> {
  const dir = layout.sharedChaincode(stateDir);
  const organisation = 'chaincode';
  const files = { cert: join(dir, 'ca', 'cert.pem'), key: join(dir, 'ca', 'key.pem') };
  const authority = await ensureAuthority(files, { organisation, name: 'ca.chaincode' });
  await ensureTls(dir, authority, { organisation, name: 'server.chaincode' }, hostsOf('127.0.0.1'));
  await ensureIssued({ cert: join(dir, 'client.crt'), key: join(dir, 'client.key') }, () =>
    authority.tls({ organisation, name: 'client.chaincode' }, hostsOf('127.0.0.1')),
  );
  return dir;
}

/** The material of all where the keys of one member alone are at hand: its own is seen to, of the others stays what is known. */
export async function ensureOwnMaterial(known: Material, member: Member, stateDir: string): Promise<Material> {
  const own = await ensureMember(member, stateDir);
  const members = known.members.map((each) => (each.name === own.name ? own : each));
  const material = { ...known, members };
  writeRoots(material, [own]);
  return material;
}

/** Everybody keeps a copy of everybody's roots, so that a member's folder is complete in itself. */
export function writeRoots({ members }: Material, keepers: readonly MemberMaterial[] = members): void {
  const withOrderers = (some: readonly MemberMaterial[]) =>
    some.flatMap((member) => [member, ...(member.orderer ? [member.orderer] : [])]);
  const clients = withOrderers(members)
    .map(({ tlsCa, ca }) => tlsCa + ca)
    .join('');
  const doors = members.map(({ tlsCa }) => tlsCa).join('');
  for (const { dir } of withOrderers(keepers)) writePublic(layout.clientRoots(dir), clients);
  for (const { dir } of keepers) writePublic(layout.doorRoots(dir), doors);
}

function roots(from: Authorities): Omit<Organisation, 'mspId'> {
  const { identities, tls, revoked } = from;
  return { ca: identities.certificate, tlsCa: tls.certificate, ...(revoked.length > 0 && { revocations: revoked }) };
}
