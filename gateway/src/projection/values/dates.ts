/** FHIR dates as spans of milliseconds (R4 search.html#date, datatypes.html#dateTime). */

/** Milliseconds of the earliest time there is, for spans that are open at their start. */
export const BEGINNING = -8.64e15;
/** Milliseconds of the latest time there is, for spans that are open at their end. */
export const END = 8.64e15;

const PARTIAL =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/** Milliseconds since 1970; both ends belong to it. */
export interface TimeSpan {
  readonly low: number;
  readonly high: number;
}

/** First and last millisecond of a date of any precision; without a zone it is UTC. Undefined when it is none. */
export function spanOf(text: string): TimeSpan | undefined {
  const match = PARTIAL.exec(text);
  if (match === null) return undefined;
  const [, year = '', month, day, hour, minute = '0', second, fraction, zone] = match;
  if (!inCalendar(Number(year), Number(month ?? 1), Number(day ?? 1))) return undefined;
  const start = Date.UTC(Number(year), Number(month ?? 1) - 1, Number(day ?? 1));
  if (hour === undefined) return { low: start, high: nextUnit(Number(year), month, day) - 1 };
  const offset = zoneOffset(zone);
  const low = start + clock(hour, minute, second, fraction) - offset;
  return { low, high: low + width(second, fraction) - 1 };
}

function inCalendar(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function nextUnit(year: number, month: string | undefined, day: string | undefined): number {
  if (month === undefined) return Date.UTC(year + 1, 0, 1);
  if (day === undefined) return Date.UTC(year, Number(month), 1);
  return Date.UTC(year, Number(month) - 1, Number(day) + 1);
}

function clock(hour: string, minute: string, second = '0', fraction = ''): number {
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3));
  return Number(hour) * 3_600_000 + Number(minute) * 60_000 + Number(second) * 1000 + milliseconds;
}

function zoneOffset(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * 60_000;
}

/** How long a time of the given precision lasts. */
function width(second: string | undefined, fraction: string | undefined): number {
  if (second === undefined) return 60_000;
  return fraction === undefined ? 1000 : 10 ** Math.max(0, 3 - fraction.length);
}
