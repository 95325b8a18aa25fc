import type { Period, Span } from './terms';

const SHAPE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

const OPEN: Span = { from: -Infinity, to: Infinity };

/** Dates read before; emptied when full. What a text stands for never changes. */
const known = new Map<string, Span | undefined>();
const MAX_KNOWN = 10_000;

/** Span that a FHIR date, dateTime or instant stands for; a missing zone is UTC; undefined = not a date. */
export function spanOf(text: string): Span | undefined {
  const before = known.get(text);
  if (before !== undefined || known.has(text)) return before;
  if (known.size >= MAX_KNOWN) known.clear();
  const span = read(text);
  known.set(text, span);
  return span;
}

function read(text: string): Span | undefined {
  const parts = SHAPE.exec(text);
  if (parts === null) return undefined;
  const [year, month, day] = [number(parts[1]), number(parts[2], 1), number(parts[3], 1)];
  if (!isDay(year, month, day)) return undefined;
  if (parts[4] === undefined) return dateSpan(year, parts[2] && month, parts[3] && day);
  const [hour, minute, second] = [number(parts[4]), number(parts[5]), number(parts[6])];
  if (hour > 24 || minute > 59 || second > 60) return undefined;
  const fraction = parts[7] === undefined ? 0 : number(parts[7].slice(0, 3).padEnd(3, '0'));
  const from = Date.UTC(year, month - 1, day, hour, minute, second, fraction) - offset(parts[8]);
  return { from, to: from + precision(parts[6], parts[7]) - 1 };
}

/** Span of a Period; open ends are infinite; undefined = an end that is not a date. */
export function periodSpan({ start, end }: Period): Span | undefined {
  const first = start === undefined ? OPEN : spanOf(start);
  const last = end === undefined ? OPEN : spanOf(end);
  return first && last ? { from: first.from, to: last.to } : undefined;
}

function number(text: string | undefined, absent = 0): number {
  return text === undefined ? absent : Number(text);
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function dateSpan(year: number, month: number | '' | undefined, day: number | '' | undefined): Span {
  const from = Date.UTC(year, (month || 1) - 1, day || 1);
  const next = day
    ? Date.UTC(year, (month || 1) - 1, day + 1)
    : month
      ? Date.UTC(year, month, 1)
      : Date.UTC(year + 1, 0, 1);
  return { from, to: next - 1 };
}

function offset(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

function precision(seconds: string | undefined, fraction: string | undefined): number {
  if (fraction !== undefined) return 1;
  return seconds === undefined ? 60_000 : 1000;
}
