import { setImmediate } from 'node:timers/promises';
import { readConfig } from '../channel/config-block.js';
import { ConfiguredChannel } from '../channel/channel.js';
import type { NamespaceReadWriteSet } from '../rwset/parse.js';
import type { StateReader } from '../store/state-reader.js';
import type { ReceivedBlock } from './block-form.js';
import { readConflict } from './conflicts.js';
import { Definitions, EndorsementPolicies } from './endorsement.js';
import { checkEnvelope, Code, readEndorsed, transactionId, type EndorsedTransaction } from './envelope.js';
import { UpdateBatch } from './update-batch.js';

/** A transaction of a block after validation. */
export interface ValidatedTransaction {
  readonly tx: number;
  readonly id: string | undefined;
  readonly code: number;
  /** What it read and wrote, as far as it could be read. */
  readonly sets: readonly NamespaceReadWriteSet[];
}

/** The outcome of validating a block. */
export interface ValidatedBlock {
  readonly transactions: readonly ValidatedTransaction[];
  readonly batch: UpdateBatch;
  readonly definitions: Definitions;
  /** The channel from the next block on. */
  readonly channel: ConfiguredChannel;
}

/**
 * Validates a block's transactions in Fabric's order of checks. Lets others run between transactions, for a block may
 * take a tenth of a second.
 */
export async function validateBlock(
  block: ReceivedBlock,
  channel: ConfiguredChannel,
  committed: StateReader,
  followConfig: boolean,
): Promise<ValidatedBlock> {
  const validation = new BlockValidation(block, channel, committed, followConfig);
  const transactions: ValidatedTransaction[] = [];
  for (const [tx, envelope] of block.envelopes.entries()) {
    transactions.push({ tx, id: transactionId(envelope), ...validation.validate(tx, envelope) });
    await setImmediate();
  }
  return {
    transactions,
    batch: validation.batch,
    definitions: validation.definitions,
    channel: validation.nextChannel,
  };
}

class BlockValidation {
  readonly batch: UpdateBatch;
  readonly definitions: Definitions;
  nextChannel: ConfiguredChannel;
  private readonly policies: EndorsementPolicies;
  private readonly endorsedIds = new Set<string>();

  constructor(
    private readonly block: ReceivedBlock,
    private readonly channel: ConfiguredChannel,
    private readonly committed: StateReader,
    private readonly followConfig: boolean,
  ) {
    this.batch = new UpdateBatch(committed);
    this.definitions = new Definitions(committed);
    this.policies = new EndorsementPolicies(channel, committed, this.definitions);
    this.nextChannel = channel;
  }

  validate(tx: number, bytes: Buffer): Pick<ValidatedTransaction, 'code' | 'sets'> {
    // The first block's configuration has no creator and no signature: all trust starts from it.
    if (this.block.number === 0) return { code: Code.VALID, sets: [] };
    const envelope = checkEnvelope(bytes, this.channel);
    if (!('type' in envelope)) return { code: envelope.code, sets: [] };
    if (envelope.type === 'config') {
      this.reconfigure(envelope.data);
      return { code: Code.VALID, sets: [] };
    }
    const transaction = readEndorsed(envelope.headers, envelope.data);
    if (this.committed.transaction(envelope.headers.channel.getTxId()) !== undefined) {
      return { code: Code.DUPLICATE_TXID, sets: typeof transaction === 'number' ? [] : transaction.sets };
    }
    if (typeof transaction === 'number') return { code: transaction, sets: [] };
    return { code: this.validateEndorsed(tx, transaction), sets: transaction.sets };
  }

  private reconfigure(configEnvelope: Buffer): void {
    if (!this.followConfig) {
      throw new Error(
        `block ${this.block.number} changes the channel's configuration, which the embedded ledger does not implement`,
      );
    }
    const root = readConfig(configEnvelope);
    this.nextChannel = new ConfiguredChannel({ channelId: this.channel.id, block: this.block.number, root });
  }

  private validateEndorsed(tx: number, transaction: EndorsedTransaction): number {
    const policyCode = this.policies.check(transaction);
    if (policyCode !== Code.VALID) return policyCode;
    if (this.endorsedIds.has(transaction.txId)) return Code.DUPLICATE_TXID;
    this.endorsedIds.add(transaction.txId);
    const code = readConflict(transaction.sets, this.committed, this.batch);
    if (code === Code.VALID) this.batch.apply(transaction.sets, { block: this.block.number, tx });
    return code;
  }
}
