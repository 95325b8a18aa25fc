import { chaincodePackage } from '../config/archive.js';
import { readDefinition, readGenesis } from '../config/channel-files.js';
import type { MemberMaterial, OrdererMaterial } from '../identity/material.js';
import { type NetworkFile, readNetwork } from '../prepare.js';
import type { Member, OrdererNode } from '../topology/model.js';
import { channelAt, joinOrderer, type NodeAddress } from './clients.js';
import { defineChaincode, installEverywhere, until } from './lifecycle.js';
import { knownEndorsers } from './membership.js';
import { PeerAdmin } from './peer-admin.js';

/** A member with its certificates. */
export interface MemberPair {
  readonly member: Member;
  readonly own: MemberMaterial;
}

/** An orderer with its certificates. */
export interface OrdererPair {
  readonly member: Member;
  readonly node: OrdererNode;
  readonly own: OrdererMaterial;
}

/** The members of a network with their certificates, in the order of the topology. */
export function memberPairs({ topology, material }: NetworkFile): MemberPair[] {
  return material.members.flatMap((own, index) => {
    const member = topology.members[index];
    return member ? [{ member, own }] : [];
  });
}

/** The orderers of a network with their certificates. */
export function ordererPairs(pairs: readonly MemberPair[]): OrdererPair[] {
  return pairs.flatMap(({ member, own }) =>
    member.orderer && own.orderer ? [{ member, node: member.orderer, own: own.orderer }] : [],
  );
}

/**
 * Brings a prepared network's channel and chaincode into force on nodes that run, wherever they do, and waits until
 * every peer knows every other. Does what is missing, so it may be repeated. Returns the definition's sequence.
 */
export async function establish(stateDir: string, onProgress: (line: string) => void): Promise<number> {
  const network = readNetwork(stateDir);
  const { channel } = network.topology;
  const definition = readDefinition(stateDir);
  const pairs = memberPairs(network);
  const orderers = ordererPairs(pairs);
  const peers = pairs.flatMap(peerAdmins);
  await joinChannel(channel, orderers, peers, readGenesis(stateDir));
  onProgress(`all are part of channel ${channel}`);
  await installEverywhere(peers, chaincodePackage(definition.name, definition.version));
  const sequence = await defineChaincode({ channel, peers, orderers: broadcastAddresses(orderers) }, definition);
  onProgress(`${definition.name} ${definition.version} is in force at sequence ${sequence}`);
  await becomeAcquainted(peers, channel, definition.name);
  onProgress('every peer knows every other');
  return sequence;
}

async function joinChannel(
  channel: string,
  orderers: readonly OrdererPair[],
  peers: readonly PeerAdmin[],
  genesis: Uint8Array,
): Promise<void> {
  await Promise.all(
    orderers.map(async (each) => {
      const admin = ordererAddress(each, each.node.adminPort);
      if (!(await channelAt(admin, channel))) await joinOrderer(admin, genesis);
      await until(`activity of ${admin.address}`, async () => (await channelAt(admin, channel))?.status === 'active');
    }),
  );
  for (const admin of peers) {
    if (!(await admin.channels()).includes(channel)) await admin.join(genesis);
  }
}

async function becomeAcquainted(peers: readonly PeerAdmin[], channel: string, chaincode: string): Promise<void> {
  await Promise.all(
    peers.map((admin) =>
      until(`the other peers' announcements at ${admin.node.address}`, async () => {
        return (await knownEndorsers(admin, channel, chaincode)) === peers.length;
      }),
    ),
  );
}

/** A member's peers, as its administrator deals with them. */
export function peerAdmins({ member, own }: MemberPair): PeerAdmin[] {
  return member.peers.map((node) => {
    const address = `${node.host}:${node.port}`;
    const serverName = `${node.name}.${member.name}`;
    const place = { address, serverName, tlsCa: own.tlsCa, clientMspDir: own.adminMspDir };
    return new PeerAdmin(place, member.mspId);
  });
}

/** Where orderers take transactions. */
export function broadcastAddresses(orderers: readonly OrdererPair[]): NodeAddress[] {
  return orderers.map((each) => ordererAddress(each, each.node.port));
}

function ordererAddress({ member, node, own }: OrdererPair, port: number): NodeAddress {
  return {
    address: `${node.host}:${port}`,
    serverName: `orderer.${member.name}`,
    tlsCa: own.tlsCa,
    clientMspDir: own.adminMspDir,
  };
}
