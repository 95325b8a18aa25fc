/**
 * Finds what subscribers are to be told of, and tells them: each event under one number, in order, again until it is taken.
 * What is told is decided and logged like every read, when it is told.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { BackOff } from '../../back-off.js';
import type { Destinations } from '../../delivery/destinations.js';
import { post } from '../../delivery/post.js';
import type { Line } from '../../delivery/sockets.js';
import type { Actor, StoredVersion } from '../../ports.js';
import { ifLost } from '../outcome.js';
import { foundEvents, type FindPorts } from './finding.js';
import { SUBSCRIPTION_LIMITS } from './limits.js';
import { notificationText, type NotificationType, type ShownEvent } from './notification.js';
import type { Kept, SubscriptionStore, TopicEvent } from './store.js';
import { type Content, wishOf } from './wish.js';

/** Pause between looks at what is due, milliseconds. */
const LOOK_MS = 250;
const DAY_MS = 86_400_000;

/** What notifications are made and sent with. */
export interface NotifyPorts extends FindPorts {
  readonly store: SubscriptionStore;
  readonly version: (type: string, id: string, version: number) => StoredVersion | undefined;
  /** Runs work that reads for somebody, and logs whose records it saw before its result is given out. Throws Refusal. */
  readonly read: <T>(actor: Actor, what: string, work: () => Promise<T>) => Promise<T>;
  readonly destinations: Destinations;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly baseUrl: string;
  readonly onFault: (error: unknown) => void;
}

/** What is sent: of what type, with what events. */
interface Sending {
  readonly type: NotificationType;
  readonly content?: Content;
  readonly events?: readonly TopicEvent[];
}

/** A notification, and the number of the last event in it; 0 = none. */
interface Made {
  readonly text: string;
  readonly upTo: number;
}

/** One gateway's notifications. */
export class Notifying {
  /** Those whose endpoints do not take what they are sent. */
  readonly #waiting = new BackOff();
  /** Those for whom something failed here. */
  readonly #faults = new BackOff();
  readonly #failures = new Map<string, number>();
  readonly #busy = new Map<string, Promise<void>>();
  /** When each was told something last, milliseconds since 1970. */
  readonly #heard = new Map<string, number>();
  readonly #lines = new Map<string, Line>();

  constructor(private readonly ports: NotifyPorts) {}

