/** A gateway's subscriptions to topics, kept sealed: endpoints and headers are secrets of those who subscribe. */
import type { PendingWork } from '../../keys/pending-work.js';
import type { Actor } from '../../ports.js';
import type { JsonObject } from '../json.js';

const KIND = 'topic-subscription/';

/** R4 subscription-status. */
export type Status = 'requested' | 'active' | 'error' | 'off';

/** A place in the order of the projection's versions; `at`, the version's time, tells whether it is still that place. */
export interface Place {
  readonly vid: number;
  /** FHIR instant. */
  readonly at: string;
}

/** Something that a subscriber is told: under the same number however often. */
export interface TopicEvent {
  readonly number: number;
  readonly id: string;
  /** Version of the resource. */
  readonly version: number;
  /** FHIR instant at which it was committed. */
  readonly at: string;
}

/** A subscription with how far its subscriber was told. */
export interface Kept {
  readonly id: string;
  readonly version: number;
  /** FHIR instant. */
  readonly lastUpdated: string;
  /** As it was sent, headers included. */
  readonly resource: JsonObject;
  readonly status: Status;
  /** Milliseconds since 1970. */
  readonly end: number;
  /** Why it is in error. */
  readonly error?: string | undefined;
  /** Who made it, with the rights that count for all it is told. */
  readonly actor: Actor;
  /** The last version that was looked at. */
  readonly place: Place;
  /** Events since it began. */
  readonly count: number;
  /** Number of the last event that its subscriber took. */
  readonly told: number;
  /** The newest ones, by number. */
  readonly events: readonly TopicEvent[];
}

/** Its reader and writer, durable on return. */
export class SubscriptionStore {
  readonly #all: Map<string, Kept>;

  constructor(private readonly pending: Pick<PendingWork, 'keep' | 'drop' | 'list'>) {
    this.#all = new Map(pending.list<Kept>(KIND).map(({ value }) => [value.id, value]));
  }

  all(): readonly Kept[] {
    return [...this.#all.values()];
  }

  get(id: string): Kept | undefined {
    return this.#all.get(id);
  }

  keep(kept: Kept): void {
    this.pending.keep(KIND + kept.id, kept);
    this.#all.set(kept.id, kept);
  }

  /** Keeps what is different of one that is still there. */
  change(id: string, different: Partial<Kept>): void {
    const kept = this.#all.get(id);
    if (kept !== undefined) this.keep({ ...kept, ...different });
  }

  drop(id: string): void {
    this.pending.drop(KIND + id);
    this.#all.delete(id);
  }
}
