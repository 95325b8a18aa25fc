import { common, peer } from '@hyperledger/fabric-protos';
import type { Chain, Channel, Definition } from '../ports.js';
import type { ReadBlock } from './block-cache.js';
import { content, contents, lengthDelimited, unsignedField } from './wire.js';

/** Fields of protos.DeliverResponse. */
const PEER_RESPONSE = { status: 1, block: 2, filteredBlock: 3, blockAndPrivateData: 4 };
/** Fields of orderer.DeliverResponse. */
const ORDERER_RESPONSE = { status: 1, block: 2 };
/** Fields of common.Block. */
const BLOCK = { header: 1, data: 2, metadata: 3 };

/** Makes a stream's messages. */
export interface Responses {
  status(status: number): Buffer;
  block(block: ReadBlock, identity: Buffer): Buffer;
}

function status(code: number): Buffer {
  return unsignedField(PEER_RESPONSE.status, code);
}

/** Whole blocks, as the peer holds them. */
export const wholeBlocks: Responses = {
  status,
  block: ({ bytes }) => lengthDelimited(PEER_RESPONSE.block, bytes),
};

/**
 * Blocks without payloads: ids, types, codes and the names of events. In place of a block with a
 * transaction that cannot be read comes BAD_REQUEST, and the stream runs on, as on Fabric.
 */
export const filteredBlocks: Responses = {
  status,
  block: (block) =>
    block.transactions.some(({ events }) => events === undefined)
      ? status(common.Status.BAD_REQUEST)
      : lengthDelimited(PEER_RESPONSE.filteredBlock, filteredBlock(block).serializeBinary()),
};

/** Blocks with the private values that the peer's member holds and the requester may read. */
export function privateDataBlocks(mspId: string, source: PrivateDataSource): Responses {
  return {
    status,
    block: (block, identity) => {
      const entries = [...source.chain.privateData(mspId, block.number)].flatMap(([index, set]) => {
        const permitted = permittedPart(set, identity, source);
        return permitted ? [privateDataEntry(index, permitted)] : [];
      });
      const message = Buffer.concat([lengthDelimited(1, block.bytes), ...entries]);
      return lengthDelimited(PEER_RESPONSE.blockAndPrivateData, message);
    },
  };
}

/** Blocks as an orderer holds them: without the flags and the commit hash, which peers add. */
export const orderedBlocks: Responses = {
  status: (code) => unsignedField(ORDERER_RESPONSE.status, code),
  block: ({ bytes }) => lengthDelimited(ORDERER_RESPONSE.block, withoutPeerMetadata(bytes)),
};

/** The same responses with the blocks' data left out, but for configuration: SeekInfo.content_type HEADER_WITH_SIG. */
export function headersOnly(responses: Responses, bare: (block: ReadBlock) => ReadBlock): Responses {
  return {
    status: (code) => responses.status(code),
    block: (block, identity) => responses.block(block.isConfig ? block : bare(block), identity),
  };
}

/** Bytes of a block without its transactions. */
export function headerAndMetadata(bytes: Buffer): Buffer {
  return Buffer.concat([
    lengthDelimited(BLOCK.header, content(bytes, BLOCK.header)),
    lengthDelimited(BLOCK.metadata, content(bytes, BLOCK.metadata)),
  ]);
}

/** Where private values and the collections' rules come from. */
export interface PrivateDataSource {
  readonly chain: Chain;
  readonly channel: Channel;
  readonly definition: (chaincode: string) => Definition | undefined;
}

function filteredBlock(block: ReadBlock): peer.FilteredBlock {
  const filtered = new peer.FilteredBlock();
  filtered.setNumber(block.number);
  for (const transaction of block.transactions) {
    filtered.setChannelId(transaction.channelId);
    const entry = new peer.FilteredTransaction();
    entry.setTxid(transaction.txId);
    entry.setType(transaction.type as 0);
    entry.setTxValidationCode(transaction.code as 0);
    if (transaction.type === common.HeaderType.ENDORSER_TRANSACTION)
      entry.setTransactionActions(actions(transaction.events ?? []));
    filtered.addFilteredTransactions(entry);
  }
  return filtered;
}

