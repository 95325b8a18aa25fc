/** Runs of a property: its slice, from a fixed seed. */
export function campaign(slice: number): { numRuns: number; seed: number } {
  return { numRuns: slice, seed: 20260301 };
}
