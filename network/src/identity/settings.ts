import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewaySettings, MemberSettings, PeerAddress } from '../settings.js';
import type { GatewayNode, Member, PeerNode, Topology } from '../topology/model.js';
import { writePublic } from './files.js';
import { gatewayFiles, layout, mspFiles, mspRoots, tlsFiles } from './layout.js';
import type { Material, MemberMaterial } from './material.js';

/** What is not the topology's to say of a network's settings. */
export interface SettingsOptions {
  /** Shift of this network's clocks, for tests; refused in production. */
  readonly clockOffsetMs?: number;
  /** Name of the ledger that runs below, for the gateways' pages. */
  readonly engine?: string;
  /** The one member whose gateways are here; absent: all are. */
  readonly only?: string;
}

/** Writes settings.json of every gateway, or of one member's, and returns the files in the order of the topology. */
export function writeSettings(topology: Topology, material: Material, options: SettingsOptions = {}): string[] {
  const { clockOffsetMs = 0, engine, only } = options;
  if (topology.production && clockOffsetMs !== 0) throw new Error('clocks are not shifted in production');
  const members = topology.members.map((member, index) => memberSettings(member, at(material.members, index)));
  return topology.members.flatMap((member, index) =>
    (only === undefined || only === member.name ? member.gateways : []).map((gateway) => {
      const own = at(material.members, index);
      const file = join(layout.gateway(own.dir, gateway.name), 'settings.json');
      const settings = gatewaySettings({ topology, member, own, gateway, members, clockOffsetMs, engine });
      writePublic(file, `${JSON.stringify(settings, null, 2)}\n`);
      writeNodeCertificates(own, settings.nodes);
      return file;
    }),
  );
}

/** Address of a member's peer and how to know it. */
export function peerAddress(member: Member, own: MemberMaterial, peer: PeerNode): PeerAddress {
  return {
    name: peer.name,
    mspId: member.mspId,
    endpoint: `${peer.host}:${peer.port}`,
    tlsCa: mspRoots(layout.msp(own.dir)).tlsCa,
    serverName: `${peer.name}.${member.name}`,
  };
}

interface GatewayContext {
  readonly topology: Topology;
  readonly member: Member;
  readonly own: MemberMaterial;
  readonly gateway: GatewayNode;
  readonly members: readonly MemberSettings[];
  readonly clockOffsetMs: number;
  readonly engine: string | undefined;
}

function gatewaySettings(context: GatewayContext): GatewaySettings {
  const { topology, member, own, gateway, members, clockOffsetMs, engine } = context;
  const dir = layout.gateway(own.dir, gateway.name);
  const door = gatewayFiles(dir);
  return {
    member: member.name,
    mspId: member.mspId,
    title: member.title,
    roles: member.roles,
    gateway: gateway.name,
    channel: topology.channel,
    chaincode: topology.chaincode.name,
    production: topology.production,
    ...(engine === undefined ? {} : { engine }),
    clockOffsetMs,
    listen: { host: gateway.httpHost, port: gateway.port },
    door: { host: gateway.listenHost, port: gateway.doorPort },
    baseUrl: gateway.publicUrl,
    peers: member.peers.map((peer) => peerAddress(member, own, peer)),
    identity: { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') },
    doorTls: { cert: door.cert, key: door.key, ca: layout.doorRoots(own.dir) },
    nodes: { identities: join(dir, 'nodes.identities.pem'), tls: join(dir, 'nodes.tls.pem') },
    jwk: door.jwk,
    dataDir: layout.data(own.dir),
    members,
  };
}

/** Copies the certificates of a member's other nodes and administrators to where its gateway may read: they are public. */
function writeNodeCertificates(
  { peers, adminMspDir, chaincodeTlsDir, orderer }: MemberMaterial,
  nodes: GatewaySettings['nodes'],
): void {
  const ordering = orderer === undefined ? [] : [orderer];
  const msps = [...peers, ...ordering].map(({ mspDir }) => mspDir);
  const admins = [adminMspDir, ...ordering.map((each) => each.adminMspDir)];
  const tls = [...[...peers, ...ordering].map(({ tlsDir }) => tlsDir), chaincodeTlsDir];
  writePublic(nodes.identities, concatenated([...msps, ...admins].map((dir) => mspFiles(dir).cert)));
  writePublic(nodes.tls, concatenated(tls.map((dir) => tlsFiles(dir).cert)));
}

function concatenated(files: readonly string[]): string {
  return files.map((file) => `${readFileSync(file, 'utf8').trimEnd()}\n`).join('');
}

function memberSettings(member: Member, own: MemberMaterial): MemberSettings {
  const gateway = at(member.gateways, 0);
  const keys = own.gateways.map(({ jwk }) => jwk);
  const first = at(keys, 0);
  return {
    name: member.name,
    mspId: member.mspId,
    title: member.title,
    roles: member.roles,
    baseUrl: gateway.publicUrl,
    doorUrl: `https://${gateway.host}:${gateway.doorPort}`,
    gcp: member.gs1.companyPrefixes,
    ...(member.gs1.party !== undefined && { pgln: member.gs1.party }),
    sgln: member.gs1.premises,
    kid: first.kid,
    jwk: first,
    keys,
    doorRoot: own.tlsCa,
  };
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error('the material was made for another topology');
  return value;
}
