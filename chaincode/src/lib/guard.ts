/**
 * The endorser's clock: the one use of a clock in chaincode. It refuses; nothing read from it is ever written.
 * The process that hosts the contracts sets it, and there is none before.
 */
import type { Certificate } from './certificate';
import { refuseCall } from './refusal';

/** Furthest a proposal's timestamp may be from an endorser's clock, ms. */
const TIMESTAMP_TOLERANCE_MS = 300_000;

let clock: (() => number) | undefined;

/** Sets the endorser's clock: milliseconds since 1970. */
export function setEndorserClock(read: () => number): void {
  clock = read;
}

/** Whether an instant is within so many milliseconds of the endorser's clock. */
export function isNearEndorserClock(instant: string, tolerance: number): boolean {
  return Math.abs(Date.parse(instant) - endorserNow()) <= tolerance;
}

/** Refuses a proposal from another time, and a caller whose certificate is not valid now. */
export function admit(timestamp: string, certificate: Certificate): void {
  if (!isNearEndorserClock(timestamp, TIMESTAMP_TOLERANCE_MS)) {
    throw refuseCall('timestamp-too-far', 'the proposal is more than 5 minutes from this endorser: make a new one');
  }
  const now = endorserNow();
  if (now < certificate.validFrom || now > certificate.validTo) {
    throw refuseCall('certificate-not-valid', "the gateway's certificate is not valid now: renew it");
  }
}

function endorserNow(): number {
  if (clock === undefined) throw new Error("the endorser's clock is not set");
  return clock();
}