  /** Tells whoever is due until the signal aborts. */
  async goOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const { id } of this.ports.store.all()) {
        if (!this.#busy.has(id) && !this.#faults.isWaiting(id)) this.#begin(id, signal);
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(this.#busy.values());
  }

  /** A subscription was made or said anew: earlier failures count no more. */
  renewed(id: string): void {
    this.#failures.delete(id);
    this.#waiting.worked(id);
  }

  /** A websocket is bound: it hears the handshake, then what it has not heard yet. Whether it is there. */
  async bound(id: string, line: Line): Promise<boolean> {
    const kept = this.ports.store.get(id);
    if (kept === undefined) return false;
    const isThere = await line.deliver(await this.text(kept, { type: 'handshake' }));
    if (isThere) {
      this.renewed(id);
      this.#lines.set(id, line);
    }
    return isThere;
  }

  /** It is bound no longer. */
  unbound(id: string, line: Line): void {
    if (this.#lines.get(id) === line) this.#lines.delete(id);
  }

  /** The JSON text of a notification, decided as of now, for whoever asks instead of the subscriber, and logged. Throws Refusal. */
  async text(kept: Kept, sending: Sending, asker?: Actor): Promise<string> {
    return (await this.#made(kept, sending, asker)).text;
  }

  /** Nobody is told of it any more. */
  dropped(id: string): void {
    this.renewed(id);
    for (const known of [this.#heard, this.#lines]) known.delete(id);
  }

  async #made(kept: Kept, { type, content, events = [] }: Sending, actor = kept.actor): Promise<Made> {
    const { id } = kept;
    const wish = wishOf(kept.resource);
    const { baseUrl, clock } = this.ports;
    const level = content ?? wish.content;
    const said = { type, content: level, baseUrl, at: new Date(clock()).toISOString() };
    const make = (): Promise<Made> => {
      const shown = withinSize(
        events.map((event) => this.#shown(actor, wish.type, event)),
        level,
      );
      const text = notificationText(kept, wish, { ...said, events: shown });
      return Promise.resolve({ text, upTo: shown.at(-1)?.event.number ?? 0 });
    };
    if (events.length === 0) return await make();
    return await this.ports.read(actor, `GET Subscription/${id}/$events`, make);
  }

  /** The version of an event as its subscriber may see it now: erased and denied look the same. */
  #shown(actor: Actor, type: string, event: TopicEvent): ShownEvent {
    const stored = this.ports.version(type, event.id, event.version);
    const shown = stored && this.ports.permit(actor, stored);
    return {
      event,
      shown:
        shown &&
        ifLost(
          () => withText(shown),
          () => undefined,
        ),
    };
  }

  #begin(id: string, signal: AbortSignal): void {
    const step = this.#step(id, signal)
      .then(() => {
        this.#faults.worked(id);
      })
      .catch((error: unknown) => {
        // What fails here is no fault of the subscriber's: it is tried again, ever more seldom.
        this.#faults.failed(id);
        if (!signal.aborted) this.ports.onFault(error);
      })
      .finally(() => {
        this.#busy.delete(id);
      });
    this.#busy.set(id, step);
  }

  async #step(id: string, signal: AbortSignal): Promise<void> {
    const { store, clock } = this.ports;
    const kept = store.get(id);
    if (kept === undefined || this.#isOver(kept) || kept.status === 'off') return;
    const different = foundEvents(this.ports, kept, wishOf(kept.resource), this.#isFlowing(kept));
    if (different !== undefined) store.change(id, different);
    if (this.#waiting.isWaiting(id)) return;
    const sending = this.#due(store.get(id) ?? kept, clock());
    if (sending !== undefined) await this.#send(id, sending, signal);
  }

  /** Whether somebody is there to take what is found: what cannot be kept until then is not looked for yet. */
  #isFlowing({ id, status, resource }: Kept): boolean {
    const isSocket = (resource.channel as { type?: unknown }).type === 'websocket';
    return isSocket ? this.#lines.has(id) : status !== 'error';
  }

  /** Turns it off after its end, and forgets it some days later. */
  #isOver({ id, end, status, version }: Kept): boolean {
    const { store, clock } = this.ports;
    const over = clock() - end;
    if (over > SUBSCRIPTION_LIMITS.daysOver * DAY_MS) {
      store.drop(id);
      this.dropped(id);
    } else if (over >= 0 && status !== 'off') {
      store.change(id, { status: 'off', version: version + 1, lastUpdated: new Date(clock()).toISOString() });
    }
    return over >= 0;
  }

  /** What is to be sent now; undefined = nothing. */
  #due(kept: Kept, now: number): Sending | undefined {
    const { id, status, events, told } = kept;
    const { channel, heartbeatMs, maxCount } = wishOf(kept.resource);
    if (channel === 'websocket' && !this.#lines.has(id)) return undefined;
    if (status === 'requested') return { type: 'handshake' };
    if (status !== 'active') return undefined;
    const next = events.filter(({ number }) => number > told).slice(0, maxCount);
    if (next.length > 0) return { type: 'event-notification', events: next };
    const isSilent = heartbeatMs !== undefined && now - (this.#heard.get(id) ?? 0) >= heartbeatMs;
    return isSilent ? { type: 'heartbeat' } : undefined;
  }

  async #send(id: string, sending: Sending, signal: AbortSignal): Promise<void> {
    const kept = this.ports.store.get(id);
    if (kept === undefined) return;
    const { text, upTo } = await this.#made(kept, sending);
    if (await this.#deliver(kept, text, signal)) this.#taken(kept, sending, upTo);
    else if (!signal.aborted) this.#refused(kept, sending);
  }

  async #deliver(kept: Kept, text: string, signal: AbortSignal): Promise<boolean> {
    const { channel, endpoint, headers, payload, timeoutMs } = wishOf(kept.resource);
    if (channel === 'websocket') return (await this.#lines.get(kept.id)?.deliver(text)) ?? false;
    const posted = { headers: { ...headers, 'Content-Type': payload }, text, timeoutMs, signal };
    return await post(this.ports.destinations, endpoint, posted);
  }

  #taken({ id, version }: Kept, { type }: Sending, upTo: number): void {
    const { store, clock } = this.ports;
    this.renewed(id);
    this.#heard.set(id, clock());
    const now = store.get(id);
    if (now === undefined) return;
    const lastUpdated = new Date(clock()).toISOString();
    // What was said anew in the meantime is shaken hands on anew.
    const isAgreed = type === 'handshake' && now.version === version;
    store.change(id, {
      // What did not fit in follows.
      told: Math.max(upTo, now.told),
      ...(isAgreed ? { status: 'active', version: version + 1, lastUpdated } : {}),
    });
  }

  #refused({ id, version }: Kept, { type }: Sending): void {
    const { store, clock } = this.ports;
    const failures = (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, failures);
    this.#waiting.failed(id);
    const isSocket = this.#lines.has(id);
    if (isSocket || (type !== 'handshake' && failures < SUBSCRIPTION_LIMITS.attempts)) return;
    if (store.get(id)?.version !== version) return;
    const error = type === 'handshake' ? 'the endpoint did not take the handshake' : 'the endpoint takes nothing';
    const lastUpdated = new Date(clock()).toISOString();
    store.change(id, { status: 'error', error, version: version + 1, lastUpdated });
  }
}

/** The version, once its text was read. Throws Refusal content-lost. */
function withText(stored: StoredVersion): StoredVersion | undefined {
  return stored.text === '' ? undefined : stored;
}

/** As many events as one notification may be long, one at least. */
function withinSize(events: readonly ShownEvent[], content: Content): readonly ShownEvent[] {
  if (content !== 'full-resource') return events;
  let characters = 0;
  const end = events.findIndex(({ shown }, index) => {
    characters += shown?.text.length ?? 0;
    return index > 0 && characters > SUBSCRIPTION_LIMITS.characters;
  });
  return end < 0 ? events : events.slice(0, end);
}
