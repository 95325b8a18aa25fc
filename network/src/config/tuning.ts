/**
 * How blocks are cut and leaders elected: Fabric's defaults, ours, and why. Interactive writes and bulk loads share one
 * channel, so blocks are cut at once when little is waiting and by size when much is.
 */
export const TUNING = {
  /** Default 2s. A clinician waits for the commit; under load blocks fill by size and count before this. */
  batchTimeout: '5ms',
  /** Default 500. Kept: a block of small writes validates in well under a second. */
  maxMessageCount: 500,
  /** Default 2 MB. Larger transactions (bundles) are cut alone, so that they delay no small one. */
  preferredMaxBytes: 256 * 1024,
  /** Default 10 MB. A transaction counts with all its endorsements; a bulk load packs many resources into one. */
  absoluteMaxBytes: 32 * 1024 * 1024,
  raft: {
    /** Default 500ms. With ten ticks an absent leader is replaced in two to four seconds instead of five to ten. */
    tickInterval: '200ms',
    electionTick: 10,
    heartbeatTick: 1,
    /** Default 5. Kept. */
    maxInflightBlocks: 5,
    /** Default 16 MiB. Kept: an orderer that was away catches up by blocks and seldom by snapshot. */
    snapshotIntervalSize: 16 * 1024 * 1024,
  },
} as const;
