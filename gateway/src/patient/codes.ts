/** Which identifiers of a Patient other hospitals find it by, and the codes that stand for them on the ledger. Pure. */
import { createHmac } from 'node:crypto';

import { MAX_CODES } from '@salus/chaincode/patient/api';

import type { JsonObject } from '../fhir/json.js';

/** Characters of the longest identifier that a patient is listed under. */
export const LONGEST_IDENTIFIER = 256;

/** An identifier as it is looked up: the same however somebody spaced it. */
export interface ListedIdentifier {
  readonly system: string;
  readonly value: string;
}

/**
 * Types of HL7 table 0203 (http://terminology.hl7.org/CodeSystem/v2-0203) that mean something at one hospital alone:
 * record, visit, account and other internal numbers. They are never listed.
 */
const LOCAL_TYPES: ReadonlySet<unknown> = new Set(['MR', 'MRT', 'PI', 'PT', 'PN', 'VN', 'AN', 'RI', 'U', 'ANON']);
/** Uses (R4 identifier-use) of identifiers that are the person's no more, or not for good. */
const PASSING: ReadonlySet<unknown> = new Set(['temp', 'old']);

/** The identifiers that a Patient is listed or looked up by: those with a system, known beyond one hospital. */
export function listedIdentifiers(patient: JsonObject): readonly ListedIdentifier[] {
  const identifiers = Array.isArray(patient.identifier) ? (patient.identifier as JsonObject[]) : [];
  const found = identifiers.flatMap(({ system, value, use, type }) => {
    const folded = typeof value === 'string' ? foldedValue(value) : '';
    const isListed = typeof system === 'string' && folded !== '' && !PASSING.has(use) && !isLocal(type);
    return isListed ? [{ system, value: folded }] : [];
  });
  return found.slice(0, MAX_CODES);
}

/**
 * Hex HMAC-SHA256 of custodian and identifier under a quarter's secret: what one custodian lists for an identifier has
 * nothing in common with what another one lists for it.
 */
export function codeOf(secret: Uint8Array, custodian: string, { system, value }: ListedIdentifier): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([custodian, system, value]))
    .digest('hex');
}

/** Without case, spaces, dots and hyphens; what is longer than identifiers are has none: normalising costs the square of it. */
function foldedValue(value: string): string {
  if (value.length > LONGEST_IDENTIFIER) return '';
  return value
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s.\-\u2010-\u2015]/g, '');
}

function isLocal(type: unknown): boolean {
  const { coding = [] } = (type ?? {}) as { coding?: readonly { code?: unknown }[] };
  return coding.some(({ code }) => LOCAL_TYPES.has(code));
}
