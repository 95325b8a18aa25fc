import { readFileSync } from 'node:fs';
import { peer } from '@hyperledger/fabric-protos';
import type { Material, MemberMaterial } from '../identity/material.js';
import { type Member, membersWithRole, type Topology } from '../topology/model.js';
import { anyOf, nodePrincipals, outOf, rolePrincipal } from './signature-policy.js';

/** A private collection as the chaincode's build describes it (chaincode/dist/collections.json). */
export interface CollectionTemplate {
  /** `{member}` stands for the member's name where there is one collection for each. */
  readonly name: string;
  readonly each?: 'member';
  /** Roles whose members hold the values; `self` where there is one collection for each member. */
  readonly members: 'self' | readonly string[];
  /** Members whose peers must endorse a write. */
  readonly endorsers: number;
}

/** Reads the template that the chaincode's build wrote; throws when it is absent or malformed. */
export function readCollections(file: string): CollectionTemplate[] {
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(content) || !content.every(isTemplate)) {
    throw new Error(`${file} is no collections template: build the chaincode again`);
  }
  return content;
}

/** The collections of a topology, in the order of the template and of the members (peer.CollectionConfigPackage). */
export function collectionPackage(
  topology: Topology,
  material: Material,
  templates: readonly CollectionTemplate[],
): peer.CollectionConfigPackage {
  const made = new peer.CollectionConfigPackage();
  made.setConfigList(templates.flatMap((template) => expand(topology, material, template)));
  return made;
}

interface Holder {
  readonly member: Member;
  readonly material: MemberMaterial;
}

function expand(topology: Topology, material: Material, template: CollectionTemplate): peer.CollectionConfig[] {
  const holder = (member: Member): Holder => {
    const own = material.members.find(({ name }) => name === member.name);
    if (!own) throw new Error(`member ${member.name} has no certificates yet`);
    return { member, material: own };
  };
  if (template.members === 'self') {
    const own = (name: string, member: Member) =>
      collection(template.name.replace('{member}', name), [holder(member)], template.endorsers);
    const current = topology.members.map((member) => own(member.name, member));
    // Fabric neither drops a collection nor takes one whose member is not in the channel: a member that left has its own
    // closed in the care of a witness, to whom nothing of its content comes.
    const [keeper] = [...membersWithRole(topology, ['witness']), ...topology.members];
    return [...current, ...(keeper ? topology.former.map((name) => own(name, keeper)) : [])];
  }
  const holders = membersWithRole(topology, template.members).map(holder);
  return [collection(template.name, holders, template.endorsers)];
}

/**
 * Reading and writing are for members only, by a policy of their peers and gateways; without the peers in it values
 * would not spread. Who endorses is said by peers' roles alone.
 */
function collection(name: string, holders: readonly Holder[], endorsers: number): peer.CollectionConfig {
  const organisations = holders.map(({ material }) => material);
  const peers = holders.reduce((sum, { member }) => sum + member.peers.length, 0);
  const config = new peer.StaticCollectionConfig();
  config.setName(name);
  const members = new peer.CollectionPolicyConfig();
  members.setSignaturePolicy(anyOf(nodePrincipals(organisations)));
  config.setMemberOrgsPolicy(members);
  // A value whose only holder was the endorsing peer could be lost with it; with a single peer nothing else is possible.
  config.setRequiredPeerCount(peers > 1 ? 1 : 0);
  config.setMaximumPeerCount(peers - 1);
  config.setMemberOnlyRead(true);
  config.setMemberOnlyWrite(true);
  const policy = new peer.ApplicationPolicy();
  policy.setSignaturePolicy(
    outOf(
      endorsers,
      organisations.map(({ mspId }) => rolePrincipal(mspId, 'PEER')),
    ),
  );
  config.setEndorsementPolicy(policy);
  const made = new peer.CollectionConfig();
  made.setStaticCollectionConfig(config);
  return made;
}

function isTemplate(value: unknown): value is CollectionTemplate {
  if (typeof value !== 'object' || value === null) return false;
  const { name, each, members, endorsers } = value as Record<string, unknown>;
  const roles = Array.isArray(members) && members.every((role) => typeof role === 'string');
  const own = members === 'self' && each === 'member';
  return typeof name === 'string' && typeof endorsers === 'number' && (roles || own);
}
