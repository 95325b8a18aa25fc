/** What a logger signed, read, and compared with what an event's sensor reports say of it (EPCIS 2.0 section 7.3.8). Pure. */
import { createHash } from 'node:crypto';

import type { ReadingBatch } from '@salus/chaincode/supply/api';

import { isMap, type JsonMap } from '../event/json.js';
import { celsius } from '../event/units.js';

/** A batch and who signed it; whether the signature is right the contracts say. */
export interface ReadBatch extends ReadingBatch {
  readonly logger: string;
}

/** The batch in a compact JWS; undefined where there is none. */
export function readBatch(signed: string): ReadBatch | undefined {
  const [header, payload] = signed.split('.').map(jsonOf);
  if (header === undefined || payload === undefined || typeof header.kid !== 'string') return undefined;
  const { from, every, readings } = payload;
  const isWhole = typeof from === 'string' && typeof every === 'number' && isNumbers(readings);
  return isWhole ? { logger: header.kid, from, every, readings } : undefined;
}

/** SHA-256 of a batch as the ledger names it, hex. */
export function digestOf(signed: string): string {
  return createHash('sha256').update(signed).digest('hex');
}

/** Batches in the order in which they were read, each with its digest; what is no batch is left out. */
export function inTime(
  all: readonly string[],
): readonly (ReadBatch & { readonly signed: string; readonly digest: string })[] {
  return all
    .flatMap((signed) => {
      const batch = readBatch(signed);
      return batch === undefined ? [] : [{ ...batch, signed, digest: digestOf(signed) }];
    })
    .sort((a, b) => (a.from < b.from ? -1 : 1));
}

/** Least difference that is no rounding, thousandths of a degree Celsius. */
const TOLERANCE = 1;
const TEMPERATURE = /(?:^|[:/])Temperature$/;

/** Whether the reports say nothing else than the batch: each value in its order, or the least and the most of them. */
export function saysTheSame(reports: readonly unknown[], { readings }: ReadingBatch): boolean {
  const said = reports.filter(isMap).filter(({ type }) => TEMPERATURE.test(String(type)));
  const values = said.filter(({ value }) => value !== undefined);
  const isSame = (report: JsonMap, name: string, reading: number | undefined): boolean => {
    const degrees = celsius(Number(report[name]), String(report.uom));
    return degrees !== undefined && reading !== undefined && Math.abs(degrees * 1_000 - reading) < TOLERANCE;
  };
  if (values.length > 0 && values.length !== readings.length) return false;
  const extremes = { minValue: Math.min, maxValue: Math.max };
  return (
    values.every((report, index) => isSame(report, 'value', readings[index])) &&
    Object.entries(extremes).every(([name, pick]) =>
      said
        .filter((report) => report[name] !== undefined)
        .every((report) =>
          isSame(
            report,
            name,
            readings.reduce((a, b) => pick(a, b)),
          ),
        ),
    )
  );
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'number');
}

function jsonOf(part: string): JsonMap | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
