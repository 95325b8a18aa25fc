import { existsSync } from 'node:fs';
import type { common } from '@hyperledger/fabric-protos';
import { chaincodePackage } from '../config/archive.js';
import { readDefinition, readGenesis } from '../config/channel-files.js';
import type { ChaincodeDefinition } from '../config/definition.js';
import { mspFiles, tlsFiles } from '../identity/layout.js';
import type { MemberMaterial, OrdererMaterial } from '../identity/material.js';
import { startable } from '../lost-log.js';
import { type NetworkFile, readNetwork } from '../prepare.js';
import type { Member, OrdererNode, Topology } from '../topology/model.js';
import { type ApartNetwork, followDefinition } from './agreement.js';
import { channelAt, joinOrderer, type NodeAddress } from './clients.js';
import { defineChaincode, installEverywhere, until } from './lifecycle.js';
import { knownEndorsers } from './membership.js';
import { PeerAdmin } from './peer-admin.js';

/** At an orderer that has its channel; `onboarding` while it fetches the blocks before the one it began with. */
const TAKES_PART = new Set(['active', 'onboarding']);

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

/** Those whose administrator's key lies in this folder: all, or the one member whose machine this is. */
export function ownPairs(pairs: readonly MemberPair[]): MemberPair[] {
  return pairs.filter(({ own }) => existsSync(mspFiles(own.adminMspDir).key));
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
  const all = memberPairs(network);
  const pairs = ownPairs(all);
  const orderers = startable(ordererPairs(pairs), stateDir, onProgress);
  const peers = pairs.flatMap((pair) => peerAdmins(pair));
  const genesis = readGenesis(stateDir);
  if (await beginsAmongOthers(channel, orderers, peers)) {
    await joinPeers(channel, peers, genesis);
    await catchUp(channel, all, pairs);
  }
  await joinOrderers(channel, orderers, peers, genesis);
  await joinPeers(channel, peers, genesis);
  await catchUp(channel, all, pairs);
  onProgress(`all are part of channel ${channel}`);
  await installEverywhere(peers, chaincodePackage(definition.name));
  const sequence = await bringIntoForce({ network, pairs, peers, definition, onProgress });
  onProgress(`${definition.name} ${definition.version} is in force at sequence ${sequence}`);
  const acquainted = becomeAcquainted(peers, network.topology, definition.name);
  // Other members' peers may be away as long as they like; where all are here, none may.
  const isKnown = acquainted.then(
    () => true,
    () => false,
  );
  if (pairs.length < all.length && !(await isKnown)) onProgress('some peers of other members are not to be seen yet');
  else
    await acquainted.then(() => {
      onProgress('every peer knows every other');
    });
  return sequence;
}

interface Part {
  readonly network: NetworkFile;
  readonly pairs: readonly MemberPair[];
  readonly peers: readonly PeerAdmin[];
  readonly definition: ChaincodeDefinition;
  readonly onProgress: (line: string) => void;
}

/** Where all administrators are, all approve and one commits; else a member follows what the majority agrees on. */
function bringIntoForce({ network, pairs, peers, definition, onProgress }: Part): Promise<number> {
  const { channel } = network.topology;
  const all = memberPairs(network);
  if (pairs.length < all.length) return followDefinition(apartNetwork(network), definition, onProgress);
  return defineChaincode({ channel, peers, orderers: broadcastAddresses(ordererPairs(all)) }, definition);
}

/** The channel as one member's administrator deals with it, whose folder knows the others' addresses alone. */
export function apartNetwork(network: NetworkFile): ApartNetwork {
  const all = memberPairs(network);
  const own = ownPairs(all);
  const others = all.filter((pair) => !own.includes(pair));
  return {
    channel: network.topology.channel,
    rule: network.topology.chaincode.lifecycle,
    peers: own.flatMap((pair) => peerAdmins(pair)),
    others: new Map(
      others.flatMap((pair) =>
        peerAdmins(pair, own[0])
          .slice(0, 1)
          .map((admin) => [pair.own.mspId, admin]),
      ),
    ),
    orderers: broadcastAddresses(ordererPairs(all)),
  };
}

/**
 * Whether an orderer here begins in a channel that a peer here is part of. Then the peers catch up first: what they had when their machine
 * stopped may be from before the orderer was let go and taken in again.
 */
async function beginsAmongOthers(
  channel: string,
  orderers: readonly OrdererPair[],
  peers: readonly PeerAdmin[],
): Promise<boolean> {
  const taking = await Promise.all(orderers.map((each) => channelAt(administrationAddress(each), channel)));
  if (taking.every(Boolean)) return false;
  const joined = await Promise.all(peers.map((admin) => admin.channels()));
  return joined.some((channels) => channels.includes(channel));
}

