/** Subscriptions to named queries (EPCIS 2.0 section 8.2.5): what is kept, and what is delivered when. */
import { setTimeout as sleep } from 'node:timers/promises';

import { BackOff } from '../../back-off.js';
import type { Destinations } from '../../delivery/destinations.js';
import type { Line as OpenLine } from '../../delivery/sockets.js';
import { STANDARD, withContext } from '../event/namespaces.js';
import type { PrefixLength } from '../gs1/epc.js';
import type { PendingWork } from '../../keys/pending-work.js';
import { type EpcFormat, queryDocument, respelling } from './answer.js';
import { parametersOf, readQuery, runQuery } from './query.js';
import type { EventRepository } from './repository.js';
import { dueAfter, type Schedule } from './schedule.js';
import type { ReadableEvent } from './stored.js';
import { tellWebhook } from './webhook.js';

/** Events in one delivery at most. */
export const MAX_DELIVERED_EVENTS = 1_000;
/** Pause between looks at what is due, milliseconds. */
const LOOK_MS = 500;
/** How often a stream is looked at even if nothing was captured here: another gateway of the member may have. */
const STREAM_MS = 30_000;
/** How long what a websocket's subscriber has not heard yet is kept for it once it went, milliseconds. */
export const AWAY_MS = 24 * 3_600_000;
const KIND = 'subscription/';

/** A subscription with how far its subscriber was told. */
export interface Subscription {
  readonly subscriptionID: string;
  readonly queryName: string;
  /** Address of a webhook; absent = whoever holds its websocket open. */
  readonly dest?: string | undefined;
  /** Of a websocket: the user who may come back for it. */
  readonly owner?: string | undefined;
  /** Of a websocket: since when its subscriber is away, milliseconds since 1970; absent while it is open. */
  readonly left?: number | undefined;
  /** Key of the HMAC over each delivery. */
  readonly signatureToken?: string | undefined;
  readonly reportIfEmpty: boolean;
  readonly epcFormat: EpcFormat;
  readonly createdAt: string;
  /** Absent = every event at once, as a stream. */
  readonly schedule?: Schedule | undefined;
  /** When a schedule is due, milliseconds since 1970. */
  readonly due: number;
  /** Key of the last event that its subscriber was told of, or that did not concern it. */
  readonly told: string;
  /** Key of the last event of a delivery that was begun: sent again it is the same. */
  readonly sending?: string | undefined;
}

/** With a delivery on its way. */
export type Begun = Subscription & { readonly sending: string };
/** Why a websocket is of no use any longer: its subscription was deleted, or its user went on over another one. */
export type LineEnd = 'deleted' | 'taken-over';

/** A websocket that is open. */
export interface Line extends OpenLine {
  readonly end: (why: LineEnd) => void;
}

/** What subscriptions are run with. */
export interface SubscriptionPorts {
  readonly repository: EventRepository;
  readonly pending: Pick<PendingWork, 'keep' | 'drop' | 'list'>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** FHIR instant. */
  readonly now: () => string;
  readonly prefixLength: PrefixLength;
  /** Where webhooks may be. */
  readonly destinations: Destinations;
}

/** One gateway's subscriptions. */
export class Subscriptions {
  readonly #subscribers = new BackOff();
  readonly #looked = new Map<string, number>();
  /** Websockets that are open, by subscription. */
  readonly #lines = new Map<string, Line>();

  constructor(private readonly ports: SubscriptionPorts) {}

  /** The address of a webhook as it is kept; undefined where it may not be told. */
  allowed(dest: unknown): string | undefined {
    return this.ports.destinations.allowed(dest);
  }

  /** All of one query. */
  of(queryName: string): readonly Subscription[] {
    return this.#all().filter((each) => each.queryName === queryName);
  }

  keep(subscription: Subscription): void {
    this.ports.pending.keep(KIND + subscription.subscriptionID, subscription);
  }

  drop(subscriptionID: string): void {
    this.ports.pending.drop(KIND + subscriptionID);
    const line = this.#lines.get(subscriptionID);
    this.#lines.delete(subscriptionID);
    line?.end('deleted');
  }

  /** A websocket is open: what is due goes there, and nowhere else. A new subscription is kept from here on. */
  connected(subscription: Subscription, line: Line): void {
    const { subscriptionID } = subscription;
    this.keep({ ...subscription, left: undefined });
    const before = this.#lines.get(subscriptionID);
    this.#lines.set(subscriptionID, line);
    before?.end('taken-over');
    this.#subscribers.worked(subscriptionID);
    this.#looked.delete(subscriptionID);
  }

