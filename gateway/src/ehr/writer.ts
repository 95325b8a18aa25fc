/** Writes clinical versions: encrypts them, keeps their keys, and puts them on the ledger through the outbox. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_ENTRIES } from '@salus/chaincode/ehr/api';

import { usedForAnother } from '../ledger/key-memory.js';
import type { FoundEntry, OutboxEntry } from '../ledger/outbox-store.js';
import type { Outbox } from '../ledger/outbox.js';
import { isRefusal, Refusal } from '../ledger/refusal.js';
import type { Actor, Commit, Idempotency, RecordWriter, ResourceWrite, WriteOutcome } from '../ports.js';
import { writeCall } from './call.js';
import { GROUP_BYTES, GROUP_SIZE, Grouping, PACK_SIZE } from './grouping.js';
import { prepare, type Prepared, type PreparePorts } from './prepared.js';

/** How long a client waits for the commit before it is told "unknown", milliseconds. */
const ANSWER_WAIT_MS = 20_000;
const NOT_KEPT =
  'it is not known whether this took effect, and the disk does not keep it: ask again under the same key';

/** Where keys and envelopes are kept before anything is sent, and how earlier writes are found again. */
export interface WriterPorts extends PreparePorts {
  readonly outbox: Outbox;
  /** Name of this gateway among the member's. */
  readonly gateway: string;
  /** The member's own MSP, the sole endorser: every endorser sees the transient map. */
  readonly mspId: string;
  /** Where an idempotency record made elsewhere says a key was used; undefined = nowhere. */
  readonly findDone: (key: string, digest: string) => Promise<Commit | undefined>;
  readonly answerWaitMs?: number;
}

type Item = Prepared & { readonly settle: PromiseWithResolvers<Commit> };

/** The member's writer of `of-<member>`. */
export class EhrWriter implements RecordWriter {
  readonly #grouping = new Grouping<Item>((items) => this.#carryTogether(items), GROUP_SIZE, GROUP_BYTES);
  /** Of requests whose keys are clients': the ledger remembers each. */
  readonly #packing = new Grouping<Item>((items) => this.#carryTogether(items), PACK_SIZE, GROUP_BYTES);
  /** Those of them whose end is not known yet, by key. */
  readonly #underWay = new Map<string, Item>();

  constructor(private readonly ports: WriterPorts) {}

  async write(actor: Actor, writes: readonly ResourceWrite[], idempotency?: Idempotency): Promise<WriteOutcome> {
    if (writes.length === 0) throw new Refusal('invalid', 'nothing-to-write', 'the request writes nothing');
    if (writes.length > MAX_ENTRIES) {
      throw new Refusal('invalid', 'too-costly', `at most ${MAX_ENTRIES} resources fit in one transaction; split it`);
    }
    const key = idempotency?.key ?? randomUUID();
    const code = this.outboxKey(actor, key);
    const digest = idempotency === undefined ? code : this.ports.keys.hmac('idempotency', idempotency.digest);
    const named = { key: code, digest };
    const known = () => (idempotency === undefined ? undefined : this.#known(named, key));
    const before = known();
    if (before !== undefined) return await before;
    const item = this.#item(actor, writes, idempotency === undefined ? named : { ...named, isClients: true });
    if (item.files.length > 0) {
      await this.#keepFiles(item);
      const overtaken = this.#overtaken(item, known);
      if (overtaken !== undefined) return await overtaken;
    }
    this.#carry(item);
    return await this.#answer(item.settle.promise, item.entry, key);
  }

  /** Keeps what lies beside the ledger, and its keys, before anything can be sent that names it. */
  async #keepFiles({ versionKeys, files, entry }: Item): Promise<void> {
    const { keys, gateway } = this.ports;
    keys.keepVersionKeys(versionKeys);
    try {
      await keys.contents.keep(files, { gateway, request: entry.key });
    } catch (error) {
      keys.dropVersionKeys(versionKeys);
      throw error;
    }
  }

