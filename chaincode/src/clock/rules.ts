import { refuse, type Tick, TICK_TOLERANCE_MS, tickDelay } from './api';
import type { Refusal } from '../lib/refusal';

/** What a tick is judged by. */
export interface TickRequest {
  readonly member: string;
  /** The proposal's timestamp, FHIR instant. */
  readonly time: string;
  /** Whether that is within TICK_TOLERANCE_MS of the endorser's clock. */
  readonly isNear: boolean;
}

/** The next tick. Refused in this order: a stranger, a time far from the endorser's, not after the last, too early. */
export function tick(order: readonly string[], last: Tick | undefined, request: TickRequest): Tick | Refusal {
  const delay = tickDelay(order, last, request.member);
  if (delay === undefined) return refuse('not-in-consortium', 'the calling member is not in the consortium in force');
  if (!request.isNear) {
    return refuse('clock-apart', `the tick is over ${TICK_TOLERANCE_MS / 1000} s from this endorser: set the clocks`);
  }
  if (last !== undefined) {
    const since = Date.parse(request.time) - Date.parse(last.time);
    if (since <= 0) return refuse('not-after-last', 'the clock has a tick at this time or later');
    if (since < delay) return refuse('too-early', `this member ticks ${delay / 1000} s after the last tick`);
  }
  return { time: request.time, ticker: request.member };
}
