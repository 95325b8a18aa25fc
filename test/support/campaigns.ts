/** Campaigns: long randomised tests of which every test run takes a seeded slice. */

export interface Campaign {
  /** How much to do: the slice, or the whole when this campaign is run in full. */
  size(sizes: { readonly slice: number; readonly full: number }): number;
  /** Uniform numbers in [0, 1) from the campaign's seed. */
  random(): () => number;
  readonly seed: number;
}

/** The seed of a slice, so that every run of the tests does the same. */
const defaultSeed = 20261125;

/** `SALUS_CAMPAIGN` names the campaign that runs in full; `SALUS_SEED` is its seed. */
export function campaign(name: string): Campaign {
  const isFull = process.env['SALUS_CAMPAIGN'] === name;
  const seed = Number(process.env['SALUS_SEED'] ?? defaultSeed);
  return {
    seed,
    size: ({ slice, full }) => (isFull ? full : slice),
    random: () => mulberry32(seed),
  };
}

/** Mulberry32 by Tommy Ettinger (public domain): a small generator that is the same everywhere. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