async function joinOrderers(
  channel: string,
  orderers: readonly OrdererPair[],
  peers: readonly PeerAdmin[],
  genesis: Uint8Array,
): Promise<void> {
  await Promise.all(
    orderers.map(async (each) => {
      const admin = administrationAddress(each);
      if (!(await channelAt(admin, channel))) await joinOrderer(admin, await beginning(channel, peers, genesis));
      await until(`activity of ${admin.address}`, async () => {
        return TAKES_PART.has((await channelAt(admin, channel))?.status ?? '');
      });
    }),
  );
}

async function joinPeers(channel: string, peers: readonly PeerAdmin[], genesis: Uint8Array): Promise<void> {
  for (const admin of peers) {
    if (!(await admin.channels()).includes(channel)) await admin.join(genesis);
  }
}

/**
 * The block that an orderer without a log begins with: the newest configuration that a peer here has, so that one which the channel
 * let go and took in again is who it is now. Block 0 would have it vote under the number that it had then.
 */
async function beginning(channel: string, peers: readonly PeerAdmin[], genesis: Uint8Array): Promise<Uint8Array> {
  const asked = peers.map(async (admin) => {
    const isPart = (await admin.channels()).includes(channel);
    return isPart ? [await admin.configBlock(channel)] : [];
  });
  const known = (await Promise.all(asked)).flat();
  const [newest] = known.sort((one, other) => numberOf(other) - numberOf(one));
  return newest?.serializeBinary() ?? genesis;
}

function numberOf(block: common.Block): number {
  return block.getHeader()?.getNumber() ?? 0;
}

/**
 * Before the block by which its member joined, a peer does not know even its own administrator; and before the newest
 * one it would have its member approve what is long past.
 */
async function catchUp(channel: string, all: readonly MemberPair[], pairs: readonly MemberPair[]): Promise<void> {
  for (const admin of pairs.flatMap((pair) => peerAdmins(pair))) {
    const knows = () => admin.config(channel).then(Boolean, () => false);
    await until(`the channel's blocks at ${admin.node.address}`, knows);
  }
  const [self] = pairs;
  const others = all.filter((pair) => !pairs.includes(pair));
  if (!self || others.length === 0) return;
  const heights = others.flatMap((pair) => peerAdmins(pair, self)).map((admin) => admin.height(channel));
  const settled = await Promise.allSettled(heights);
  const height = Math.max(0, ...settled.map((each) => (each.status === 'fulfilled' ? each.value : 0)));
  for (const admin of peerAdmins(self)) {
    await until(`block ${height - 1} at ${admin.node.address}`, async () => (await admin.height(channel)) >= height);
  }
}

async function becomeAcquainted(
  peers: readonly PeerAdmin[],
  { channel, members }: Topology,
  chaincode: string,
): Promise<void> {
  const count = members.reduce((sum, member) => sum + member.peers.length, 0);
  await Promise.all(
    peers.map((admin) =>
      until(`the other peers' announcements at ${admin.node.address}`, async () => {
        return (await knownEndorsers(admin, channel, chaincode)) === count;
      }),
    ),
  );
}

/** A member's peers, as its administrator deals with them; or another member's. */
export function peerAdmins({ member, own }: MemberPair, as: Pick<MemberPair, 'own'> = { own }): PeerAdmin[] {
  const [first] = as.own.peers;
  const client = { clientMspDir: as.own.adminMspDir, ...(first && { clientTls: tlsFiles(first.tlsDir) }) };
  return member.peers.map((node) => {
    const address = `${node.host}:${node.port}`;
    const serverName = `${node.name}.${member.name}`;
    const place = { address, serverName, tlsCa: own.tlsCa, ...client };
    return new PeerAdmin(place, as.own.mspId);
  });
}

/** Where orderers take transactions. */
export function broadcastAddresses(orderers: readonly OrdererPair[]): NodeAddress[] {
  return orderers.map((each) => ordererAddress(each, each.node.port));
}

/** Where an orderer's own administrator deals with it. */
export function administrationAddress(orderer: OrdererPair): NodeAddress {
  return ordererAddress(orderer, orderer.node.adminPort);
}

function ordererAddress({ member, node, own }: OrdererPair, port: number): NodeAddress {
  return {
    address: `${node.host}:${port}`,
    serverName: `orderer.${member.name}`,
    tlsCa: own.tlsCa,
    clientMspDir: own.adminMspDir,
  };
}
