/** What single transactions wrote, as the own peer committed them: hashes to check other members' words against. */
import type { Gateway } from '@hyperledger/fabric-gateway';

import type { LedgerTransaction } from '../ports.js';
import type { GatewaySettings } from '../settings.js';
import { decodeBareBlock } from './blocks.js';
import { readBlock } from './raw-blocks.js';
import type { TransactionSteps } from './steps.js';

/** Milliseconds after which a transaction that the peer does not know is taken for unknown. */
const KNOWN_MS = 2_000;
/** Writes remembered at most, of all transactions together: some 20 MB. */
export const MOST_WRITES = 100_000;

/** A transaction's flag and writes. */
export type Written = Pick<LedgerTransaction, 'code' | 'writes'>;

/** Reads transactions one by one, and remembers them: what is committed does not change. */
export class WrittenTransactions {
  readonly #seen = new Map<string, Written>();
  readonly #underway = new Map<string, Promise<Written | undefined>>();
  #writes = 0;

  constructor(private readonly read: (txId: string) => Promise<Written | undefined>) {}

  /** Undefined when the peer does not know it. */
  async of(txId: string): Promise<Written | undefined> {
    const seen = this.#seen.get(txId) ?? this.#underway.get(txId);
    if (seen !== undefined) return await seen;
    const reading = this.read(txId).finally(() => this.#underway.delete(txId));
    this.#underway.set(txId, reading);
    const found = await reading;
    if (found !== undefined) this.#remember(txId, { code: found.code, writes: found.writes });
    return found;
  }

  #remember(txId: string, written: Written): void {
    this.#seen.set(txId, written);
    this.#writes += written.writes.length;
    for (const [oldest, { writes }] of this.#seen) {
      if (this.#writes <= MOST_WRITES) return;
      this.#seen.delete(oldest);
      this.#writes -= writes.length;
    }
  }
}

/** Reads from the block that it lies in; one that the peer has not committed yet is waited for a moment. */
export function readInBlock(
  gateway: () => Gateway,
  steps: Pick<TransactionSteps, 'outcome'>,
  settings: Pick<GatewaySettings, 'channel' | 'chaincode' | 'clockOffsetMs'>,
): (txId: string) => Promise<Written | undefined> {
  return async (txId) => {
    const outcome = await steps.outcome(txId, KNOWN_MS);
    const block = outcome && (await readBlock(gateway(), settings, outcome.block));
    return block && decodeBareBlock(block, settings.chaincode).transactions.find((each) => each.txId === txId);
  };
}
