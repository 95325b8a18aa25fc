/** The member's own events: written to its collection, read from its projection, anchored on the ledger. */
import { randomBytes, randomUUID } from 'node:crypto';

import { merkleRoot, transactions } from '@salus/chaincode/supply/api';

import { actorBytes } from '../../ledger/vouched.js';
import type { Actor, Ledger, RecordWriter, ResourceWrite } from '../../ports.js';
import { type CaptureEffects, type Effect, PACK_SPACE, PACK_TYPES } from '../packs/stored.js';
import type { MasterData, MasterElement } from './master-data.js';
import { notKnownYet } from './problem.js';
import {
  type CaptureJob,
  EVENT_SPACE,
  EVENT_TYPE,
  found,
  identityAs,
  identityOf,
  JOB_TYPE,
  leafOf,
  masterKey,
  MASTER_TYPE,
  type NamedQuery,
  QUERY_TYPE,
  readable,
  type ReadableEvent,
  type StoredEvent,
} from './stored.js';

/** Milliseconds to wait until the projection shows what was written. */
const REACH_MS = 20_000;
/** Keys of events. */
const EVENTS = 'event/';
/** Parsed events remembered. */
const REMEMBERED = 50_000;

/** Where events are written, read back and anchored. */
export interface RepositoryPorts {
  readonly projection: {
    readonly block: number;
    fact(space: string, key: string): string | undefined;
    facts(space: string, prefix?: string, behind?: string): readonly { readonly key: string; readonly value: string }[];
    reached(block: number, timeoutMs: number): Promise<boolean>;
  };
  /** Writes the member's own collection. */
  readonly writer: RecordWriter;
  readonly ledger: Pick<Ledger, 'submit'>;
}

/** Reads and keeps events. */
export class EventRepository {
  readonly #read = new Map<string, ReadableEvent>();
  #newest = '';

  constructor(private readonly ports: RepositoryPorts) {}

