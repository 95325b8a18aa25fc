/** Keeps who guesses passwords out: a name is locked after a few wrong ones, and a gateway takes so many a minute. */

/** What the sign-in page bears. */
export const SIGN_IN_LIMITS = {
  /** Wrong passwords for one name before it is locked. */
  wrongPasswords: 5,
  /** Minutes from the last wrong one for which a name stays locked. */
  lockedMinutes: 15,
  /** Passwords that a gateway looks at in a minute, whoever they are for. */
  attemptsPerMinute: 60,
} as const;

const MINUTE_MS = 60_000;
const LOCKED_MS = SIGN_IN_LIMITS.lockedMinutes * MINUTE_MS;

interface Wrong {
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly last: number;
}

/** Counts attempts at one gateway. */
export class LockOut {
  readonly #wrong = new Map<string, Wrong>();
  #minute = { start: 0, attempts: 0 };

  /** Counts an attempt; seconds to wait where it must not be looked at, 0 where it may. `now`: ms since 1970. */
  attempt(name: string, now: number): number {
    const wrong = this.#wrong.get(name);
    if (wrong !== undefined && now - wrong.last >= LOCKED_MS) this.#wrong.delete(name);
    else if (wrong !== undefined && wrong.count >= SIGN_IN_LIMITS.wrongPasswords) {
      return Math.ceil((wrong.last + LOCKED_MS - now) / 1000);
    }
    if (now - this.#minute.start >= MINUTE_MS) this.#minute = { start: now, attempts: 0 };
    if (this.#minute.attempts >= SIGN_IN_LIMITS.attemptsPerMinute) {
      return Math.ceil((this.#minute.start + MINUTE_MS - now) / 1000);
    }
    this.#minute.attempts += 1;
    // Counted as wrong until it proves right: attempts at the same time are not one.
    this.#count(name, now);
    return 0;
  }

  /** The attempt was right. */
  succeeded(name: string): void {
    this.#wrong.delete(name);
  }

  #count(name: string, now: number): void {
    const { count = 0 } = this.#wrong.get(name) ?? {};
    this.#wrong.delete(name);
    // Whose lock is over go, oldest first: what is left is no more than the attempts of that time.
    for (const [each, { last }] of this.#wrong) {
      if (now - last < LOCKED_MS) break;
      this.#wrong.delete(each);
    }
    this.#wrong.set(name, { count: count + 1, last: now });
  }
}
