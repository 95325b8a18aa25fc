import { common, msp, peer } from '@hyperledger/fabric-protos';
import type { Channel, Definition, Endorser } from '../ports.js';
import { mergeSets, principalSets, sizeOf, type PrincipalSet } from './principal-sets.js';

/** A peer as the gateways of all members know it. */
export interface Peer {
  readonly endorser: Endorser;
  /** msp.SerializedIdentity of the peer. */
  readonly identity: Buffer;
}

/** How many endorsements are needed from which group of peers. */
export type Layout = ReadonlyMap<string, number>;

/** Alternatives in the order in which to try them, and the peers of each group, the one to ask first in front. */
export interface Plan {
  readonly layouts: readonly Layout[];
  readonly groups: ReadonlyMap<string, readonly Peer[]>;
}

/** What a plan is made from. */
export interface PlanningContext {
  readonly channel: Channel;
  readonly peers: readonly Peer[];
  readonly definition: (chaincode: string) => Definition | undefined;
}

/** Why no plan can be made, in Fabric's words; the endorse flow turns it into the call's status. */
export class PlanFailure extends Error {
  constructor(why: string) {
    super(`no combination of peers can be derived which satisfy the endorsement policy: ${why}`);
    this.name = 'PlanFailure';
  }
}

/** A plan with exactly one endorsement of each organisation; undefined names the missing ones. */
export function planForOrganisations(mspIds: readonly string[], peers: readonly Peer[]): Plan | readonly string[] {
  const groups = new Map(mspIds.map((mspId) => [mspId, peers.filter(({ endorser }) => endorser.mspId === mspId)]));
  const missing = [...groups].flatMap(([mspId, members]) => (members.length === 0 ? [mspId] : []));
  return missing.length > 0 ? missing : { layouts: [new Map(mspIds.map((mspId) => [mspId, 1]))], groups };
}

/** Plans remembered; interests repeat, since they name chaincodes and collections but no keys. */
const REMEMBERED = 500;

/** Derives endorsement plans from what a simulation touched. */
export class Planner {
  readonly #remembered = new Map<string, Plan>();

  constructor(private readonly context: PlanningContext) {}

  /**
   * A plan that satisfies every policy the interest names, layouts with the preferred peer's group first, the smallest
   * first among them. Throws PlanFailure.
   */
  plan(interest: peer.ChaincodeInterest, preferred?: Peer): Plan {
    const { layouts, groups } = this.#alternatives(interest);
    return { layouts: ordered(layouts, groups, preferred), groups };
  }

  #alternatives(interest: peer.ChaincodeInterest): Plan {
    const definitions = interest.getChaincodesList().map((call) => definitionOf(call, this.context));
    const sequences = definitions.map(({ sequence }) => sequence).join();
    const key = `${this.context.channel.configBlock} ${sequences} ${Buffer.from(interest.serializeBinary()).toString('latin1')}`;
    const known = this.#remembered.get(key);
    if (known) return known;
    const plan = alternatives(interest.getChaincodesList(), definitions, this.context);
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key, plan);
    return plan;
  }
}

function alternatives(
  calls: readonly peer.ChaincodeCall[],
  definitions: readonly Definition[],
  { peers, channel }: PlanningContext,
): Plan {
  const authorised = peers.filter(({ identity }) =>
    calls.every((call, index) => mayHold(call, definitions[index], identity, channel)),
  );
  const sets = calls
    .flatMap((call, index) => policiesOf(call, definitions[index], channel))
    .map(principalSets)
    .reduce<PrincipalSet[] | undefined>((merged, next) => (merged ? mergeSets(merged, next) : next), undefined);
  const groups = groupPeers(sets ?? [], authorised, channel);
  const layouts = (sets ?? []).filter((set) => satisfiable(set, groups));
  if (layouts.length === 0) throw new PlanFailure('no peer combination can satisfy the endorsement policy');
  return { layouts, groups };
}

function definitionOf(call: peer.ChaincodeCall, { channel, definition }: PlanningContext): Definition {
  const found = definition(call.getName());
  if (!found) throw new PlanFailure(`No metadata was found for chaincode ${call.getName()} in channel ${channel.id}`);
  return found;
}

