import { PEER_STRIDE } from './limits.js';
import type { FabricCaServer, GatewayNode, Member, OrdererNode, PeerNode, PortPlan } from './model.js';
import { MEMBERS_MAX } from './limits.js';

/** Where a member's nodes listen follows from its place in the file and the first port of each kind. */
export interface Place {
  readonly index: number;
  readonly host: string;
  readonly ports: PortPlan;
}

/** Admin ports lie beside the orderers' own. */
const ORDERER_ADMIN_OFFSET = 40;
/** Peers listen for chaincode callbacks, which nobody makes, in the free part of the operations range. */
const CALLBACK_OFFSET = MEMBERS_MAX * PEER_STRIDE;

/** A member's peers, numbered from 0. */
export function peerNodes(place: Place, count: number): PeerNode[] {
  return numbered(count, (number) => {
    const offset = PEER_STRIDE * place.index + number;
    return {
      name: `peer${number}`,
      host: place.host,
      listenHost: place.host,
      port: place.ports.peers + offset,
      operationsPort: place.ports.operations + offset,
      chaincodeListenPort: place.ports.operations + CALLBACK_OFFSET + offset,
    };
  });
}

/** Where a member's new chaincode process listens beside the old one: the last of its callback range, which no peer has. */
export function besideChaincodePort({ peers: [first] }: Pick<Member, 'peers'>): number {
  if (!first) throw new Error('a member without peers has no chaincode');
  return first.chaincodeListenPort + PEER_STRIDE - 1;
}

/** How people and programs reach a member's gateways, where a proxy with TLS stands before them. */
export interface PublicWay {
  readonly listen?: string;
  readonly publicUrl?: string;
}

/** A member's gateways, numbered from 0. */
export function gatewayNodes(place: Place, count: number, { listen, publicUrl }: PublicWay = {}): GatewayNode[] {
  return numbered(count, (number) => {
    const offset = place.index + MEMBERS_MAX * number;
    const port = place.ports.gateways + offset;
    return {
      name: `gateway${number}`,
      host: place.host,
      listenHost: place.host,
      httpHost: listen ?? place.host,
      publicUrl: publicUrl ?? `http://${place.host}:${port}`,
      port,
      doorPort: place.ports.doors + offset,
    };
  });
}

/** A member's orderer; its MSP is named after the member's. */
export function ordererNode(place: Place, mspId: string): OrdererNode {
  return {
    mspId: mspId.replace(/MSP$/, 'OrdererMSP'),
    host: place.host,
    listenHost: place.host,
    port: place.ports.orderers + place.index,
    adminPort: place.ports.orderers + ORDERER_ADMIN_OFFSET + place.index,
    operationsPort: place.ports.operations + PEER_STRIDE * place.index + PEER_STRIDE - 1,
  };
}

/** A member's Fabric CA server that the native network starts. */
export function fabricCaNode(place: Place, member: string): FabricCaServer {
  const port = place.ports.authorities + place.index;
  return {
    url: `https://${place.host}:${port}`,
    name: `ca-${member}`,
    ordererName: `ca-${member}-orderer`,
    listens: { host: place.host, port },
  };
}

/** A plan whose kinds lie close together above one base port: for a second network on the same machine. */
export function portsFrom(base: number): PortPlan {
  return {
    gateways: base + 1,
    doors: base + 101,
    peers: base + 201,
    orderers: base + 401,
    chaincode: base + 481,
    operations: base + 501,
    authorities: base + 841,
  };
}

function numbered<T>(count: number, make: (number: number) => T): T[] {
  return Array.from({ length: count }, (_, number) => make(number));
}
