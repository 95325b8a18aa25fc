/** Dates, times and periods as spans. */
import { BEGINNING, END, spanOf } from './dates.js';
import type { IndexRows } from './rows.js';

interface Period {
  readonly start?: string;
  readonly end?: string;
}

interface Timing {
  readonly event?: readonly string[];
  readonly repeat?: { readonly boundsPeriod?: Period };
}

function moment(rows: IndexRows, parameter: number, value: string): void {
  const span = spanOf(value);
  if (span !== undefined) rows.span(parameter, span.low, span.high);
}

function period(rows: IndexRows, parameter: number, value: Period): void {
  if (value.start === undefined && value.end === undefined) return;
  const low = value.start === undefined ? BEGINNING : spanOf(value.start)?.low;
  const high = value.end === undefined ? END : spanOf(value.end)?.high;
  if (low !== undefined && high !== undefined) rows.span(parameter, low, high);
}

/** The outer limits of a timing: its first to its last event, or its bounds. */
function timing(rows: IndexRows, parameter: number, value: Timing): void {
  const spans = (value.event ?? []).flatMap((event) => spanOf(event) ?? []);
  if (spans.length > 0) {
    rows.span(parameter, Math.min(...spans.map((each) => each.low)), Math.max(...spans.map((each) => each.high)));
  }
  if (value.repeat?.boundsPeriod !== undefined) period(rows, parameter, value.repeat.boundsPeriod);
}

/** Converters of `date` parameters; a Timing is indexed by the span of its events, and by its bounds. */
export const dateConverters = {
  date: moment,
  dateTime: moment,
  instant: moment,
  Period: period,
  Timing: timing,
} as const;
