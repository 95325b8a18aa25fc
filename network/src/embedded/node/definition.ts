import { peer } from '@hyperledger/fabric-protos';
import type { ChaincodeDefinition } from '../../config/definition.js';
import { definitionTransaction, type DefinitionParties } from '../../config/definition-transaction.js';
import type { BlockCache } from '../deliver/block-cache.js';
import type { CommitWatch } from '../deliver/commit-watch.js';
import type { Definition, Orderer } from '../ports.js';

const SUCCESS = 200;
const VALID = 0;

/** Where a definition is looked up and committed. */
export interface DefinitionPlace {
  readonly channelId: string;
  readonly committed: (chaincode: string) => Definition | undefined;
  readonly orderer: Orderer;
  readonly blocks: BlockCache;
  readonly commits: CommitWatch;
  readonly parties: DefinitionParties;
}

/**
 * Commits the chaincode's definition when there is none, or when another one is wanted: then with the next sequence.
 * Returns the sequence in force. Throws when a collection would vanish, since its values could no longer be judged.
 */
export async function ensureDefinition(wanted: ChaincodeDefinition, place: DefinitionPlace): Promise<number> {
  const committed = place.committed(wanted.name);
  if (committed && sameDefinition(committed, wanted)) return committed.sequence;
  if (committed) assertCollectionsKept(committed, wanted);
  const sequence = (committed?.sequence ?? 0) + 1;
  await commit(definitionTransaction(place.channelId, { ...wanted, sequence }, place.parties), place);
  return sequence;
}

async function commit(envelope: Buffer, { orderer, blocks, commits }: DefinitionPlace): Promise<void> {
  const number = blocks.height;
  const { status, info } = await orderer.broadcast(envelope);
  if (status !== SUCCESS) throw new Error(`the chaincode definition was not ordered: ${info}`);
  await commits.untilHeight(number + 1, new AbortController().signal);
  const code = blocks.block(number)?.transactions[0]?.code;
  if (code !== VALID) throw new Error(`the chaincode definition was not valid: validation code ${code ?? 'missing'}`);
}

function sameDefinition(committed: Definition, wanted: ChaincodeDefinition): boolean {
  const collections = collectionsOf(wanted);
  return (
    committed.version === wanted.version &&
    committed.policy.equals(wanted.policy) &&
    committed.collections.size === collections.size &&
    [...collections].every(([name, config]) => committed.collections.get(name)?.equals(config))
  );
}

function assertCollectionsKept(committed: Definition, wanted: ChaincodeDefinition): void {
  const names = collectionsOf(wanted);
  const missing = [...committed.collections.keys()].filter((name) => !names.has(name));
  if (missing.length === 0) return;
  throw new Error(
    `the proposed collection config does not contain previously defined collections ${missing.join(', ')}: ` +
      'keep them in the chaincode, or start with an empty state folder',
  );
}

function collectionsOf({ collections }: ChaincodeDefinition): Map<string, Buffer> {
  const configs = peer.CollectionConfigPackage.deserializeBinary(collections).getConfigList();
  return new Map(
    configs.flatMap((config) => {
      const collection = config.getStaticCollectionConfig();
      return collection ? [[collection.getName(), Buffer.from(collection.serializeBinary())] as const] : [];
    }),
  );
}