  /** Every event, in the order of capture; of them those behind a key. */
  all(behind = ''): readonly ReadableEvent[] {
    const facts = this.ports.projection.facts(EVENT_SPACE, EVENTS, behind);
    return facts.map(({ key, value }) => this.#readable(key, value));
  }

  /** Key of the last event there is; empty where there is none. */
  newest(): string {
    this.#newest = this.ports.projection.facts(EVENT_SPACE, EVENTS, this.#newest).at(-1)?.key ?? this.#newest;
    return this.#newest;
  }

  /** The event with this id; error declarations have their original's id and come as a second one. */
  byId(eventID: string): readonly ReadableEvent[] {
    const keys = [false, true].map((isDeclaration) => this.#keyOf(identityAs(eventID, isDeclaration)));
    return this.#at(keys.filter((key) => key !== undefined)).sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Whether an event with this one's id was captured. */
  isTaken(event: Pick<StoredEvent, 'event'>): boolean {
    return this.#keyOf(identityOf(event)) !== undefined;
  }

  /** The events of one capture, in its order. */
  ofCapture(captureID: string): readonly ReadableEvent[] {
    return this.#at(this.ports.projection.facts(EVENT_SPACE, found.capture(captureID)).map(({ value }) => value));
  }

  #keyOf(identity: string): string | undefined {
    return this.ports.projection.fact(EVENT_SPACE, found.identity(identity));
  }

  #at(keys: readonly string[]): ReadableEvent[] {
    return keys.flatMap((key) => {
      const value = this.ports.projection.fact(EVENT_SPACE, key);
      return value === undefined ? [] : [this.#readable(key, value)];
    });
  }

  job(captureID: string): CaptureJob | undefined {
    const text = this.ports.projection.fact(EVENT_SPACE, `job/${captureID}`);
    return text === undefined ? undefined : this.#withEffects(JSON.parse(text) as CaptureJob);
  }

  jobs(): readonly CaptureJob[] {
    return this.ports.projection
      .facts(EVENT_SPACE, 'job/')
      .map(({ value }) => this.#withEffects(JSON.parse(value) as CaptureJob));
  }

  /** What captures told of locations, classes, parties and the like. */
  readonly master: MasterData = (id) =>
    this.ports.projection.facts(EVENT_SPACE, masterKey(id)).map(({ value }) => JSON.parse(value) as MasterElement);

  /** Anchors the root over the events' salted hashes, then keeps events, master data and job in one transaction. Throws Refusal. */
  async keep(
    actor: Actor,
    events: readonly StoredEvent[],
    master: readonly MasterElement[],
    job: CaptureJob,
  ): Promise<CaptureJob> {
    const anchored = events.length === 0 ? job : await this.#anchor(actor, events, job);
    const write = (type: string, id: string, value: object) => ({ type, id, expect: 0, text: JSON.stringify(value) });
    await this.#write(actor, [
      ...events.map((each) => write(EVENT_TYPE, identityOf(each), each)),
      ...(master.length === 0 ? [] : [write(MASTER_TYPE, randomUUID(), master)]),
      write(JOB_TYPE, job.captureID, anchored),
    ]);
    return anchored;
  }

  /** Keeps what a capture did on the ledger. */
  async keepEffects(actor: Actor, captureID: string, effects: readonly Effect[]): Promise<void> {
    if (effects.length === 0) return;
    const text = JSON.stringify({ captureID, effects } satisfies CaptureEffects);
    await this.#write(actor, [{ type: PACK_TYPES.effects, id: randomUUID(), expect: 0, text }]);
  }

  namedQuery(name: string): NamedQuery | undefined {
    const text = this.ports.projection.fact(EVENT_SPACE, `query/${name}`);
    return text === undefined ? undefined : (JSON.parse(text) as NamedQuery);
  }

  namedQueries(): readonly NamedQuery[] {
    return this.ports.projection.facts(EVENT_SPACE, 'query/').map(({ value }) => JSON.parse(value) as NamedQuery);
  }

  /** Keeps a named query, or that it was deleted. */
  async keepQuery(actor: Actor, query: NamedQuery): Promise<void> {
    await this.#write(actor, [{ type: QUERY_TYPE, id: randomUUID(), expect: 0, text: JSON.stringify(query) }]);
  }

  async #write(actor: Actor, writes: readonly ResourceWrite[]): Promise<void> {
    const outcome = await this.ports.writer.write(actor, writes);
    if (outcome.state !== 'committed') throw notKnownYet();
    await this.ports.projection.reached(outcome.commit.block, REACH_MS);
  }

  async #anchor(actor: Actor, events: readonly StoredEvent[], job: CaptureJob): Promise<CaptureJob> {
    const root = merkleRoot(events.map(leafOf)).toString('hex');
    const anchor = randomBytes(32).toString('hex');
    await this.ports.ledger.submit({
      transaction: transactions.anchor,
      argument: JSON.stringify({ captureId: anchor, root, count: events.length }),
      transient: { actor: actorBytes(actor) },
    });
    return { ...job, merkleRoot: root, anchor };
  }

  #withEffects(job: CaptureJob): CaptureJob {
    const text = this.ports.projection.fact(PACK_SPACE, `effects/${job.captureID}`);
    if (text === undefined) return job;
    const effects = (JSON.parse(text) as readonly Effect[]).map((effect) => {
      const isLater = effect.handedOver === false && this.#wasHandedOver(job.captureID, effect.event);
      return isLater ? { ...effect, handedOver: true } : effect;
    });
    return { ...job, effects };
  }

  /** Whether a door took a shipment's terms that it had not taken at first. */
  #wasHandedOver(captureID: string, event: number): boolean {
    return this.ports.projection.fact(PACK_SPACE, `handed/${captureID}/${event}`) !== undefined;
  }

  #readable(key: string, value: string): ReadableEvent {
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const made = readable(key, value);
    if (this.#read.size >= REMEMBERED) this.#read.clear();
    this.#read.set(key, made);
    return made;
  }
}
