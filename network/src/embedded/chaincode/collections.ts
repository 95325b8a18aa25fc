import { peer } from '@hyperledger/fabric-protos';
import { ownerOfImplicit } from '../lifecycle/definition.js';
import type { Channel, Definition } from '../ports.js';
import { refusal } from './messages.js';

/** What of a peer.StaticCollectionConfig decides at simulation. */
export interface CollectionRules {
  readonly name: string;
  /** common.SignaturePolicyEnvelope of the members; absent for an implicit collection. */
  readonly members?: Buffer;
  readonly memberOnlyRead: boolean;
  readonly memberOnlyWrite: boolean;
  readonly requiredPeerCount: number;
}

/** The rules of a collection: those of the definition, or an implicit collection's; undefined when there is none. */
export function collectionRules(definition: Definition | undefined, name: string): CollectionRules | undefined {
  if (ownerOfImplicit(name) !== undefined) {
    return { name, memberOnlyRead: false, memberOnlyWrite: false, requiredPeerCount: 0 };
  }
  const bytes = definition?.collections.get(name);
  return bytes && parsedRules(name, bytes);
}

/** Rules by the configuration they were parsed from: a definition is asked at every private call. */
const parsed = new WeakMap<Buffer, CollectionRules>();

function parsedRules(name: string, bytes: Buffer): CollectionRules {
  const known = parsed.get(bytes);
  if (known) return known;
  const rules = parseRules(name, bytes);
  parsed.set(bytes, rules);
  return rules;
}

function parseRules(name: string, bytes: Buffer): CollectionRules {
  const config = peer.StaticCollectionConfig.deserializeBinary(bytes);
  const members = config.getMemberOrgsPolicy()?.getSignaturePolicy();
  return {
    name,
    members: Buffer.from(members?.serializeBinary() ?? []),
    memberOnlyRead: config.getMemberOnlyRead(),
    memberOnlyWrite: config.getMemberOnlyWrite(),
    requiredPeerCount: config.getRequiredPeerCount(),
  };
}

interface Permission {
  readonly read: boolean;
  readonly write: boolean;
}

/** A proposal's access to private collections: whether they exist, and what its creator may do. Throws FabricError. */
export class CollectionAccess {
  readonly #permissions = new Map<string, Permission>();

  /** `readDefinition` records the reads of the chaincode's definition, as every private call does on Fabric. */
  constructor(
    private readonly channel: Channel,
    private readonly creator: Buffer,
    private readonly readDefinition: (chaincode: string) => Definition | undefined,
  ) {}

  assertReadable(chaincode: string, collection: string): void {
    if (!this.#permission(chaincode, collection).read) throw noPermission('read', chaincode, collection);
    this.assertDefined(chaincode, collection);
  }

  assertWritable(chaincode: string, collection: string): void {
    if (!this.#permission(chaincode, collection).write) throw noPermission('write', chaincode, collection);
    this.assertDefined(chaincode, collection);
  }

  assertDefined(chaincode: string, collection: string): void {
    const owner = ownerOfImplicit(collection);
    const definition = this.readDefinition(chaincode);
    const known =
      owner === undefined
        ? definition?.collections.has(collection)
        : this.channel.organisations.some(({ mspId }) => mspId === owner);
    if (!known) {
      throw refusal(`collection [${collection}] not defined in the collection config for chaincode [${chaincode}]`);
    }
  }

  #permission(chaincode: string, collection: string): Permission {
    const id = `${chaincode}\0${collection}`;
    const known = this.#permissions.get(id);
    if (known) return known;
    const rules = collectionRules(this.readDefinition(chaincode), collection);
    if (!rules) throw refusal(`collection ${this.channel.id}/${chaincode}/${collection} could not be found`);
    const permission = this.#decide(rules);
    this.#permissions.set(id, permission);
    return permission;
  }

  #decide({ members, memberOnlyRead, memberOnlyWrite }: CollectionRules): Permission {
    const open = !memberOnlyRead && !memberOnlyWrite;
    const member = open || (members !== undefined && this.channel.isMember(members, this.creator));
    return { read: member || !memberOnlyRead, write: member || !memberOnlyWrite };
  }
}

function noPermission(what: string, chaincode: string, collection: string): Error {
  return refusal(
    `tx creator does not have ${what} access permission on privatedata in ` +
      `chaincodeName:${chaincode} collectionName: ${collection}`,
  );
}
