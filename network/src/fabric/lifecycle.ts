import { setTimeout as sleep } from 'node:timers/promises';
import { peer } from '@hyperledger/fabric-protos';
import type { ChaincodePackage } from '../config/archive.js';
import { type ChaincodeDefinition, commitArguments } from '../config/definition.js';
import { createProposal, endorsedEnvelope, signProposal } from '../config/proposal.js';
import { broadcast, endorse, FabricRefusal, type NodeAddress } from './clients.js';
import type { PeerAdmin } from './peer-admin.js';

/**
 * Chaincode lifecycle without Fabric's command line, which knows no organisational units in collection policies: the
 * proposals are Fabric's own.
 */

const LIFECYCLE = '_lifecycle';
const POLL_MS = 100;
const PATIENCE_MS = 60_000;

/** Who approves and commits a definition of the chaincode, and through which orderers. */
export interface LifecycleNetwork {
  readonly channel: string;
  /** All peers, each with its member's administrator; the first of each member speaks for it. */
  readonly peers: readonly PeerAdmin[];
  /** Any orderer will do; the next is tried when one has no leader yet. */
  readonly orderers: readonly NodeAddress[];
}

/** Installs the package wherever it is missing, and checks that every peer holds the very same bytes. */
export async function installEverywhere(peers: readonly PeerAdmin[], chaincode: ChaincodePackage): Promise<void> {
  for (const admin of peers) {
    if ((await admin.installed()).includes(chaincode.packageId)) continue;
    const packageId = await admin.install(chaincode);
    if (packageId !== chaincode.packageId) {
      throw new Error(`${admin.node.address} installed ${packageId} where ${chaincode.packageId} was expected`);
    }
  }
}

/** The definition in force on the channel as a peer sees it; undefined when the chaincode is not defined. */
export async function committedDefinition(admin: PeerAdmin, channel: string, name: string) {
  const args = new peer.lifecycle.QueryChaincodeDefinitionArgs();
  args.setName(name);
  try {
    const payload = await admin.lifecycle(channel, 'QueryChaincodeDefinition', args);
    return peer.lifecycle.QueryChaincodeDefinitionResult.deserializeBinary(payload);
  } catch (error) {
    if (error instanceof FabricRefusal && error.message.includes(`namespace ${name} is not defined`)) return undefined;
    throw error;
  }
}

/**
 * Brings the definition into force when none or another one is: each member approves, then one commits what all have
 * agreed on. Returns the sequence in force.
 */
export async function defineChaincode(network: LifecycleNetwork, wanted: ChaincodeDefinition): Promise<number> {
  const { channel } = network;
  const speakers = onePerMember(network.peers);
  const [first] = speakers;
  if (!first) throw new Error('a channel without peers has no chaincode');
  const committed = await committedDefinition(first, channel, wanted.name);
  if (committed && sameDefinition(committed, wanted)) {
    const inForce = { ...wanted, sequence: committed.getSequence() };
    // A member that came later, or runs other code, says which package its peers use; until then they do not run it.
    await approveOwn(network, speakers, inForce);
    return inForce.sequence;
  }
  const definition = { ...wanted, sequence: committed ? committed.getSequence() + 1 : 1 };
  await approveEverywhere(network, speakers, definition);
  await submit(network, speakers, 'Commit', commitArguments(definition));
  for (const admin of network.peers) {
    await until(`the definition at ${admin.node.address}`, async () => {
      const seen = await committedDefinition(admin, channel, definition.name);
      return seen?.getSequence() === definition.sequence;
    });
  }
  return definition.sequence;
}

/** Has each member approve the definition for the package it runs, unless it has; one that another has followed meanwhile none need. */
export async function approveOwn(
  network: Pick<LifecycleNetwork, 'channel' | 'orderers'>,
  speakers: readonly PeerAdmin[],
  definition: ChaincodeDefinition,
): Promise<void> {
  for (const admin of speakers) {
    if (!(await hasApproved(admin, network.channel, definition))) await approve(network, admin, definition);
    await until(`the approval at ${admin.node.address}`, async () => {
      return (await hasApproved(admin, network.channel, definition)) || isPast(admin, network.channel, definition);
    });
  }
}

async function isPast(admin: PeerAdmin, channel: string, { name, sequence }: ChaincodeDefinition): Promise<boolean> {
  return ((await committedDefinition(admin, channel, name))?.getSequence() ?? 0) > sequence;
}

/** Whether the peer's member has approved this very definition under its sequence, for this package. */
async function hasApproved(admin: PeerAdmin, channel: string, definition: ChaincodeDefinition): Promise<boolean> {
  const args = new peer.lifecycle.QueryApprovedChaincodeDefinitionArgs();
  args.setName(definition.name);
  args.setSequence(definition.sequence);
  try {
    const payload = await admin.lifecycle(channel, 'QueryApprovedChaincodeDefinition', args);
    const approved = peer.lifecycle.QueryApprovedChaincodeDefinitionResult.deserializeBinary(payload);
    const packageId = approved.getSource()?.getLocalPackage()?.getPackageId();
    return packageId === definition.packageId && sameDefinition(approved, definition);
  } catch (error) {
    if (error instanceof FabricRefusal && error.status === 500) return false;
    throw error;
  }
}

