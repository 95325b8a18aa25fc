/** Where in the order of the ledger a transaction stands: its block, and its place there. */
export interface Place {
  readonly block: number;
  readonly index: number;
}

/** Below 0 when `a` comes first, above 0 when `b` does, 0 when they are the same. What came first, this order alone says. */
export function comparePlaces(a: Place, b: Place): number {
  return a.block - b.block || a.index - b.index;
}
