/** Tokens that bind a websocket to subscriptions: known to this process alone, and for minutes. */
import { hash, randomBytes } from 'node:crypto';

import { SUBSCRIPTION_LIMITS } from './limits.js';

/** What a token lets a websocket hear. */
export interface Binding {
  readonly ids: readonly string[];
  readonly user: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Tokens that one user may hold. */
const OF_ONE_USER = 100;

/** One gateway's tokens, by their hashes. */
export class Bindings {
  readonly #issued = new Map<string, Binding>();

  constructor(private readonly clock: () => number) {}

  issue(ids: readonly string[], user: string): { readonly token: string; readonly until: number } {
    this.#forget(user);
    const token = randomBytes(32).toString('base64url');
    const until = this.clock() + SUBSCRIPTION_LIMITS.bindingSeconds * 1_000;
    this.#issued.set(hash('sha256', token), { ids, user, until });
    return { token, until };
  }

  /** What the token is good for; undefined where it is not, or no longer. */
  find(token: string): Binding | undefined {
    const binding = this.#issued.get(hash('sha256', token));
    return binding !== undefined && binding.until > this.clock() ? binding : undefined;
  }

  /** What is over, and the oldest of one who asks for too many. */
  #forget(user: string): void {
    for (const [name, { until }] of this.#issued) if (until <= this.clock()) this.#issued.delete(name);
    const own = [...this.#issued].filter(([, binding]) => binding.user === user);
    for (const [name] of own.slice(0, Math.max(0, own.length - OF_ONE_USER + 1))) this.#issued.delete(name);
  }
}
