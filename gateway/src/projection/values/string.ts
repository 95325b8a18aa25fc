/** Strings: every part of a name or an address is a value of its own. */
import type { IndexRows } from './rows.js';
import { INDEXED_TEXT_LENGTH, normalized } from './text.js';

type Parts = Readonly<Record<string, unknown>>;

function plain(rows: IndexRows, parameter: number, value: string): void {
  if (typeof value === 'string' && value !== '')
    rows.term(parameter, normalized(value), value.slice(0, INDEXED_TEXT_LENGTH));
}

function partsOf(names: readonly string[]) {
  return (rows: IndexRows, parameter: number, value: Parts): void => {
    for (const name of names) {
      const part = value[name];
      if (Array.isArray(part)) for (const each of part as unknown[]) plain(rows, parameter, each as string);
      else plain(rows, parameter, part as string);
    }
  };
}

/** Converters of `string` parameters. */
export const stringConverters = {
  string: plain,
  markdown: plain,
  code: plain,
  HumanName: partsOf(['family', 'given', 'text', 'prefix', 'suffix']),
  Address: partsOf(['line', 'city', 'district', 'state', 'postalCode', 'country', 'text']),
} as const;
