import type { peer } from '@hyperledger/fabric-protos';
import { refusal } from './messages.js';

/** Answers one request of a chaincode within its transaction; never rejects for what the chaincode may handle. */
export type Answer = (request: peer.ChaincodeMessage) => Promise<peer.ChaincodeMessage>;

/** One chaincode process as one peer reaches it. */
export interface ChaincodeStream {
  /**
   * Sends a TRANSACTION, answers the chaincode's requests, resolves to its COMPLETED or ERROR. Throws FabricError:
   * the transaction is open already, the stream ended, or the time was over.
   */
  execute(transaction: peer.ChaincodeMessage, answer: Answer): Promise<peer.ChaincodeMessage>;
}

/** A chaincode's transactions under way at one peer, by channel and transaction id; each id only once at a time. */
export class OpenTransactions<T> {
  readonly #open = new Map<string, T>();

  /** Throws when the transaction is open: a second one would overwrite the first in the chaincode. */
  add(message: peer.ChaincodeMessage, transaction: T): void {
    const id = idOf(message);
    if (this.#open.has(id)) throw refusal(`txid: ${message.getTxid()}(${message.getChannelId()}) exists`);
    this.#open.set(id, transaction);
  }

  get(message: peer.ChaincodeMessage): T | undefined {
    return this.#open.get(idOf(message));
  }

  delete(message: peer.ChaincodeMessage): void {
    this.#open.delete(idOf(message));
  }

  /** Empties the list and gives what was in it. */
  drain(): T[] {
    const all = [...this.#open.values()];
    this.#open.clear();
    return all;
  }
}

function idOf(message: peer.ChaincodeMessage): string {
  return `${message.getChannelId()}\0${message.getTxid()}`;
}