  /** What another request under the same key, that came while files were written, makes of this one: they are for nothing then. */
  #overtaken(item: Item, known: () => Promise<WriteOutcome> | undefined): Promise<WriteOutcome> | undefined {
    let isWanted = false;
    try {
      const answer = known();
      isWanted = answer === undefined;
      return answer;
    } finally {
      if (!isWanted) this.ports.keys.dropVersionKeys(item.versionKeys);
    }
  }

  #carry(item: Item): void {
    const { key, isClients } = item.entry;
    const grouping = isClients === true ? this.#packing : this.#grouping;
    if (isClients === true) {
      this.#underWay.set(key, item);
      const ended = (): unknown => this.#underWay.delete(key);
      item.settle.promise.then(ended, ended);
    }
    if (item.files.length > 0 || grouping.fills(item)) void this.#carryAlone(item);
    else grouping.add(item);
  }

  /** The answer to a key that was used before, as this gateway knows; undefined for a new one. Throws Refusal. */
  #known({ key: code, digest }: Pick<OutboxEntry, 'key' | 'digest'>, key: string): Promise<WriteOutcome> | undefined {
    const same = this.#underWay.get(code);
    if (same === undefined) {
      const prior = this.#prior(code, digest);
      return prior && this.#answerPrior(prior, key);
    }
    if (same.entry.digest !== digest) throw usedForAnother();
    return this.#again(same.settle.promise, same.entry, key);
  }

  /** The outbox's key for a client's: a client's keys are its own. */
  outboxKey(actor: Actor, key: string): string {
    return this.ports.keys.hmac('idempotency', `${actor.user}\n${key}`);
  }

  /** The commit of an earlier request under the same key, here or at another gateway of the member. Throws Refusal. */
  async earlier(actor: Actor, idempotency: Idempotency): Promise<Commit | undefined> {
    const code = this.outboxKey(actor, idempotency.key);
    const digest = this.ports.keys.hmac('idempotency', idempotency.digest);
    const found = this.ports.outbox.find(code);
    if (found?.standing.state !== 'committed') return await this.ports.findDone(code, digest);
    return found.digest === digest ? found.standing.commit : undefined;
  }

  #prior(code: string, digest: string): FoundEntry | undefined {
    const found = this.ports.outbox.find(code);
    if (found === undefined) return undefined;
    if (found.standing.state === 'refused') {
      // What was refused had no effect: the same request may be tried again, and so may a corrected one.
      this.ports.outbox.release(code);
      return undefined;
    }
    if (found.digest !== digest) throw usedForAnother();
    return found;
  }

  async #answerPrior(found: FoundEntry, key: string): Promise<WriteOutcome> {
    if (found.standing.state === 'committed') {
      return { state: 'committed', commit: found.standing.commit, written: found.written, replayed: true };
    }
    const pending = this.ports.outbox.pending(found);
    if (pending === undefined) return await this.#unknown(key);
    return await this.#again(this.#orDone(pending, found), found, key);
  }

  async #again(done: Promise<Commit>, entry: OutboxEntry, key: string): Promise<WriteOutcome> {
    const outcome = await this.#answer(done, entry, key);
    return outcome.state === 'committed' ? { ...outcome, replayed: true } : outcome;
  }

  async #answer(done: Promise<Commit>, entry: OutboxEntry, key: string): Promise<WriteOutcome> {
    const waiting = new AbortController();
    const late = sleep(this.ports.answerWaitMs ?? ANSWER_WAIT_MS, undefined, { signal: waiting.signal });
    try {
      const commit = await Promise.race([done, late.catch(() => undefined)]);
      if (commit !== undefined) return { state: 'committed', commit, written: entry.written };
    } catch (error) {
      if (error instanceof Refusal) {
        this.ports.outbox.release(entry.key);
        throw error;
      }
    } finally {
      waiting.abort();
    }
    return await this.#unknown(key);
  }

  /** The answer that it goes on by itself is given once it is kept. */
  async #unknown(key: string): Promise<WriteOutcome> {
    try {
      await this.ports.outbox.durable();
    } catch (error) {
      throw new Refusal('unavailable', 'outcome-unknown', NOT_KEPT, { cause: error });
    }
    return { state: 'unknown', key };
  }

  #item(actor: Actor, writes: readonly ResourceWrite[], named: Omit<OutboxEntry, 'written'>): Item {
    const settle = Promise.withResolvers<Commit>();
    // Whoever stopped waiting must not make a refusal an unhandled one.
    settle.promise.catch(() => undefined);
    return { ...prepare(this.ports, actor, writes, named), settle };
  }

  async #carryAlone(item: Item): Promise<void> {
    try {
      if (item.files.length === 0) this.ports.keys.keepVersionKeys(item.versionKeys);
      else this.ports.keys.contents.requireKeys(item.files);
      const call = writeCall(this.ports.mspId, [item]);
      await this.#settle(item, this.ports.outbox.submit(call, [item.entry]));
    } catch (error) {
      item.settle.reject(error);
    }
  }

  async #carryTogether(items: readonly Item[]): Promise<void> {
    const [first] = items;
    if (first === undefined) return;
    if (items.length === 1) {
      await this.#carryAlone(first);
      return;
    }
    if (!this.#keptTogether(items)) {
      const middle = items.length >> 1;
      await Promise.all([items.slice(0, middle), items.slice(middle)].map((half) => this.#carryTogether(half)));
      return;
    }
    try {
      const ends = this.ports.outbox.submitShared(writeCall(this.ports.mspId, items), items);
      await Promise.all(ends.map((end, index) => this.#settle(items[index] ?? first, end)));
    } catch (error) {
      for (const item of items) item.settle.reject(error);
    }
  }

  /** Whether the keys of all were kept; not when a patient among them was erased: then it is looked for by halves. */
  #keptTogether(items: readonly Item[]): boolean {
    try {
      this.ports.keys.keepVersionKeys(items.flatMap((item) => item.versionKeys));
      return true;
    } catch {
      return false;
    }
  }

  async #settle(item: Item, commit: Promise<Commit>): Promise<void> {
    try {
      item.settle.resolve(await commit);
    } catch (error) {
      const done = await this.#doneElsewhere(error, item.entry);
      if (done !== undefined) item.settle.resolve(done);
      else item.settle.reject(error);
      if (error instanceof Refusal && done === undefined) this.ports.keys.dropVersionKeys(item.versionKeys);
    }
  }

  /** The end of a call, or of the one that another gateway made under the same key. */
  async #orDone(pending: Promise<Commit>, entry: OutboxEntry): Promise<Commit> {
    try {
      return await pending;
    } catch (error) {
      const done = await this.#doneElsewhere(error, entry);
      if (done === undefined) throw error;
      return done;
    }
  }

  async #doneElsewhere(error: unknown, { key, digest }: OutboxEntry): Promise<Commit | undefined> {
    return isAlreadyDone(error) ? await this.ports.findDone(key, digest) : undefined;
  }
}

/** Whether the ledger has the write, by another transaction under the same key. */
export function isAlreadyDone(error: unknown): boolean {
  return isRefusal(error, 'already-done');
}
