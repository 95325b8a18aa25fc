import { peer } from '@hyperledger/fabric-protos';
import type { Definition, StateValue } from '../ports.js';

/** Namespace of Fabric's chaincode definitions. */
export const LIFECYCLE = '_lifecycle';

/** Collections each member has without any definition: this and its MSP id. */
export const IMPLICIT_COLLECTION_PREFIX = '_implicit_org_';

/** The one question a definition is read with. */
export interface StateSource {
  state(namespace: string, key: string): StateValue | undefined;
}

/** The committed definition of a chaincode, or undefined when there is none (core/chaincode/lifecycle). */
export function readDefinition(name: string, source: StateSource): Definition | undefined {
  if (source.state(LIFECYCLE, `namespaces/metadata/${name}`) === undefined) return undefined;
  const field = (key: string): peer.lifecycle.StateData | undefined => {
    const found = source.state(LIFECYCLE, `namespaces/fields/${name}/${key}`);
    return found && peer.lifecycle.StateData.deserializeBinary(found.value);
  };
  const endorsement = peer.lifecycle.ChaincodeEndorsementInfo.deserializeBinary(bytesOf(field('EndorsementInfo')));
  const validation = peer.lifecycle.ChaincodeValidationInfo.deserializeBinary(bytesOf(field('ValidationInfo')));
  return {
    name,
    sequence: field('Sequence')?.getInt64() ?? 0,
    version: endorsement.getVersion(),
    policy: Buffer.from(validation.getValidationParameter_asU8()),
    collections: collectionsOf(name, Buffer.from(bytesOf(field('Collections')))),
  };
}

/** Blocks a private value of the collection lives for; 0 for ever. */
export function blockToLive(collection: Buffer | undefined): number {
  if (collection === undefined) return 0;
  return collectionConfig(collection).getBlockToLive();
}

/** Configurations by the bytes they were parsed from: a block asks for them at every key. */
const parsed = new WeakMap<Buffer, peer.StaticCollectionConfig>();

/** A collection's configuration; it must not be changed. */
export function collectionConfig(bytes: Buffer): peer.StaticCollectionConfig {
  const known = parsed.get(bytes);
  if (known !== undefined) return known;
  const config = peer.StaticCollectionConfig.deserializeBinary(bytes);
  parsed.set(bytes, config);
  return config;
}

/** The member whose implicit collection this is, or undefined for another collection. */
export function ownerOfImplicit(collection: string): string | undefined {
  return collection.startsWith(IMPLICIT_COLLECTION_PREFIX)
    ? collection.slice(IMPLICIT_COLLECTION_PREFIX.length)
    : undefined;
}

function bytesOf(data: peer.lifecycle.StateData | undefined): Uint8Array {
  return data?.getBytes_asU8() ?? new Uint8Array();
}

interface ReadCollections {
  /** peer.CollectionConfigPackage. */
  readonly stored: Buffer;
  readonly collections: ReadonlyMap<string, Buffer>;
}

/** What was read last for each name: a definition is read at every block and changes seldom. */
const lastRead = new Map<string, ReadCollections>();

function collectionsOf(name: string, stored: Buffer): ReadonlyMap<string, Buffer> {
  const last = lastRead.get(name);
  if (last?.stored.equals(stored) === true) return last.collections;
  const collections = parseCollections(stored);
  lastRead.set(name, { stored, collections });
  return collections;
}

function parseCollections(bytes: Uint8Array): Map<string, Buffer> {
  const collections = new Map<string, Buffer>();
  for (const one of peer.CollectionConfigPackage.deserializeBinary(bytes).getConfigList()) {
    const config = one.getStaticCollectionConfig();
    if (config !== undefined) collections.set(config.getName(), Buffer.from(config.serializeBinary()));
  }
  return collections;
}
