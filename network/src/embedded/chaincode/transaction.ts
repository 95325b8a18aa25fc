import type { peer } from '@hyperledger/fabric-protos';
import type { Channel } from '../ports.js';
import type { CollectionAccess } from './collections.js';
import { Queries } from './query-response.js';
import type { Simulator } from './simulator.js';

/** Calls another chaincode within the transaction; resolves to its last message. */
export type CallChaincode = (name: string, input: peer.ChaincodeInput) => Promise<peer.ChaincodeMessage>;

/** What the embedded ledger's simulator can do and Salus does not use: offered when recordings are replayed, else refused. */
export interface Extras {
  /** Key-level endorsement policies, implicit collections, chaincode-to-chaincode calls. */
  readonly extras: boolean;
}

/** What a chaincode's requests within one transaction work on; a called chaincode has one of its own. */
export interface TransactionContext extends Extras {
  readonly channel: Channel;
  readonly channelId: string;
  readonly txId: string;
  /** The chaincode's name, which is the namespace of its state. */
  readonly namespace: string;
  readonly simulator: Simulator;
  readonly collections: CollectionAccess;
  readonly queries: Queries;
  readonly call: CallChaincode;
}
