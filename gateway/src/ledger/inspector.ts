/** Answers questions about single blocks and transactions from the member's own peer. */
import type { Gateway } from '@hyperledger/fabric-gateway';

import type { GatewaySettings } from '../settings.js';
import { inspectBlock, type InspectedBlock, type InspectedTransaction } from './inspect.js';
import { readBlock } from './raw-blocks.js';
import type { TransactionSteps } from './steps.js';
import { lastConfigOf, trustRootsOf, type TrustRoots } from './trust.js';

/** Milliseconds after which a transaction that the peer does not know is taken for unknown. */
const TRANSACTION_MS = 2_000;

/** Reads and verifies blocks one by one. */
export class Inspector {
  readonly #roots = new Map<number, TrustRoots>();

  constructor(
    private readonly gateway: () => Gateway,
    private readonly steps: TransactionSteps,
    private readonly settings: Pick<GatewaySettings, 'channel' | 'chaincode' | 'clockOffsetMs'>,
  ) {}

  /** A committed block, its hashes and signatures checked; undefined when the peer has none of that number. */
  async block(number: number): Promise<InspectedBlock | undefined> {
    const block = await readBlock(this.gateway(), this.settings, number);
    if (block === undefined) return undefined;
    const roots = await this.#rootsAt(lastConfigOf(block));
    return roots === undefined ? undefined : inspectBlock(block, this.settings.chaincode, roots);
  }

  /** A transaction with its place in the chain; undefined when the peer does not know it. */
  async transaction(txId: string): Promise<InspectedTransaction | undefined> {
    const outcome = await this.steps.outcome(txId, TRANSACTION_MS);
    if (outcome === undefined) return undefined;
    const block = await this.block(outcome.block);
    return block?.transactions.find((each) => each.txId === txId);
  }

  async #rootsAt(configBlock: number): Promise<TrustRoots | undefined> {
    const known = this.#roots.get(configBlock);
    if (known !== undefined) return known;
    const block = await readBlock(this.gateway(), this.settings, configBlock);
    if (block === undefined) return undefined;
    const roots = trustRootsOf(block);
    this.#roots.set(configBlock, roots);
    return roots;
  }
}