/** Whoever simulates a read of private values must hold them: only members of those collections are asked. */
function mayHold(
  call: peer.ChaincodeCall,
  definition: Definition | undefined,
  identity: Buffer,
  channel: Channel,
): boolean {
  if (call.getNoPrivateReads()) return true;
  return call.getCollectionNamesList().every((name) => {
    const policy = collectionOf(definition, name)?.getMemberOrgsPolicy()?.getSignaturePolicy();
    return policy !== undefined && channel.isMember(Buffer.from(policy.serializeBinary()), identity);
  });
}

/** A collection's endorsement policy replaces the chaincode's; key policies count beside or instead of it. */
function policiesOf(
  call: peer.ChaincodeCall,
  definition: Definition | undefined,
  channel: Channel,
): common.SignaturePolicyEnvelope[] {
  const chaincodePolicy = (): common.SignaturePolicyEnvelope => applicationPolicy(definition?.policy, channel);
  if (call.getDisregardNamespacePolicy()) return call.getKeyPoliciesList();
  const collections = call.getCollectionNamesList().map((name) => {
    const policy = collectionOf(definition, name)?.getEndorsementPolicy();
    return policy ? applicationPolicy(Buffer.from(policy.serializeBinary()), channel) : chaincodePolicy();
  });
  return [...(collections.length > 0 ? collections : [chaincodePolicy()]), ...call.getKeyPoliciesList()];
}

function collectionOf(definition: Definition | undefined, name: string): peer.StaticCollectionConfig | undefined {
  const bytes = definition?.collections.get(name);
  return bytes && peer.StaticCollectionConfig.deserializeBinary(bytes);
}

function applicationPolicy(bytes: Buffer | undefined, channel: Channel): common.SignaturePolicyEnvelope {
  const policy = peer.ApplicationPolicy.deserializeBinary(bytes ?? Buffer.alloc(0));
  const signatures = policy.getSignaturePolicy();
  if (signatures) return signatures;
  const reference = policy.getChannelConfigPolicyReference();
  return common.SignaturePolicyEnvelope.deserializeBinary(channel.signaturePolicy(reference));
}

function groupPeers(sets: readonly PrincipalSet[], peers: readonly Peer[], channel: Channel): Map<string, Peer[]> {
  const principals = new Set(sets.flatMap((set) => [...set.keys()]));
  return new Map(
    [...principals].map((principal) => {
      const policy = anyOf(principal);
      return [principal, peers.filter(({ identity }) => channel.isMember(policy, identity))];
    }),
  );
}

/** A policy satisfied by the one principal. */
function anyOf(principal: string): Buffer {
  const envelope = new common.SignaturePolicyEnvelope();
  envelope.addIdentities(msp.MSPPrincipal.deserializeBinary(Buffer.from(principal, 'base64')));
  const rule = new common.SignaturePolicy();
  rule.setSignedBy(0);
  envelope.setRule(rule);
  return Buffer.from(envelope.serializeBinary());
}

function satisfiable(set: PrincipalSet, groups: ReadonlyMap<string, readonly Peer[]>): boolean {
  return [...set].every(([principal, count]) => (groups.get(principal)?.length ?? 0) >= count);
}

/** Equal ones are shuffled, so that no member's peer is asked more than others. */
function ordered(
  layouts: readonly Layout[],
  groups: ReadonlyMap<string, readonly Peer[]>,
  preferred: Peer | undefined,
): Layout[] {
  const without = (layout: Layout): number =>
    preferred && [...layout.keys()].some((group) => groups.get(group)?.includes(preferred)) ? 0 : 1;
  return layouts
    .map((layout) => ({ layout, rank: [without(layout), sizeOf(layout), Math.random()] as const }))
    .sort((one, other) => compareRanks(one.rank, other.rank))
    .map(({ layout }) => layout);
}

function compareRanks(one: readonly number[], other: readonly number[]): number {
  const differing = one.findIndex((value, index) => value !== other[index]);
  return differing < 0 ? 0 : (one[differing] ?? 0) - (other[differing] ?? 0);
}
