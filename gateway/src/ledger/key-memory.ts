/** For how long the gateways go by an Idempotency-Key, and what they say of one that comes with another request. */
import { IDEMPOTENCY_DAYS } from '@salus/chaincode/ehr/api';

import { Refusal } from './refusal.js';

/** Ms by which a gateway's clock may be ahead of the ledger's: what is over here must be over there. */
const AHEAD_MS = 600_000;

/** The instant before which keys were used that may be used anew now; both in ms since 1970. */
export function keysOverBefore(now: number): number {
  return now - IDEMPOTENCY_DAYS * 86_400_000 - AHEAD_MS;
}

/** Whether a key that was used then may be used anew now; both in ms since 1970. */
export function isKeyOver(used: number, now: number): boolean {
  return used < keysOverBefore(now);
}

/** The answer to a key that stands for something else (draft-ietf-httpapi-idempotency-key-header, section 2.7). */
export function usedForAnother(): Refusal {
  return new Refusal('invalid', 'unprocessable', 'this Idempotency-Key was used for another request; take a new one');
}