  /** It is no more: who is done has no subscription any longer, for others what they have not heard is kept a day. */
  disconnected(subscriptionID: string, line: Line, isDone: boolean): void {
    if (this.#lines.get(subscriptionID) !== line) return;
    this.#lines.delete(subscriptionID);
    const known = this.#all().find((each) => each.subscriptionID === subscriptionID);
    if (isDone) this.drop(subscriptionID);
    else if (known !== undefined) this.keep({ ...known, left: this.ports.clock() });
  }

  /** Ends all of a query that is deleted. */
  dropAll(queryName: string): void {
    for (const { subscriptionID } of this.of(queryName)) this.drop(subscriptionID);
  }

  /** Where a subscription begins: after the last event there is, or at a time. */
  start(initialRecordTime?: string): string {
    if (initialRecordTime !== undefined) return `event/${initialRecordTime}`;
    return this.ports.repository.newest();
  }

  /** Events were captured: streams are looked at. */
  wake(): void {
    this.#looked.clear();
  }

  /** Delivers what is due until the signal aborts. */
  async goOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await Promise.all(
        this.#all()
          .filter((each) => this.#isDue(each))
          .map((each) => this.#deliver(each)),
      );
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #all(): readonly Subscription[] {
    return this.ports.pending.list<Subscription>(KIND).map(({ value }) => value);
  }

  /** Whoever was there when a process before this one was killed is away since now. */
  #away(subscription: Subscription): void {
    const { subscriptionID, left } = subscription;
    if (left === undefined) this.keep({ ...subscription, left: this.ports.clock() });
    else if (this.ports.clock() > left + AWAY_MS) this.drop(subscriptionID);
  }

  #isDue(subscription: Subscription): boolean {
    const { subscriptionID, dest, schedule, due, sending } = subscription;
    if (dest === undefined && !this.#lines.has(subscriptionID)) {
      this.#away(subscription);
      return false;
    }
    if (this.#subscribers.isWaiting(subscriptionID)) return false;
    if (sending !== undefined) return true;
    if (schedule !== undefined) return this.ports.clock() >= due;
    return Date.now() >= (this.#looked.get(subscriptionID) ?? 0) + STREAM_MS;
  }

  async #deliver(subscription: Subscription): Promise<void> {
    const { subscriptionID, schedule, told } = subscription;
    this.#looked.set(subscriptionID, Date.now());
    const { events, last } = this.#found(subscription);
    const due = schedule === undefined ? 0 : (dueAfter(schedule, this.ports.clock()) ?? 0);
    if (events.length > 0 || isToldEmpty(subscription)) {
      await this.#begin({ ...subscription, sending: events.length === 0 ? told : last }, events, due);
    } else if (last !== told || schedule !== undefined) this.#move({ ...subscription, due, told: last });
  }

  /** Kept first: what is sent again after a kill is the same delivery under the same name. */
  async #begin(subscription: Begun, events: readonly ReadableEvent[], due: number): Promise<void> {
    const { subscriptionID: id, sending } = subscription;
    this.keep(subscription);
    if (await this.#send(subscription, events)) {
      this.#subscribers.worked(id);
      this.#looked.delete(id);
      this.#move({ ...subscription, due, told: sending, sending: undefined });
      return;
    }
    this.#subscribers.failed(id);
  }

  /** Keeps how far it is, unless it was ended in the meantime. */
  #move(subscription: Subscription): void {
    if (this.of(subscription.queryName).some((each) => each.subscriptionID === subscription.subscriptionID)) {
      this.keep(subscription);
    }
  }

  /** What is to be delivered now, in the order of capture, and the last event that was looked at. */
  #found({ queryName, told, sending }: Subscription): {
    readonly events: readonly ReadableEvent[];
    readonly last: string;
  } {
    const { repository } = this.ports;
    const { query } = repository.namedQuery(queryName) ?? {};
    const all = repository.all(told).filter(({ key }) => key <= (sending ?? '\u{10ffff}'));
    if (query === undefined) return { events: [], last: all.at(-1)?.key ?? told };
    const asking = { namespaces: withContext(STANDARD, query['@context']), master: repository.master };
    const found = new Set(runQuery(readQuery(parametersOf(query), asking), all));
    const events = all.filter((each) => found.has(each)).slice(0, MAX_DELIVERED_EVENTS);
    const isWhole = events.length === found.size;
    return { events, last: (isWhole ? all.at(-1)?.key : events.at(-1)?.key) ?? told };
  }

  async #send(subscription: Begun, events: readonly ReadableEvent[]): Promise<boolean> {
    const { subscriptionID, queryName, dest, epcFormat } = subscription;
    const respell = respelling(epcFormat, this.ports.prefixLength);
    const text = JSON.stringify(queryDocument(events, queryName, this.ports.now(), respell, subscriptionID));
    if (dest !== undefined) return await tellWebhook(this.ports.destinations, { ...subscription, dest }, text);
    return (await this.#lines.get(subscriptionID)?.deliver(text)) ?? false;
  }
}

/** A schedule reports that there is nothing, where it is asked for. */
function isToldEmpty({ reportIfEmpty, schedule }: Subscription): boolean {
  return reportIfEmpty && schedule !== undefined;
}
