/** How packs are kept: the limits of each kind of storage. */

/** How units of a lot are kept. */
export interface StorageLimits {
  readonly kind: 'cold' | 'frozen' | 'controlled-room';
  /** Minutes outside its limits that an item may spend in all its life. */
  readonly allowance: number;
}

/** Limits in thousandths of a degree Celsius: outside `low` and `high` time is counted, beyond the others at once. */
export interface Range {
  readonly low: number;
  readonly high: number;
  readonly least: number;
  readonly most: number;
}

const NEVER = 1_000_000;
/** By the kind of storage. */
export const RANGES: Readonly<Record<StorageLimits['kind'], Range>> = {
  // What is kept at 2 to 8 degrees may be ruined by frost at once.
  cold: { low: 2_000, high: 8_000, least: 2_000, most: NEVER },
  frozen: { low: -NEVER, high: -15_000, least: -NEVER, most: NEVER },
  // USP <1079>: excursions from 15 to 30 degrees, and spikes to 40, as long as the mean kinetic temperature holds.
  'controlled-room': { low: 15_000, high: 30_000, least: -NEVER, most: 40_000 },
};

/** The limits as lines to draw, thousandths of a degree Celsius: outside them time is counted. */
export const STORAGE_BOUNDS = Object.fromEntries(
  Object.entries(RANGES).map(([kind, { low, high }]) => [kind, [low, high].filter((each) => Math.abs(each) < NEVER)]),
) as unknown as Readonly<Record<StorageLimits['kind'], readonly number[]>>;
