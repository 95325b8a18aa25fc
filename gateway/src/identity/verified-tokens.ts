/** Remembers tokens whose signature was checked a moment ago: a client sends the same one with every request. */
import { hash } from 'node:crypto';

import type { JWTPayload } from 'jose';

/** A token is verified again after this, so that a key its issuer withdraws counts no longer than that, ms. */
export const VERIFIED_FOR_MS = 60_000;
/** Tokens remembered; beyond, memory is emptied and filled again. */
export const VERIFIED_LIMIT = 10_000;

interface Verified {
  readonly payload: JWTPayload;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Payloads of verified tokens by the tokens' hashes; never beyond a token's own end. */
export class VerifiedTokens {
  readonly #known = new Map<string, Verified>();

  /** The payload of a token verified before; undefined when it must be verified. */
  find(token: string, now: number): JWTPayload | undefined {
    const found = this.#known.get(nameOf(token));
    return found !== undefined && now < found.until ? found.payload : undefined;
  }

  keep(token: string, payload: JWTPayload, now: number): void {
    if (this.#known.size >= VERIFIED_LIMIT) this.#known.clear();
    const until = Math.min(now + VERIFIED_FOR_MS, (payload.exp ?? 0) * 1000);
    this.#known.set(nameOf(token), { payload, until });
  }
}

function nameOf(token: string): string {
  return hash('sha256', token, 'base64');
}
