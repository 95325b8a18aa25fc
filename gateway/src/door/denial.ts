/** A version of a consent that denies something, told before the ledger has it: from now on this door obeys it. */
import { MAX_CONSENT_CHARACTERS, parseRecord, type RecordConsent } from '@salus/chaincode/consent/api';

import type { TrustedConsents } from '../consent/trusted.js';

/** Where a door hears of denials, below DOOR_BASE. */
export const DENIAL_PATH = '$denial';
/** Longest body a door reads of one, bytes: a consent, of whose characters each takes three at most, and its statement, which takes twice as many. */
export const MAX_DENIAL_BYTES = 5 * MAX_CONSENT_CHARACTERS;

/** Who tells a denial that will count here from one that will not. */
export interface DenialPorts {
  readonly trusted: Pick<TrustedConsents, 'hear'>;
}

/** Told is the request for the ledger itself; whether it is obeyed is not said. Undefined for what is no such request. */
export function hearDenial({ trusted }: DenialPorts, teller: string, body: string): object | undefined {
  const said = parse(body);
  if (said === undefined) return undefined;
  trusted.hear(teller, said);
  return {};
}

function parse(body: string): RecordConsent | undefined {
  try {
    return parseRecord(JSON.parse(body), 'request');
  } catch {
    return undefined;
  }
}