function actions(events: readonly peer.ChaincodeEvent[]): peer.FilteredTransactionActions {
  const filtered = new peer.FilteredTransactionActions();
  for (const event of events) {
    const bare = new peer.ChaincodeEvent();
    bare.setTxId(event.getTxId());
    bare.setChaincodeId(event.getChaincodeId());
    bare.setEventName(event.getEventName());
    const action = new peer.FilteredChaincodeAction();
    action.setChaincodeEvent(bare);
    filtered.addChaincodeActions(action);
  }
  return filtered;
}

/** An entry of BlockAndPrivateData.private_data_map: map<uint64, TxPvtReadWriteSet>. */
function privateDataEntry(index: number, set: Uint8Array): Buffer {
  return lengthDelimited(2, Buffer.concat([unsignedField(1, index), lengthDelimited(2, set)]));
}

/** Fields of rwset.TxPvtReadWriteSet, NsPvtReadWriteSet and CollectionPvtReadWriteSet. */
const SET = { namespaces: 2 };
const NAMESPACE = { name: 1, collections: 2 };
const COLLECTION = { name: 1 };

/** rwset.TxPvtReadWriteSet of the collections the identity may read; undefined when none is left. */
function permittedPart(set: Buffer, identity: Buffer, source: PrivateDataSource): Buffer | undefined {
  const namespaces = contents(set, SET.namespaces).flatMap((namespace) => {
    const name = content(namespace, NAMESPACE.name);
    const definition = source.definition(name.toString());
    const permitted = contents(namespace, NAMESPACE.collections).filter((collection) =>
      mayRead(definition, content(collection, COLLECTION.name).toString(), identity, source.channel),
    );
    if (permitted.length === 0) return [];
    const kept = permitted.map((collection) => lengthDelimited(NAMESPACE.collections, collection));
    return [lengthDelimited(SET.namespaces, Buffer.concat([lengthDelimited(NAMESPACE.name, name), ...kept]))];
  });
  return namespaces.length > 0 ? Buffer.concat(namespaces) : undefined;
}

/** Decisions by identity and collection, for as long as the definition is in force. */
const decisions = new WeakMap<Definition, Map<string, boolean>>();

function mayRead(definition: Definition | undefined, name: string, identity: Buffer, channel: Channel): boolean {
  if (!definition) return false;
  const decided = decisions.get(definition) ?? new Map<string, boolean>();
  decisions.set(definition, decided);
  const key = `${channel.configBlock} ${name} ${identity.toString('latin1')}`;
  const known = decided.get(key);
  if (known !== undefined) return known;
  const permitted = isReader(definition.collections.get(name), identity, channel);
  decided.set(key, permitted);
  return permitted;
}

/** Collections without memberOnlyRead are open to every reader of the channel, as on Fabric. */
function isReader(collectionConfig: Buffer | undefined, identity: Buffer, channel: Channel): boolean {
  if (!collectionConfig) return false;
  const collection = peer.StaticCollectionConfig.deserializeBinary(collectionConfig);
  if (!collection.getMemberOnlyRead()) return true;
  const policy = collection.getMemberOrgsPolicy()?.getSignaturePolicy();
  return policy !== undefined && channel.isMember(Buffer.from(policy.serializeBinary()), identity);
}

function withoutPeerMetadata(bytes: Buffer): Buffer {
  const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;
  const entries = contents(content(bytes, BLOCK.metadata), 1).map((entry, index) =>
    index === TRANSACTIONS_FILTER || index === COMMIT_HASH ? Buffer.alloc(0) : entry,
  );
  const metadata = Buffer.concat(entries.map((entry) => lengthDelimited(1, entry)));
  return Buffer.concat([
    lengthDelimited(BLOCK.header, content(bytes, BLOCK.header)),
    lengthDelimited(BLOCK.data, content(bytes, BLOCK.data)),
    lengthDelimited(BLOCK.metadata, metadata),
  ]);
}
