/** What was told of by a door may be a block ahead of the own peer: it is looked for again with each block, for a moment. */

/** How long what is told waits at the door for the block that proves it, milliseconds. */
const WAIT_MS = 3_000;

/** Blocks as this member's own peer commits them. */
export interface Blocks {
  /** The last one that was applied. */
  readonly block: number;
  /** Whether a block was applied, waiting so long at most. */
  reached(block: number, timeoutMs: number): Promise<boolean>;
}

/** What a look at the ledger finds, now or a moment later; undefined where it still finds nothing. */
export async function whenCommitted<T>(blocks: Blocks, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    const found = await look();
    const left = until - performance.now();
    if (found !== undefined || left <= 0) return found;
    if (!(await blocks.reached(blocks.block + 1, left))) return await look();
  }
}
