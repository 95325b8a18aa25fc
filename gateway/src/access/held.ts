/**
 * Accesses that the pages of one search go on under: the first page asks for one, and the custodian's door honours it for
 * ten minutes, deciding anew each time. Whatever else is asked is asked for on the ledger.
 */
import { ACCESS_LIFETIME_MS, type AccessScope } from '@salus/chaincode/access/api';

import type { Actor } from '../ports.js';

/** Accesses held at most. */
export const MOST_HELD = 10_000;
/** Below the door's limit: what is asked must still arrive in time. */
const HELD_MS = ACCESS_LIFETIME_MS - 60_000;

/** Permitted accesses by who asked for what, as long as a door will honour them. */
export class HeldAccesses<T> {
  readonly #held = new Map<string, { readonly until: number; readonly permitted: T }>();

  /** `now`: milliseconds since 1970. */
  constructor(private readonly now: () => number) {}

  /** Holds what was permitted at a tick (FHIR instant). */
  keep(asked: Asked, at: string, permitted: T): void {
    const key = keyOf(asked);
    this.#held.delete(key);
    const [oldest] = this.#held.size >= MOST_HELD ? this.#held.keys() : [];
    if (oldest !== undefined) this.#held.delete(oldest);
    this.#held.set(key, { until: Date.parse(at) + HELD_MS, permitted });
  }

  /** What this very person may go on under, for the same purpose and no wider scope. */
  find(asked: Asked): T | undefined {
    const found = this.#held.get(keyOf(asked));
    return found !== undefined && found.until > this.now() ? found.permitted : undefined;
  }
}

/** Who asks for what of whom. */
export interface Asked {
  readonly actor: Actor;
  /** FHIR id at the custodian. */
  readonly patient: string;
  readonly scope: AccessScope;
}

function keyOf({ actor, patient, scope }: Asked): string {
  const { user, role, purpose } = actor;
  return JSON.stringify([user, role, purpose, patient, scope.interaction, scope.types, scope.id]);
}