/** Endorsers of the commit must all see every approval, else they answer differently. */
async function approveEverywhere(
  network: LifecycleNetwork,
  speakers: readonly PeerAdmin[],
  definition: ChaincodeDefinition,
): Promise<void> {
  const { channel } = network;
  await Promise.all(
    speakers.map(async (admin) => {
      const approvals = await readiness(admin, channel, definition);
      if (approvals.get(admin.mspId) !== true) await approve(network, admin, definition);
    }),
  );
  for (const admin of speakers) {
    await until(`all approvals at ${admin.node.address}`, async () => {
      const approvals = await readiness(admin, channel, definition);
      return speakers.every(({ mspId }) => approvals.get(mspId) === true);
    });
  }
}

/** Has a member approve the definition for the package it installed; also of one in force that it has not approved. */
export function approve(
  network: Pick<LifecycleNetwork, 'channel' | 'orderers'>,
  admin: PeerAdmin,
  definition: ChaincodeDefinition,
): Promise<void> {
  return submit(network, [admin], 'Approve', approval(definition));
}

/** Whether the definition in force says what is wanted; which packages members run it by is theirs. */
export function sameDefinition(
  committed: Pick<
    peer.lifecycle.QueryChaincodeDefinitionResult,
    'getVersion' | 'getValidationParameter_asU8' | 'getCollections'
  >,
  wanted: ChaincodeDefinition,
): boolean {
  const collections = Buffer.from(committed.getCollections()?.serializeBinary() ?? []);
  return (
    committed.getVersion() === wanted.version &&
    wanted.policy.equals(committed.getValidationParameter_asU8()) &&
    wanted.collections.equals(collections)
  );
}

/** Who has approved exactly this definition, by MSP id. */
export async function readiness(
  admin: PeerAdmin,
  channel: string,
  definition: ChaincodeDefinition,
): Promise<Map<string, boolean>> {
  const args = peer.lifecycle.CheckCommitReadinessArgs.deserializeBinary(commitArguments(definition));
  const payload = await admin.lifecycle(channel, 'CheckCommitReadiness', args);
  const approvals = peer.lifecycle.CheckCommitReadinessResult.deserializeBinary(payload).getApprovalsMap();
  return new Map(approvals.toArray());
}

const FUNCTIONS = { Approve: 'ApproveChaincodeDefinitionForMyOrg', Commit: 'CommitChaincodeDefinition' } as const;

/** Has the peers endorse a lifecycle transaction and the orderers take it. */
export async function submit(
  network: Pick<LifecycleNetwork, 'channel' | 'orderers'>,
  endorsers: readonly PeerAdmin[],
  step: keyof typeof FUNCTIONS,
  args: Uint8Array,
): Promise<void> {
  const [submitter] = endorsers;
  if (!submitter) throw new Error('nobody endorses');
  const signer = submitter.administrator;
  const invocation = {
    channel: network.channel,
    chaincode: LIFECYCLE,
    args: [Buffer.from(FUNCTIONS[step]), args],
  };
  const signed = signProposal(createProposal(invocation, signer.identity), signer);
  const answers = await Promise.all(endorsers.map(({ node }) => endorse(withClient(node, submitter), signed)));
  const [answer] = answers;
  if (!answer) throw new Error('nobody endorsed');
  const endorsements = answers.flatMap((each) => each.getEndorsement() ?? []);
  await order(network, endorsedEnvelope(signed, answer.getPayload_asU8(), endorsements, signer), submitter);
}

/** A node as a peer's administrator connects to it. */
export function withClient(node: NodeAddress, { node: { clientMspDir, clientTls } }: PeerAdmin): NodeAddress {
  return { ...node, clientMspDir, ...(clientTls && { clientTls }) };
}

/** Sends to one orderer after another until one takes it: right after the start there is no leader. */
export async function order(
  network: Pick<LifecycleNetwork, 'orderers'>,
  envelope: Uint8Array,
  submitter: PeerAdmin,
): Promise<void> {
  let turn = 0;
  await until('an orderer that takes transactions', async () => {
    const node = network.orderers[turn++ % network.orderers.length];
    if (!node) return false;
    try {
      await broadcast(withClient(node, submitter), envelope);
      return true;
    } catch (error) {
      const retry = error instanceof FabricRefusal && (error.status === 503 || error.status === 14);
      if (retry) return false;
      throw error;
    }
  });
}

/** Approving, checking and committing take the same first eight fields; an approval names its package as well. */
function approval(definition: ChaincodeDefinition): Uint8Array {
  const local = new peer.lifecycle.ChaincodeSource.Local();
  local.setPackageId(definition.packageId);
  const source = new peer.lifecycle.ChaincodeSource();
  source.setLocalPackage(local);
  const args = peer.lifecycle.ApproveChaincodeDefinitionForMyOrgArgs.deserializeBinary(commitArguments(definition));
  args.setSource(source);
  return args.serializeBinary();
}

/** The first peer of each member: it speaks for the member. */
export function onePerMember(peers: readonly PeerAdmin[]): PeerAdmin[] {
  return [...new Map([...peers].reverse().map((admin) => [admin.mspId, admin])).values()].reverse();
}

/** Waits for a condition; throws when it does not come true in time (a minute unless told otherwise). */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what} did not come within ${patienceMs / 1000} s`);
    await sleep(POLL_MS);
  }
}
