import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaincodeDefinition } from '../../config/definition.js';
import { tlsFiles } from '../../identity/layout.js';
import type { MemberMaterial, PeerMaterial } from '../../identity/material.js';
import { signerOf } from '../../identity/signer.js';
import type { NetworkFile } from '../../prepare.js';
import type { Member, PeerNode } from '../../topology.js';
import { ChaincodeConnection, type ChaincodeAddress } from '../chaincode/connection.js';
import type { Signer } from '../ports.js';
import type { ServerTls } from '../rpc/server.js';

/** A peer of the topology with its keys; the peers of one member share that member's state. */
export interface NodeOfMember {
  readonly member: Member;
  readonly node: PeerNode;
  readonly signer: Signer;
  readonly tls: ServerTls;
  readonly chaincode: ChaincodeConnection;
}

/** Which chaincode processes the peers call. */
export interface ChaincodeWish {
  readonly definition: ChaincodeDefinition;
  /** One process for each member instead of one that serves them all. */
  readonly perMember: boolean;
}

/** All peers of the network, in the order of the topology. */
export function nodesOf(network: NetworkFile, chaincode: ChaincodeWish): NodeOfMember[] {
  return network.topology.members.flatMap((member) => {
    const own = ownMaterial(network, member);
    return member.peers.map((node) => nodeOf(member, node, own, addressOf(network, member, own, chaincode)));
  });
}

/** TLS of a node: its certificate, and everybody's roots for its clients. */
export function serverTls(tlsDir: string, clientRoots: string): ServerTls {
  const { cert, key } = tlsFiles(tlsDir);
  return { certificate: readFileSync(cert), key: readFileSync(key), clientRoots: readFileSync(clientRoots) };
}

function nodeOf(member: Member, node: PeerNode, own: MemberMaterial, chaincode: ChaincodeAddress): NodeOfMember {
  const { mspDir, tlsDir } = ownPeer(own, node);
  return {
    member,
    node,
    signer: signerOf(mspDir, member.mspId),
    tls: serverTls(tlsDir, own.clientRoots),
    chaincode: new ChaincodeConnection(chaincode),
  };
}

function addressOf(
  { topology, material }: NetworkFile,
  member: Member,
  own: MemberMaterial,
  { definition, perMember }: ChaincodeWish,
): ChaincodeAddress {
  const { packageId } = definition;
  if (!perMember) {
    const folder = material.sharedChaincodeTlsDir;
    const address = `127.0.0.1:${topology.sharedChaincodePort}`;
    const tls = {
      ca: text(tlsFiles(folder).ca),
      cert: text(join(folder, 'client.crt')),
      key: text(join(folder, 'client.key')),
    };
    return { packageId, address, tls };
  }
  const [first] = own.peers;
  if (!first) throw new Error(`member ${member.name} has no peer`);
  const client = tlsFiles(first.tlsDir);
  const tls = { ca: text(tlsFiles(own.chaincodeTlsDir).ca), cert: text(client.cert), key: text(client.key) };
  return { packageId, address: `${member.chaincodeHost}:${member.chaincodePort}`, tls };
}

function ownMaterial({ material }: NetworkFile, { name }: Member): MemberMaterial {
  const found = material.members.find((each) => each.name === name);
  if (!found) throw new Error(`member ${name} has no keys in ${material.stateDir}: prepare the state folder again`);
  return found;
}

function ownPeer(own: MemberMaterial, { name }: PeerNode): PeerMaterial {
  const found = own.peers.find((each) => each.name === name);
  if (!found) throw new Error(`${name} of ${own.name} has no keys: prepare the state folder again`);
  return found;
}

function text(file: string): string {
  return readFileSync(file, 'utf8');
}
