/** Places on the globe, for Location.position alone (R4 location.html#positional). */
import type { IndexRows } from './rows.js';

interface Position {
  readonly latitude?: number;
  readonly longitude?: number;
}

/** The term that every position stands beside. */
export const PLACE = 'position';

function position(rows: IndexRows, parameter: number, { latitude, longitude }: Position): void {
  if (latitude === undefined || longitude === undefined) return;
  rows.position({ parameter, a: PLACE, b: '', t: '' }, latitude, longitude);
}

/** Converters of `special` parameters, by the path of a backbone element. */
export const specialConverters = { 'Location.position': position } as const;
