/** For how long the gateways go by an Idempotency-Key. */
import { IDEMPOTENCY_DAYS } from '@salus/chaincode/ehr/api';

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
