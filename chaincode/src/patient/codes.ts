/**
 * Look-up codes: by which another hospital finds whose patient somebody is, with an identifier in hand. A code is an HMAC
 * of custodian and identifier under the hospitals' secret of the quarter, so that without the secret two custodians' codes
 * for one person have nothing in common.
 */
import { keyOf } from '../lib/kind';
import { hex256, list, object, type Parser, text } from '../lib/schema';
import { lookupEntryKind, lookupSecretKind } from './state';

/** Most codes of one patient. */
export const MAX_CODES = 16;
/** Most patients in one patient:list-codes, and most entries in one patient:purge-codes. */
export const MAX_LISTED = 100;

/** A quarter of a calendar year (UTC): `2026-Q4`. */
export type Quarter = string;

/** One patient's codes, under a random id that is never used again. */
export interface ListedCodes {
  readonly entryId: string;
  readonly pid: string;
  readonly codes: readonly string[];
}

/** patient:list-codes: patients of the calling member's own. */
export interface ListCodes {
  /** Whose secret the codes are made with: the clock's. */
  readonly quarter: Quarter;
  readonly entries: readonly ListedCodes[];
  readonly salt: string;
}

/** patient:purge-codes: under an erasure that the calling member announced for exactly these keys, in this order. */
export interface PurgeCodes {
  readonly erasureId: string;
  readonly entries: readonly string[];
}

/** patient:new-secret. */
export interface NewSecret {
  readonly quarter: Quarter;
  /** 256 random bits. */
  readonly secret: string;
  readonly salt: string;
}

/** patient:secret. */
export interface ReadSecret {
  readonly quarter: Quarter;
}

/** patient:retire-secret: under an erasure that the calling member announced for its key. */
export interface RetireSecret {
  readonly erasureId: string;
  readonly quarter: Quarter;
}

/** Stored under lookup-entry/<custodian>/<entryId>. */
export interface LookupEntry {
  readonly pid: string;
  readonly codes: readonly string[];
}

/** Stored under lookup-secret/<quarter> in `care-keys`; what patient:secret answers. */
export interface LookupSecret {
  readonly secret: string;
}

/** The quarter in which a FHIR instant lies. */
export function quarterOf(instant: string): Quarter {
  const date = new Date(instant);
  return `${date.getUTCFullYear()}-Q${Math.floor(date.getUTCMonth() / 3) + 1}`;
}

/** The quarter before. */
export function quarterBefore(quarter: Quarter): Quarter {
  const [year = '', number = ''] = quarter.split('-Q');
  return number === '1' ? `${Number(year) - 1}-Q4` : `${year}-Q${Number(number) - 1}`;
}

/** The ledger's key of an entry in `care`. */
export function lookupEntryKey(custodian: string, entryId: string): string {
  return keyOf(lookupEntryKind, custodian, entryId);
}

/** The ledger's key of a quarter's secret in `care-keys`. */
export function lookupSecretKey(quarter: Quarter): string {
  return keyOf(lookupSecretKind, quarter);
}

const quarter = text(/^\d{4}-Q[1-4]$/, 'a quarter such as 2026-Q4');

/** Parser of ListCodes. */
export const parseListCodes: Parser<ListCodes> = object<ListCodes>({
  quarter,
  entries: list(
    object<ListedCodes>({ entryId: hex256, pid: hex256, codes: list(hex256, 1, MAX_CODES) }),
    1,
    MAX_LISTED,
  ),
  salt: hex256,
});

/** Parser of PurgeCodes. */
export const parsePurgeCodes: Parser<PurgeCodes> = object<PurgeCodes>({
  erasureId: hex256,
  entries: list(hex256, 1, MAX_LISTED),
});

/** Parser of NewSecret. */
export const parseNewSecret: Parser<NewSecret> = object<NewSecret>({ quarter, secret: hex256, salt: hex256 });

/** Parser of ReadSecret. */
export const parseReadSecret: Parser<ReadSecret> = object<ReadSecret>({ quarter });

/** Parser of RetireSecret. */
export const parseRetireSecret: Parser<RetireSecret> = object<RetireSecret>({ erasureId: hex256, quarter });
