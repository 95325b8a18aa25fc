import type { Chain, Snapshot, TransactionPosition } from './ports.js';
import type { PrivateStore } from './store/private-store.js';
import type { PublicStore } from './store/public-store.js';
import type { Snapshots } from './store/snapshots.js';

/** What was committed, for readers of blocks. */
export class LedgerChain implements Chain {
  private readonly listeners = new Set<(block: number) => void>();

  constructor(
    private readonly store: PublicStore,
    private readonly members: ReadonlyMap<string, PrivateStore>,
    private readonly snapshots: Snapshots,
  ) {}

  get height(): number {
    return this.store.height();
  }

  block(number: number): Buffer | undefined {
    return this.store.block(number);
  }

  transaction(txId: string): TransactionPosition | undefined {
    return this.store.transaction(txId);
  }

  privateData(mspId: string, block: number): Map<number, Buffer> {
    return this.members.get(mspId)?.parts(block) ?? new Map<number, Buffer>();
  }

  snapshot(): Snapshot {
    return this.snapshots.take();
  }

  onCommit(listener: (block: number) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Tells all listeners of a committed block. One that throws brings the process down: the block is committed for good. */
  announce(block: number): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(block);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}
