import { ledger, peer } from '@hyperledger/fabric-protos';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { FabricError } from '../ports.js';
import type { HistoryEntry } from '../ports.js';
import { refusal, transactionMessage, Type, typeName } from './messages.js';
import {
  getPrivate,
  getPrivateHash,
  getPrivateMetadata,
  purgePrivate,
  putPrivate,
  scanPrivate,
} from './private-requests.js';
import type { TransactionContext } from './transaction.js';

type Handler = (context: TransactionContext, payload: Uint8Array) => Uint8Array | Promise<Uint8Array>;

const NOTHING = new Uint8Array();

/** The requests a chaincode may make within a transaction (core/chaincode/handler.go). */
const HANDLERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [Type.GET_STATE, getState],
  [Type.GET_STATE_METADATA, getStateMetadata],
  [Type.GET_PRIVATE_DATA_HASH, getPrivateHash],
  [Type.PUT_STATE, putState],
  [Type.PUT_STATE_METADATA, putStateMetadata],
  [Type.DEL_STATE, deleteState],
  [Type.PURGE_PRIVATE_DATA, purgePrivate],
  [Type.GET_STATE_BY_RANGE, getStateByRange],
  [Type.GET_QUERY_RESULT, getQueryResult],
  [Type.GET_HISTORY_FOR_KEY, getHistory],
  [Type.QUERY_STATE_NEXT, queryNext],
  [Type.QUERY_STATE_CLOSE, queryClose],
  [Type.INVOKE_CHAINCODE, invokeChaincode],
]);

/** Answers a request with RESPONSE, or with ERROR and Fabric's text. Rejects for what is the ledger's own fault. */
export async function answer(
  context: TransactionContext,
  request: peer.ChaincodeMessage,
): Promise<peer.ChaincodeMessage> {
  const type = typeName(request.getType());
  try {
    const handler = HANDLERS.get(request.getType());
    if (!handler) {
      throw refusal(`[${context.txId}] Fabric side handler cannot handle message (${type}) while in ready state`);
    }
    return transactionMessage(Type.RESPONSE, context, await handler(context, request.getPayload_asU8()));
  } catch (error) {
    if (!(error instanceof FabricError)) throw error;
    const text = `${type} failed: transaction ID: ${context.txId}: ${error.message}`;
    return transactionMessage(Type.ERROR, context, Buffer.from(text));
  }
}

function getState(context: TransactionContext, payload: Uint8Array): Uint8Array {
  const request = peer.GetState.deserializeBinary(payload);
  const collection = request.getCollection();
  if (collection !== '') return getPrivate(context, collection, request.getKey());
  return context.simulator.get(context.namespace, request.getKey());
}

function getStateMetadata(context: TransactionContext, payload: Uint8Array): Uint8Array {
  const request = peer.GetStateMetadata.deserializeBinary(payload);
  const collection = request.getCollection();
  const stored =
    collection === ''
      ? context.simulator.getMetadata(context.namespace, request.getKey())
      : getPrivateMetadata(context, collection, request.getKey());
  const result = new peer.StateMetadataResult();
  for (const entry of ledger.rwset.kvrwset.KVMetadataWrite.deserializeBinary(stored ?? NOTHING).getEntriesList()) {
    const metadata = new peer.StateMetadata();
    metadata.setMetakey(entry.getName());
    metadata.setValue(entry.getValue_asU8());
    result.addEntries(metadata);
  }
  return result.serializeBinary();
}

function putState(context: TransactionContext, payload: Uint8Array): Uint8Array {
  const request = peer.PutState.deserializeBinary(payload);
  return put(context, request.getCollection(), request.getKey(), request.getValue_asU8());
}

function deleteState(context: TransactionContext, payload: Uint8Array): Uint8Array {
  const request = peer.DelState.deserializeBinary(payload);
  return put(context, request.getCollection(), request.getKey(), NOTHING);
}

function put(context: TransactionContext, collection: string, key: string, value: Uint8Array): Uint8Array {
  if (collection !== '') return putPrivate(context, collection, key, value);
  context.simulator.put(context.namespace, key, value);
  return NOTHING;
}

