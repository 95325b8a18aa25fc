import type { common } from '@hyperledger/fabric-protos';
import { CommandError } from '../command.js';
import { signUpdate, updateEnvelope } from '../config/update/signed.js';
import { signerOf } from '../identity/signer.js';
import { type NetworkFile, readNetwork } from '../prepare.js';
import { FabricRefusal, type NodeAddress } from './clients.js';
import { broadcastAddresses, memberPairs, ordererPairs, ownPairs, peerAdmins } from './establish.js';
import { order, until } from './lifecycle.js';
import type { PeerAdmin } from './peer-admin.js';

/**
 * How long an update may take until it is ordered again, ms: one that replaces the leader's own certificate has it hand over
 * first, and what it had taken is lost when the next leader is not ready yet.
 */
const AGAIN_MS = 5_000;

/**
 * How long the leader may take to hear of an orderer that was started again, ms: until then it counts it as away, and takes no
 * update that would need it.
 */
const HEARD_OF_MS = 15_000;

/** A running channel as those deal with it who change its configuration. */
export interface RunningChannel {
  readonly channel: string;
  readonly peers: readonly PeerAdmin[];
  readonly orderers: readonly NodeAddress[];
}

/** The channel of a state folder, with the members that `network.json` names. */
export function runningChannel(stateDir: string, network: NetworkFile = readNetwork(stateDir)): RunningChannel {
  const pairs = memberPairs(network);
  return {
    channel: network.topology.channel,
    peers: ownPairs(pairs).flatMap((pair) => peerAdmins(pair)),
    orderers: broadcastAddresses(ordererPairs(pairs)),
  };
}

/** The channel's configuration in force, as this peer has it. */
export async function presentConfiguration(speaker: PeerAdmin, channel: string): Promise<common.ConfigGroup> {
  const present = (await speaker.config(channel)).getChannelGroup();
  if (!present) throw new Error('a channel without configuration');
  return present;
}

/** A peer that speaks for the running channel. Throws a CommandError when none answers. */
export async function anyAnswering(running: RunningChannel): Promise<PeerAdmin> {
  const [speaker] = await answering(running);
  if (!speaker) throw new CommandError('no peer of the channel answers; start the consortium first');
  return speaker;
}

/** A member's administrators sign an update: its own, and its orderer's where it runs one. */
export function memberSignatures(network: NetworkFile, name: string, update: Uint8Array): common.ConfigSignature[] {
  return memberPairs(network)
    .filter(({ member }) => member.name === name)
    .flatMap(({ own }) => [own, ...(own.orderer ? [own.orderer] : [])])
    .map(({ adminMspDir, mspId }) => signUpdate(update, signerOf(adminMspDir, mspId)));
}

/** The peers that are part of the channel now, and answer. */
export async function answering({ channel, peers }: RunningChannel): Promise<PeerAdmin[]> {
  const asked = peers.map(async (admin) => {
    const channels = await admin.channels().catch((): string[] => []);
    return channels.includes(channel) ? [admin] : [];
  });
  return (await Promise.all(asked)).flat();
}

/**
 * Has an update ordered, and waits until every peer that answers has it. Throws FabricRefusal with the orderer's words
 * when too few have signed, or when the configuration has changed since.
 */
export async function applyUpdate(
  running: RunningChannel,
  update: Uint8Array,
  signatures: readonly common.ConfigSignature[],
  submitter: PeerAdmin,
): Promise<void> {
  const { channel, orderers } = running;
  const peers = await answering(running);
  const before = (await submitter.config(channel)).getSequence();
  const envelope = updateEnvelope(channel, update, signatures, submitter.administrator);
  const patientUntil = Date.now() + HEARD_OF_MS;
  const isInForce = async () => (await submitter.config(channel)).getSequence() > before;
  await until(`the new configuration at ${submitter.node.address}`, async () => {
    const ordering = order({ orderers }, envelope, submitter).then(() => true);
    const isOrdered = await ordering.catch(async (error: unknown) => {
      if (await isInForce()) return true;
      if (Date.now() < patientUntil && isForNow(error)) return false;
      throw error;
    });
    if (!isOrdered) return false;
    return until('the new configuration', isInForce, AGAIN_MS).then(
      () => true,
      () => false,
    );
  });
  for (const admin of peers) {
    await until(`the new configuration at ${admin.node.address}`, async () => {
      return (await admin.config(channel)).getSequence() > before;
    });
  }
}

/** Whether orderers refuse because of who is away at the moment. */
function isForNow(refusal: unknown): boolean {
  return refusal instanceof FabricRefusal && refusal.message.includes('will result in quorum loss');
}
