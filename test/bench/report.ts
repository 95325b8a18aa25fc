import type { Measure } from './meter.js';

/** One line of an aim: a ratio within this run, and what is hoped for. */
export interface Ratio {
  readonly what: string;
  readonly value: number;
  readonly aim: string;
}

/** The table of what was measured. */
export function table(measures: readonly Measure[]): string {
  const names = [...new Set(measures.flatMap(({ cpu }) => Object.keys(cpu)))];
  const head = ['operation', 'at once', 'per second', 'p50 ms', 'p90 ms', ...names.map((name) => `${name} CPU-ms`)];
  const rows = measures.map((measured) => [
    measured.name,
    String(measured.concurrency),
    measured.rate.toFixed(0),
    measured.p50.toFixed(2),
    measured.p90.toFixed(2),
    ...names.map((name) => measured.cpu[name]?.toFixed(2) ?? ''),
  ]);
  return aligned([head, ...rows]);
}

/** The table of ratios. */
export function ratioTable(ratios: readonly Ratio[]): string {
  return aligned([
    ['ratio', 'this run', 'aim'],
    ...ratios.map(({ what, value, aim }) => [what, value.toFixed(2), aim]),
  ]);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
