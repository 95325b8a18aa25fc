import { peer } from '@hyperledger/fabric-protos';
import { ownerOfImplicit } from '../lifecycle/definition.js';
import { refusal } from './messages.js';
import { keyValue } from './range-scan.js';
import type { TransactionContext } from './transaction.js';

const NOTHING = new Uint8Array();

/** Refuses, outside of replays, what Salus never uses and the embedded ledger does not offer. */
function assertOffered(context: TransactionContext, collection: string): void {
  if (context.extras || ownerOfImplicit(collection) === undefined) return;
  throw refusal(
    `the embedded ledger offers no implicit collections: ${collection}; use a collection of the chaincode's definition`,
  );
}

/** The private half of GET_STATE. */
export function getPrivate(context: TransactionContext, collection: string, key: string): Uint8Array {
  assertOffered(context, collection);
  context.collections.assertReadable(context.namespace, collection);
  return context.simulator.getPrivate(context.namespace, collection, key);
}

/** GET_PRIVATE_DATA_HASH: open to non-members, too. */
export function getPrivateHash(context: TransactionContext, payload: Uint8Array): Uint8Array {
  const request = peer.GetState.deserializeBinary(payload);
  assertOffered(context, request.getCollection());
  context.collections.assertDefined(context.namespace, request.getCollection());
  return context.simulator.getPrivateHash(context.namespace, request.getCollection(), request.getKey());
}

/** The private half of GET_STATE_METADATA. */
export function getPrivateMetadata(context: TransactionContext, collection: string, key: string): Buffer | undefined {
  assertOffered(context, collection);
  context.collections.assertReadable(context.namespace, collection);
  return context.simulator.getPrivateMetadata(context.namespace, collection, key);
}

/** The private half of GET_STATE_BY_RANGE: never paginated. */
export function scanPrivate(context: TransactionContext, request: peer.GetStateByRange): Uint8Array {
  const collection = request.getCollection();
  assertOffered(context, collection);
  context.collections.assertReadable(context.namespace, collection);
  const { simulator, namespace, queries } = context;
  const entries = simulator.scanPrivate(namespace, collection, request.getStartkey(), request.getEndkey());
  return queries.begin({
    next: () => {
      const step = entries.next();
      return step.done ? undefined : keyValue(namespace, step.value);
    },
    close: () => {
      entries.return?.();
      return '';
    },
  });
}

/** The private half of PUT_STATE and DEL_STATE: an empty value is a delete. */
export function putPrivate(
  context: TransactionContext,
  collection: string,
  key: string,
  value: Uint8Array,
): Uint8Array {
  assertOffered(context, collection);
  context.collections.assertWritable(context.namespace, collection);
  context.simulator.putPrivate(context.namespace, collection, key, value);
  return NOTHING;
}

/** PURGE_PRIVATE_DATA. */
export function purgePrivate(context: TransactionContext, payload: Uint8Array): Uint8Array {
  // The shim sends PurgePrivateState, whose fields are those of DelState.
  const request = peer.DelState.deserializeBinary(payload);
  const collection = request.getCollection();
  if (!context.channel.hasCapability('V2_5')) {
    throw refusal('purge private data is not enabled, channel application capability of V2_5 or later is required');
  }
  if (collection === '') throw refusal('only applicable for private data');
  assertOffered(context, collection);
  context.collections.assertWritable(context.namespace, collection);
  context.simulator.purgePrivate(context.namespace, collection, request.getKey());
  return NOTHING;
}
