/** clock: the consortium's time, ticked by its members in turn. Public. */
import { refusals } from '../lib/refusal';

/** Transactions of this domain. */
export const transactions = {
  /** Public write; argument empty. The tick's time is the proposal's timestamp. */
  tick: 'clock:tick',
  /** Evaluate; argument empty; answers the last Tick as JSON, or `null` before the first. */
  read: 'clock:read',
} as const;

/** The last tick. */
export interface Tick {
  /** FHIR instant, UTC, milliseconds. */
  readonly time: string;
  /** Member that ticked. */
  readonly ticker: string;
}

/** After how long the next member in the consortium's order ticks, ms. */
export const TICK_AFTER_MS = 30_000;
/** How much longer each further member waits, ms. */
export const TICK_STEP_MS = 5_000;
/** Furthest a tick may be from an endorser's own clock, ms. */
export const TICK_TOLERANCE_MS = 10_000;
/** Age beyond which nothing may be decided by a tick, ms. */
export const TICK_STALE_MS = 90_000;

/** Emitted by every tick; payload: Tick. */
export const events = { ticked: 'clock:ticked' } as const;

/** Why clock refuses. */
export const refuse = refusals({
  'not-in-consortium': 'forbidden',
  'too-early': 'conflict',
  'not-after-last': 'conflict',
  'clock-apart': 'unavailable',
});

/**
 * How long after the last tick this member may tick, ms: the next in order after 30 s, each further one 5 s later, the
 * last ticker itself at the end. Zero before the first tick; undefined for a stranger.
 */
export function tickDelay(order: readonly string[], last: Tick | undefined, member: string): number | undefined {
  const position = order.indexOf(member);
  if (position < 0) return undefined;
  if (last === undefined) return 0;
  const distance = (position - order.indexOf(last.ticker) + order.length - 1) % order.length;
  return TICK_AFTER_MS + distance * TICK_STEP_MS;
}
