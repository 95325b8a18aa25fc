/**
 * Mean kinetic temperature over windows of 30 consecutive days (USP <1079.2>), from what is kept of each day. Days are
 * those of UTC, a reading is of the day it was taken on and weighs the minutes until the next one. Pure.
 */
import type { ReadingBatch } from './cold-chain';
import { meanKineticOf, warmthOf } from './kinetic';

/** Days of a window: the last one and those before it. Days nobody read on weigh nothing. */
export const WINDOW_DAYS = 30;

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** What was read on one day. */
export interface KineticDay {
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  readonly minutes: number;
  /** Sum of minutes times e^(-E/RT), in units of 10^-60: a whole number in decimal digits. */
  readonly warmth: string;
}

/** The days of a batch, in order. RangeError for a reading at absolute zero. */
export function daysOf({ from, every, readings }: ReadingBatch): readonly KineticDay[] {
  const start = Date.parse(from);
  const warmths = new Map<number, bigint>();
  const days = new Map<string, bigint>();
  const minutes = new Map<string, number>();
  for (const [index, reading] of readings.entries()) {
    const day = dayOf(start + index * every * MINUTE_MS);
    const warmth = warmths.get(reading) ?? warmthOf(reading);
    warmths.set(reading, warmth);
    days.set(day, (days.get(day) ?? 0n) + warmth * BigInt(every));
    minutes.set(day, (minutes.get(day) ?? 0) + every);
  }
  return [...days].map(([day, warmth]) => ({ day, minutes: minutes.get(day) ?? 0, warmth: String(warmth) }));
}

/** Days of several lists as one, in order: of a day that is in more than one, the sum. */
export function mergedDays(...lists: readonly (readonly KineticDay[])[]): readonly KineticDay[] {
  const days = new Map<string, KineticDay>();
  for (const each of lists.flat()) {
    const known = days.get(each.day);
    days.set(each.day, known === undefined ? each : sumOf(each.day, [known, each]));
  }
  return [...days.values()].sort((one, other) => (one.day < other.day ? -1 : 1));
}

/** The days that a window ending on the last of them, or later, still needs. */
export function windowEnding(days: readonly KineticDay[]): readonly KineticDay[] {
  const first = firstOfWindow(days.at(-1)?.day);
  return days.filter(({ day }) => day >= first);
}

/** The highest mean kinetic temperature of the windows that end on these days from `from` on; of one day at least. */
export function warmestWindow(days: readonly KineticDay[], from: string): number {
  let [oldest, warmth, minutes] = [0, 0n, 0];
  let warmest = { warmth: 0n, minutes: 1 };
  for (const { day, ...own } of days) {
    warmth += BigInt(own.warmth);
    minutes += own.minutes;
    const first = firstOfWindow(day);
    for (let gone = days[oldest]; gone !== undefined && gone.day < first; gone = days[oldest]) {
      warmth -= BigInt(gone.warmth);
      minutes -= gone.minutes;
      oldest += 1;
    }
    const isWarmest = warmth * BigInt(warmest.minutes) > warmest.warmth * BigInt(minutes);
    if (day >= from && isWarmest) warmest = { warmth, minutes };
  }
  return meanKineticOf(warmest.warmth, warmest.minutes);
}

/** Mean kinetic temperature over all of these days, thousandths of a degree Celsius. */
export function meanKineticOfDays(days: readonly KineticDay[]): number {
  const { warmth, minutes } = sumOf('', days);
  return meanKineticOf(BigInt(warmth), minutes);
}

function firstOfWindow(last: string | undefined): string {
  return last === undefined ? '' : dayOf(Date.parse(last) - (WINDOW_DAYS - 1) * DAY_MS);
}

function sumOf(day: string, days: readonly KineticDay[]): KineticDay {
  const warmth = days.reduce((sum, each) => sum + BigInt(each.warmth), 0n);
  return { day, minutes: days.reduce((sum, each) => sum + each.minutes, 0), warmth: String(warmth) };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
