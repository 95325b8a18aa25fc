import { ledger } from '@hyperledger/fabric-protos';
import { collectionRules, type CollectionRules } from '../chaincode/collections.js';
import { refusal } from '../chaincode/messages.js';
import { ownerOfImplicit } from '../lifecycle/definition.js';
import type { Channel, Definition, TransientStore } from '../ports.js';

const { NsPvtReadWriteSet, TxPvtReadWriteSet } = ledger.rwset;

/** A peer of the network as the distribution of private data sees it. */
export interface MemberPeer {
  readonly mspId: string;
  /** msp.SerializedIdentity. */
  readonly identity: Buffer;
}

/** A simulated transaction's private writes and what decides where they may go. */
export interface PrivateWrites {
  readonly channel: Channel;
  readonly txId: string;
  /** rwset.TxPvtReadWriteSet. */
  readonly privateSet: Buffer;
  /** Number of blocks committed when it was simulated. */
  readonly height: number;
  readonly definition: (chaincode: string) => Definition | undefined;
}

/**
 * Hands private writes to the members that may hold them: to each its own collections' and nothing else. Throws
 * FabricError when a collection's requiredPeerCount cannot be met; the endorsing peer itself does not count.
 */
export function distribute(
  writes: PrivateWrites,
  peers: readonly MemberPeer[],
  self: MemberPeer,
  transient: TransientStore,
): void {
  const set = TxPvtReadWriteSet.deserializeBinary(writes.privateSet);
  for (const namespace of set.getNsPvtRwsetList()) assertEnoughPeers(writes, namespace, peers, self);
  const onePerMember = new Map(peers.map((peer) => [peer.mspId, peer]));
  for (const member of onePerMember.values()) {
    const part = partOf(writes, set, member);
    if (part) transient.put(member.mspId, writes.txId, part, writes.height);
  }
}

function assertEnoughPeers(
  { channel, txId, definition }: PrivateWrites,
  namespace: ledger.rwset.NsPvtReadWriteSet,
  peers: readonly MemberPeer[],
  self: MemberPeer,
): void {
  const chaincode = namespace.getNamespace();
  for (const { name, required, rules } of rulesOf(namespace, definition(chaincode))) {
    const eligible = peers.filter(
      (peer) => !peer.identity.equals(self.identity) && mayHold(channel, rules, name, peer),
    );
    if (eligible.length < required) {
      throw refusal(
        `failed to distribute private collection, txID ${txId}, channel ${channel.id}: could not build private data ` +
          `dissemination plan for chaincode ${chaincode} and collection ${name}: required to disseminate to at least ` +
          `${required} peers, but know of only ${eligible.length} eligible peers`,
      );
    }
  }
}

function rulesOf(
  namespace: ledger.rwset.NsPvtReadWriteSet,
  definition: Definition | undefined,
): { name: string; required: number; rules: CollectionRules | undefined }[] {
  return namespace.getCollectionPvtRwsetList().map((collection) => {
    const name = collection.getCollectionName();
    const rules = collectionRules(definition, name);
    return { name, required: rules?.requiredPeerCount ?? 0, rules };
  });
}

function partOf(
  { channel, definition }: PrivateWrites,
  set: ledger.rwset.TxPvtReadWriteSet,
  member: MemberPeer,
): Buffer | undefined {
  const part = new TxPvtReadWriteSet();
  part.setDataModel(set.getDataModel());
  for (const namespace of set.getNsPvtRwsetList()) {
    const defined = definition(namespace.getNamespace());
    const held = namespace.getCollectionPvtRwsetList().filter((collection) => {
      const name = collection.getCollectionName();
      return mayHold(channel, collectionRules(defined, name), name, member);
    });
    if (held.length === 0) continue;
    const kept = new NsPvtReadWriteSet();
    kept.setNamespace(namespace.getNamespace());
    kept.setCollectionPvtRwsetList(held);
    part.addNsPvtRwset(kept);
  }
  return part.getNsPvtRwsetList().length > 0 ? Buffer.from(part.serializeBinary()) : undefined;
}

function mayHold(channel: Channel, rules: CollectionRules | undefined, name: string, peer: MemberPeer): boolean {
  if (rules?.members) return channel.isMember(rules.members, peer.identity);
  return ownerOfImplicit(name) === peer.mspId;
}
