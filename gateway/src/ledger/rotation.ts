/** A member's own peers, one after the other: when one is away the next serves. */
import type { LedgerCall } from '../ports.js';
import type { PeerConnection } from './connection.js';
import { Retriable } from './failure.js';
import type { Endorsed, Outcome, TransactionSteps } from './steps.js';

/** One peer: its connection and the steps over it. */
export interface Peer {
  readonly connection: PeerConnection;
  readonly steps: TransactionSteps;
}

/** The steps over whichever own peer answers. */
export class Rotation implements TransactionSteps {
  #at = 0;

  constructor(private readonly peers: readonly Peer[]) {
    if (peers.length === 0) throw new Error('a gateway needs at least one peer of its member');
  }

  /** The peer in use. */
  get peer(): Peer {
    const peer = this.peers[this.#at];
    if (peer === undefined) throw new Error('no peer at this place');
    return peer;
  }

  /** Turns to the next peer. */
  next(): void {
    this.#at = (this.#at + 1) % this.peers.length;
  }

  endorse(call: LedgerCall): Promise<Endorsed> {
    return this.#any((steps) => steps.endorse(call));
  }

  evaluate(call: LedgerCall): Promise<Uint8Array> {
    return this.#any((steps) => steps.evaluate(call));
  }

  send(endorsed: Endorsed): Promise<void> {
    return this.#any((steps) => steps.send(endorsed));
  }

  async outcome(txId: string, waitMs: number): Promise<Outcome | undefined> {
    const outcome = await this.peer.steps.outcome(txId, waitMs);
    if (outcome === undefined) this.next();
    return outcome;
  }

  /** Closes every connection. */
  close(): void {
    for (const { connection } of this.peers) connection.close();
  }

  async #any<T>(step: (steps: TransactionSteps) => Promise<T>): Promise<T> {
    let undistributed: Retriable | undefined;
    for (let tried = 1; ; tried += 1) {
      const { peer } = this;
      try {
        return await step(peer.steps);
      } catch (error) {
        const isAway = error instanceof Retriable && error.reason !== 'conflict';
        if (!isAway) throw error;
        // That one peer would endorse, if it could share the value, says more than that the others are away.
        if (error.reason === 'undistributed') undistributed = error;
        // Another call may have turned already: then the peer in use has not been tried.
        if (this.peer === peer) this.next();
        if (tried >= this.peers.length) throw undistributed ?? error;
      }
    }
  }
}