function putStateMetadata(context: TransactionContext, payload: Uint8Array): Uint8Array {
  if (!context.extras) {
    throw refusal(
      'the embedded ledger offers no key-level endorsement policies; state who must endorse in the policy of the ' +
        'chaincode or of a collection',
    );
  }
  const request = peer.PutStateMetadata.deserializeBinary(payload);
  const { simulator, namespace, collections } = context;
  const collection = request.getCollection();
  const name = request.getMetadata()?.getMetakey() ?? '';
  const value = request.getMetadata()?.getValue_asU8() ?? NOTHING;
  if (collection === '') {
    simulator.putMetadata(namespace, request.getKey(), name, value);
  } else {
    collections.assertWritable(namespace, collection);
    simulator.putPrivateMetadata(namespace, collection, request.getKey(), name, value);
  }
  return NOTHING;
}

function getStateByRange(context: TransactionContext, payload: Uint8Array): Uint8Array {
  const request = peer.GetStateByRange.deserializeBinary(payload);
  if (request.getCollection() !== '') return scanPrivate(context, request);
  const { simulator, namespace, queries } = context;
  const page = peer.QueryMetadata.deserializeBinary(request.getMetadata_asU8());
  const size = page.getPagesize();
  if (size === 0 && page.getBookmark() === '') {
    return queries.begin(simulator.scan(namespace, request.getStartkey(), request.getEndkey()));
  }
  const start = page.getBookmark() || request.getStartkey();
  return queries.begin(simulator.scanPage(namespace, start, request.getEndkey(), size), { size });
}

/** Rich queries need a document database; the text is that of a peer without one. */
function getQueryResult(context: TransactionContext, payload: Uint8Array): Uint8Array {
  const request = peer.GetQueryResult.deserializeBinary(payload);
  const page = peer.QueryMetadata.deserializeBinary(request.getMetadata_asU8());
  const paginated = page.getPagesize() !== 0 || page.getBookmark() !== '';
  const collection = request.getCollection();
  if (collection !== '') context.collections.assertReadable(context.namespace, collection);
  const query = paginated && collection === '' ? 'ExecuteQueryWithPagination' : 'ExecuteQuery';
  throw refusal(`${query} not supported for leveldb`);
}

function getHistory(context: TransactionContext, payload: Uint8Array): Uint8Array {
  const key = peer.GetHistoryForKey.deserializeBinary(payload).getKey();
  const entries = context.simulator.history(context.namespace, key);
  return context.queries.begin({
    next: () => {
      const step = entries.next();
      return step.done ? undefined : keyModification(step.value);
    },
    close: () => {
      entries.return?.();
      return '';
    },
  });
}

function keyModification(entry: HistoryEntry): Uint8Array {
  const row = new ledger.queryresult.KeyModification();
  row.setTxId(entry.txId);
  row.setValue(entry.value);
  row.setTimestamp(timestamps.Timestamp.deserializeBinary(entry.timestamp));
  row.setIsDelete(entry.isDelete);
  return row.serializeBinary();
}

function queryNext(context: TransactionContext, payload: Uint8Array): Uint8Array {
  return context.queries.next(peer.QueryStateNext.deserializeBinary(payload).getId());
}

function queryClose(context: TransactionContext, payload: Uint8Array): Uint8Array {
  return context.queries.close(peer.QueryStateClose.deserializeBinary(payload).getId());
}

async function invokeChaincode(context: TransactionContext, payload: Uint8Array): Promise<Uint8Array> {
  if (!context.extras) {
    throw refusal('the embedded ledger offers no calls from chaincode to chaincode; put the domains in one chaincode');
  }
  const spec = peer.ChaincodeSpec.deserializeBinary(payload);
  const [name = '', channelId = ''] = (spec.getChaincodeId()?.getName() ?? '').split('/');
  if (channelId !== '' && channelId !== context.channelId) {
    throw refusal(`Failed to get policy manager for channel [${channelId}]`);
  }
  const called = name.split(':')[0] ?? '';
  const result = await context.call(called, spec.getInput() ?? new peer.ChaincodeInput());
  return result.serializeBinary();
}
