import type { peer } from '@hyperledger/fabric-protos';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChaincodeDefinition, commitArguments } from '../config/definition.js';
import type { MemberRule } from '../topology/model.js';
import type { NodeAddress } from './clients.js';
import {
  approveOwn,
  committedDefinition,
  onePerMember,
  readiness,
  sameDefinition,
  submit,
  until,
} from './lifecycle.js';
import type { PeerAdmin } from './peer-admin.js';

/** How often a member looks whether the others have agreed, ms. */
const LOOK_MS = 1_000;

/** A channel as the administrator of one member deals with it, while each of the others is on a machine of its own. */
export interface ApartNetwork {
  readonly channel: string;
  /** How many members must approve a definition. */
  readonly rule: MemberRule;
  /** The member's own peers. */
  readonly peers: readonly PeerAdmin[];
  /** A peer of each other member, by its MSP id, as this member's administrator reaches it. */
  readonly others: ReadonlyMap<string, PeerAdmin>;
  readonly orderers: readonly NodeAddress[];
}

/** How long a commit may take until it is tried again: another member's at the same moment may have made it invalid, ms. */
const COMMIT_MS = 10_000;

/** How far the members are with a definition. */
export interface Agreement {
  readonly sequence: number;
  readonly isInForce: boolean;
  /** MSP ids of members that have not approved it. */
  readonly missing: readonly string[];
}

/**
 * The member approves a definition; once as many have as the channel asks for, it commits it. Whoever comes last brings
 * it into force, and none need be at hand but their peers.
 */
export async function agree(network: ApartNetwork, wanted: ChaincodeDefinition): Promise<Agreement> {
  const speakers = onePerMember(network.peers);
  const committed = await committedDefinition(first(speakers), network.channel, wanted.name);
  if (committed && sameDefinition(committed, wanted)) {
    const sequence = committed.getSequence();
    await approveOwn(network, speakers, { ...wanted, sequence });
    return { sequence, isInForce: true, missing: [] };
  }
  const definition = { ...wanted, sequence: (committed?.getSequence() ?? 0) + 1 };
  await approveOwn(network, speakers, definition);
  return commitWhenAgreed(network, first(speakers), definition);
}

/**
 * What a member does when its nodes start: it approves what is in force, for the package it runs. Where nothing is yet, it
 * approves what its folder says and waits as long as the others take. Returns the sequence in force.
 */
export async function followDefinition(
  network: ApartNetwork,
  wanted: ChaincodeDefinition,
  onProgress: (line: string) => void,
): Promise<number> {
  let said = '';
  const speakers = onePerMember(network.peers);
  for (;;) {
    const committed = await committedDefinition(first(speakers), network.channel, wanted.name);
    if (committed) {
      const inForce = definitionOf(committed, wanted);
      if (await approvedAsInForce(network, speakers, inForce)) return inForce.sequence;
      continue;
    }
    // Others start, stop and commit meanwhile: what counts is what is in force then.
    const { missing } = await agree(network, wanted).catch((error: unknown) => ({ missing: [String(error)] }));
    const waits = missing.join(' ');
    if (waits !== said && waits !== '') onProgress(`the definition waits for: ${waits}`);
    said = waits;
    await sleep(LOOK_MS);
  }
}

/** Approves what is in force. False when the peer has caught up meanwhile, and what it said was in force is long past. */
async function approvedAsInForce(
  network: ApartNetwork,
  speakers: readonly PeerAdmin[],
  inForce: ChaincodeDefinition,
): Promise<boolean> {
  const sequence = async () =>
    (await committedDefinition(first(speakers), network.channel, inForce.name))?.getSequence();
  try {
    await approveOwn(network, speakers, inForce);
  } catch (error) {
    if ((await sequence()) === inForce.sequence) throw error;
  }
  return (await sequence()) === inForce.sequence;
}

/** The definition in force, as a member approves it for its own package. */
function definitionOf(
  committed: peer.lifecycle.QueryChaincodeDefinitionResult,
  { name, packageId }: ChaincodeDefinition,
): ChaincodeDefinition {
  return {
    name,
    packageId,
    version: committed.getVersion(),
    sequence: committed.getSequence(),
    policy: Buffer.from(committed.getValidationParameter_asU8()),
    collections: Buffer.from(committed.getCollections()?.serializeBinary() ?? []),
  };
}

async function commitWhenAgreed(
  network: ApartNetwork,
  speaker: PeerAdmin,
  definition: ChaincodeDefinition,
): Promise<Agreement> {
  const { channel, others, rule } = network;
  const { sequence } = definition;
  const approvals = await readiness(speaker, channel, definition);
  const missing = [...approvals].filter(([, approved]) => !approved).map(([mspId]) => mspId);
  const votes = needed(rule, approvals.size);
  if (approvals.size - missing.length < votes) return { sequence, isInForce: false, missing };
  const isInForce = async () => {
    return (await committedDefinition(speaker, channel, definition.name))?.getSequence() === sequence;
  };
  await until(`the definition at ${speaker.node.address}`, async () => {
    if (await isInForce()) return true;
    const like = await readiness(speaker, channel, definition);
    const endorsers = [speaker, ...(await agreeing(others, { channel, definition, like }))];
    // Peers that do not see all approvals yet would endorse another result: with too few, the commit would be invalid.
    if (endorsers.length < votes) return false;
    await submit(network, endorsers, 'Commit', commitArguments(definition));
    return until(`the commit at ${speaker.node.address}`, isInForce, COMMIT_MS).then(
      () => true,
      () => false,
    );
  });
  return { sequence, isInForce: true, missing };
}

/** Who votes how often is the channel's rule over its members. */
function needed(rule: MemberRule, members: number): number {
  return { ANY: 1, MAJORITY: Math.floor(members / 2) + 1, ALL: members }[rule];
}

interface Asked {
  readonly channel: string;
  readonly definition: ChaincodeDefinition;
  readonly like: ReadonlyMap<string, boolean>;
}

/** Peers that answer, of members that have approved, and that see the same approvals: else they endorse another result. */
async function agreeing(others: ApartNetwork['others'], { channel, definition, like }: Asked): Promise<PeerAdmin[]> {
  const asked = [...others]
    .filter(([mspId]) => like.get(mspId) === true)
    .map(async ([, admin]) => {
      const seen = await readiness(admin, channel, definition).catch(() => undefined);
      const isSame = seen !== undefined && [...like].every(([mspId, approved]) => seen.get(mspId) === approved);
      return isSame ? [admin] : [];
    });
  return (await Promise.all(asked)).flat();
}

function first(speakers: readonly PeerAdmin[]): PeerAdmin {
  const [speaker] = speakers;
  if (!speaker) throw new Error('a member without peers agrees on nothing');
  return speaker;
}
