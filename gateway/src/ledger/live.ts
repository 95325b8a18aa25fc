/** The newest blocks in memory, for pages and for those who want to hear of each as it comes. */
import type { Ledger, LedgerBlock } from '../ports.js';

/** Blocks kept in memory. */
const RECENT_BLOCKS = 200;

/** Remembers what passes through a ledger's block stream. */
export class LiveBlocks {
  readonly #recent: LedgerBlock[] = [];
  readonly #listeners = new Set<(block: LedgerBlock) => void>();
  readonly #ended = new AbortController();

  /** The same ledger, its block stream observed. */
  watch(ledger: Ledger): Ledger {
    const observe = (block: LedgerBlock): void => {
      this.#observe(block);
    };
    return {
      submit: (call) => ledger.submit(call),
      evaluate: (call) => ledger.evaluate(call),
      async *blocks(start, signal) {
        for await (const block of ledger.blocks(start, signal)) {
          observe(block);
          yield block;
        }
      },
    };
  }

  /** Newest first. */
  get recent(): readonly LedgerBlock[] {
    return this.#recent;
  }

  /** Number of blocks known of: the newest one's number and one more. */
  get height(): number {
    return (this.#recent[0]?.number ?? -1) + 1;
  }

  /** How many are called back. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Calls back for every new block; returns the way to stop. */
  onBlock(listener: (block: LedgerBlock) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Aborted when the gateway stops: whoever passes blocks on to a connection ends it then. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Says that the gateway stops. */
  end(): void {
    this.#ended.abort();
  }

  #observe(block: LedgerBlock): void {
    // A stream opened again repeats blocks that were seen.
    if (block.number < this.height) return;
    this.#recent.unshift(withoutWrites(block));
    this.#recent.length = Math.min(this.#recent.length, RECENT_BLOCKS);
    for (const listener of this.#listeners) listener(block);
  }
}

/** What a transaction wrote is left to those who need it: here it is only counted. */
function withoutWrites(block: LedgerBlock): LedgerBlock {
  return {
    ...block,
    transactions: block.transactions.map(({ writes, elsewhere, ...each }) => ({
      ...each,
      writes: [],
      elsewhere: { ...elsewhere, writes: elsewhere.writes + writes.length },
    })),
  };
}
