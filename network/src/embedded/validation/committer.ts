import type { ConfiguredChannel } from '../channel/channel.js';
import type { Committer } from '../ports.js';
import { commitHash, encodeUpdates } from '../rwset/commit-hash.js';
import { blockHeaderHash } from '../orderer/header.js';
import type { PrivateStore } from '../store/private-store.js';
import type { BlockChanges, PublicStore, StateChange } from '../store/public-store.js';
import type { Snapshots } from '../store/snapshots.js';
import type { ExpiringKey } from '../store/state-reader.js';
import { checkBlock, parseBlock, withResult, type ReceivedBlock } from './block-form.js';
import { validateBlock, type ValidatedBlock } from './block-validator.js';
import { Code } from './envelope.js';
import { collectPrivate, PrivateSets, timeToLive } from './private-collector.js';

/** Blocks a private write set waits for its transaction (ledger.pvtdataStore.transientstoreMaxBlockRetention). */
const TRANSIENT_RETENTION_BLOCKS = 1_000_000;

/** Where the chain stands. */
export interface Tip {
  readonly height: number;
  readonly headerHash: Buffer | undefined;
  readonly commitHash: Buffer;
  readonly channel: ConfiguredChannel;
}

/** How blocks are committed. */
export interface CommitterOptions {
  /** Follow configuration blocks instead of refusing them. */
  readonly followConfig: boolean;
  /** Told of each committed block, in order. */
  readonly onCommit: (block: number) => void;
}

/** Validates blocks, one after the other, and stores each with all it changes. */
export class BlockCommitter implements Committer {
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private tip: Tip,
    private readonly store: PublicStore,
    private readonly members: ReadonlyMap<string, PrivateStore>,
    private readonly snapshots: Snapshots,
    private readonly options: CommitterOptions,
  ) {}

  get current(): Tip {
    return this.tip;
  }

  commit(block: Buffer): Promise<{ readonly number: number; readonly codes: readonly number[] }> {
    const result = this.queue.then(() => this.commitNext(parseBlock(block)));
    this.queue = result.catch(() => undefined);
    return result;
  }

  private async commitNext(block: ReceivedBlock): Promise<{ number: number; codes: number[] }> {
    const { height, headerHash: previous, channel } = this.tip;
    checkBlock(block, height, previous, channel);
    const validated = await validateBlock(block, channel, this.store, this.options.followConfig);
    await this.write(block, validated);
    this.options.onCommit(block.number);
    return { number: block.number, codes: validated.transactions.map(({ code }) => code) };
  }

  /** Private rows first, tagged with the block; the public store's commit makes them count; then what is over goes. */
  private async write(block: ReceivedBlock, validated: ValidatedBlock): Promise<void> {
    const expired = this.expired(block.number, validated);
    const changes = this.publicChanges(block, validated, expired);
    const sets = new PrivateSets(this.members);
    await this.keep(changes, async (mspId, store) => {
      await store.write(collectPrivate(block.number, validated, mspId, store, sets, expired));
    });
    this.tip = {
      height: block.number + 1,
      headerHash: changes.headerHash,
      commitHash: changes.commitHash,
      channel: validated.channel,
    };
    this.settle(validated);
  }

  /** Where a store fails, the private rows of the block must not wait for another block of that number. */
  private async keep(
    changes: BlockChanges,
    writePrivate: (mspId: string, store: PrivateStore) => Promise<void>,
  ): Promise<void> {
    try {
      await allEnded([...this.members].map(([mspId, store]) => writePrivate(mspId, store)));
      this.snapshots.retire();
      this.store.commit(changes);
    } catch (error) {
      for (const store of this.members.values()) store.recover(changes.number);
      throw error;
    }
  }

  private settle({ transactions }: ValidatedBlock): void {
    const ids = transactions.flatMap(({ id }) => id ?? []);
    const { height } = this.tip;
    for (const store of this.members.values()) {
      store.transient.drop(ids, height - TRANSIENT_RETENTION_BLOCKS);
      store.settle(height, this.snapshots.oldest(height));
    }
  }

  private publicChanges(
    block: ReceivedBlock,
    { transactions, batch, definitions, channel }: ValidatedBlock,
    expired: readonly ExpiringKey[],
  ): BlockChanges {
    const flags = Buffer.from(transactions.map(({ code }) => code));
    const changed = batch.all();
    const updates = encodeUpdates(changed);
    const hash = block.number === 0 ? Buffer.alloc(0) : commitHash(flags, updates, this.tip.commitHash);
    return {
      number: block.number,
      headerHash: blockHeaderHash(block.header),
      commitHash: hash,
      bytes: withResult(block, flags, hash),
      updates,
      configBlock: channel.configBlock,
      transactions: transactions.flatMap(({ id, tx, code }) => (id === undefined ? [] : { id, tx, code })),
      changes: [...changed, ...expired.map((key) => removal(key, block.number))],
      history: writtenPublicKeys(transactions),
      expiries: changed.flatMap(({ namespace, collection, key, value }) => {
        const life = collection === '' || value === undefined ? 0 : timeToLive(definitions, namespace, collection);
        return life === 0
          ? []
          : { at: block.number + life + 1, namespace, collection, keyHash: key, block: block.number };
      }),
    };
  }

  /** Private keys whose time ends with this block: those not written since, and not written in it. */
  private expired(number: number, { batch }: ValidatedBlock): ExpiringKey[] {
    return this.store.expiring(number).filter(({ namespace, collection, keyHash, block }) => {
      if (batch.has(namespace, collection, keyHash)) return false;
      return this.store.hashed(namespace, collection, keyHash)?.version.block === block;
    });
  }
}

/** Waits for all, then rejects as the first that did. */
async function allEnded(steps: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(steps);
  await Promise.all(steps);
}

function removal({ namespace, collection, keyHash }: ExpiringKey, block: number): StateChange {
  return { namespace, collection, key: keyHash, value: undefined, metadata: undefined, version: { block, tx: 0 } };
}

function writtenPublicKeys(transactions: ValidatedBlock['transactions']): BlockChanges['history'] {
  return transactions.flatMap(({ code, tx, sets }) => {
    if (code !== Code.VALID) return [];
    return sets.flatMap(({ namespace, public: set }) =>
      set.getWritesList().map((write) => ({ namespace, key: Buffer.from(write.getKey()), tx })),
    );
  });
}
