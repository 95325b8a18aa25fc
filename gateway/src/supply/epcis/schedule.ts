/** Schedules of subscriptions (EPCIS 2.0 section 8.2.5.3): when a query runs, in UTC. Pure. */
import { isMap } from '../event/json.js';
import { EpcisProblem } from './problem.js';

/** The values of each field, all where it is absent. */
export type Schedule = Readonly<Partial<Record<FieldName, readonly number[]>>>;

const FIELDS = {
  second: [0, 59],
  minute: [0, 59],
  hour: [0, 23],
  dayOfMonth: [1, 31],
  month: [1, 12],
  dayOfWeek: [1, 7],
} as const;
type FieldName = keyof typeof FIELDS;
const NAMES = Object.keys(FIELDS) as FieldName[];

/** Milliseconds ahead within which a schedule must come due: February 29 at the latest. */
const HORIZON_MS = 9 * 366 * 86_400_000;

/** Reads a schedule: each field a list of numbers and ranges, such as `0,30` or `[1-5]`. Throws ValidationException. */
export function readSchedule(value: unknown): Schedule {
  if (!isMap(value)) throw bad('schedule must be an object of second, minute, hour, dayOfMonth, month, dayOfWeek');
  const stranger = Object.keys(value).find((name) => !(NAMES as string[]).includes(name));
  if (stranger !== undefined) throw bad('schedule has second, minute, hour, dayOfMonth, month, dayOfWeek and no other');
  const given = NAMES.filter((name) => value[name] !== undefined);
  const schedule = Object.fromEntries(given.map((name) => [name, valuesOf(name, value[name])])) as Schedule;
  if (dueAfter(schedule, 0) === undefined) throw bad('schedule never comes due');
  return schedule;
}

function valuesOf(name: FieldName, value: unknown): readonly number[] {
  const [least, most] = FIELDS[name];
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  const values = text.split(',').flatMap((part) => {
    const [, first, last] = /^\s*\[?(\d{1,2})(?:-(\d{1,2}))?\]?\s*$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last ?? first)];
    const isRight = first !== undefined && from >= least && to <= most && from <= to;
    if (!isRight) throw bad(`${name} lists numbers and ranges from ${least} to ${most}`);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  return values;
}

/** The first moment after `after` (both milliseconds since 1970) at which it is due. */
export function dueAfter(schedule: Schedule, after: number): number | undefined {
  const fits = (name: FieldName, value: number): boolean => schedule[name]?.includes(value) ?? true;
  let at = (Math.floor(after / 1_000) + 1) * 1_000;
  const end = at + HORIZON_MS;
  while (at < end) {
    const moment = new Date(at);
    const isDay =
      fits('month', moment.getUTCMonth() + 1) &&
      fits('dayOfMonth', moment.getUTCDate()) &&
      fits('dayOfWeek', moment.getUTCDay() === 0 ? 7 : moment.getUTCDay());
    // What does not fit is passed over whole: days, then hours, then minutes.
    if (!isDay) at = next(at, 86_400_000);
    else if (!fits('hour', moment.getUTCHours())) at = next(at, 3_600_000);
    else if (!fits('minute', moment.getUTCMinutes())) at = next(at, 60_000);
    else if (!fits('second', moment.getUTCSeconds())) at += 1_000;
    else return at;
  }
  return undefined;
}

function next(at: number, unit: number): number {
  return (Math.floor(at / unit) + 1) * unit;
}

function bad(detail: string): EpcisProblem {
  return new EpcisProblem('SubscriptionControlsException', detail);
}
