/** URIs, compared character by character. */
import type { IndexRows } from './rows.js';

function plain(rows: IndexRows, parameter: number, value: string): void {
  rows.term(parameter, value);
}

/** Converters of `uri` parameters. */
export const uriConverters = { uri: plain, url: plain, canonical: plain, oid: plain, uuid: plain } as const;
