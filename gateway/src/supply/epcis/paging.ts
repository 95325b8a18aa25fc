/** Pages of answers: opaque tokens over what was found at the first request (EPCIS 2.0 section 12.3). */
import { randomBytes } from 'node:crypto';

import { EpcisProblem } from './problem.js';

/** Items of a page where the client does not say. */
const DEFAULT_PER_PAGE = 30;
/** Most items of a page. */
export const MAX_PER_PAGE = 1_000;
/** How long a token lives, milliseconds. */
export const TOKEN_LIFETIME_MS = 10 * 60_000;
/** Most tokens alive at once; the oldest give way. */
export const MAX_TOKENS = 1_000;

interface Rest {
  readonly items: readonly unknown[];
  readonly path: string;
  readonly owner: string;
  readonly expires: number;
}

/** One page, and where the next one is. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: { readonly token: string; readonly expires: string };
}

/** Remembers what is left of answers. */
export class Pages {
  readonly #rests = new Map<string, Rest>();

  constructor(private readonly now: () => number) {}

  /** The first page of what was found, or is left of it. */
  first<T>(items: readonly T[], perPage: number, path: string, owner: string): Page<T> {
    if (items.length <= perPage) return { items };
    const token = randomBytes(24).toString('base64url');
    const expires = this.now() + TOKEN_LIFETIME_MS;
    this.#rests.set(token, { items: items.slice(perPage), path, owner, expires });
    for (const oldest of [...this.#rests.keys()].slice(0, Math.max(0, this.#rests.size - MAX_TOKENS))) {
      this.#rests.delete(oldest);
    }
    return { items: items.slice(0, perPage), next: { token, expires: new Date(expires).toISOString() } };
  }

  /** The next page of an answer under the same path. Throws NoSuchResourceException for a token that is not alive. */
  next(token: string, perPage: number, path: string, owner: string): Page<unknown> {
    const rest = this.#rests.get(token);
    if (rest === undefined || rest.expires < this.now() || rest.path !== path || rest.owner !== owner) {
      throw new EpcisProblem('NoSuchResourceException', 'this nextPageToken is not alive: ask from the start');
    }
    return this.first(rest.items, perPage, path, owner);
  }

  /** Forgets a token. */
  drop(token: string, owner: string): void {
    if (this.#rests.get(token)?.owner === owner) this.#rests.delete(token);
  }
}

/** The items per page that a request asks for. Throws QueryParameterException. */
export function perPageOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PER_PAGE;
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MAX_PER_PAGE) return count;
  throw new EpcisProblem('QueryParameterException', `perPage must be a whole number from 1 to ${MAX_PER_PAGE}`);
}
