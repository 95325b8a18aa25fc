/** Every write goes through here: kept before it is asked, its envelope kept before it is sent, its end kept after. */
import { setTimeout as sleep } from 'node:timers/promises';

import { halvesOf, sharesOf, type Sendable } from '../ehr/call.js';
import { isDiskFailure } from '../keys/database.js';
import type { Commit, LedgerCall } from '../ports.js';
import type { SharedCall } from './call-bytes.js';
import { OutcomeUnknown, Retriable } from './failure.js';
import { isKeyOver, keysOverBefore } from './key-memory.js';
import {
  OutboxStore,
  type CallState,
  type FoundEntry,
  type OldCall,
  type OpenCall,
  type OutboxEntry,
} from './outbox-store.js';
import { isDeclined, Refusal } from './refusal.js';
import type { TransactionSteps } from './steps.js';
import { settle, submitCall, type SubmitOptions } from './submit.js';

/** Pause between attempts to learn what became of a call, milliseconds. */
const RESOLVE_PAUSE_MS = 5_000;
/** Times that the halves of a refused shared call go side by side: at most two to the power of this at once. */
const SIDE_BY_SIDE = 4;

/** What a call rests on beside the outbox: the keys of its content must not be lost once it was sent. */
export interface Foundation {
  /** Resolves when all that was kept so far is on the disk. */
  durable(): Promise<void>;
}

/** One gateway's outbox. Calls that were open when it stopped are carried on by `recover`. */
export class Outbox {
  readonly #running = new Map<number, Promise<Commit>>();
  /** Of requests that share calls, by key: which call one is in changes while it is under way. */
  readonly #sharing = new Map<string, PromiseWithResolvers<Commit>>();
  /** Ends that the disk did not take, by call. */
  readonly #unkept = new Map<number, Commit | Refusal>();
  readonly #stopped = new AbortController();

  constructor(
    private readonly steps: TransactionSteps,
    private readonly store: OutboxStore,
    private readonly keys: Foundation,
    private readonly now: () => number = Date.now,
  ) {}

  /** The request kept under a key; none where it ended and the key's time is over. */
  find(key: string): FoundEntry | undefined {
    const found = this.store.find(key);
    const hasEnded = found?.standing.state === 'committed' || found?.standing.state === 'refused';
    return hasEnded && isKeyOver(found.created, this.now()) ? undefined : found;
  }

  /** Calls that ended and whose keys' time is over, oldest first, at most so many. */
  old(most: number): OldCall[] {
    return this.store.old(keysOverBefore(this.now()), most);
  }

  /** Lets go of calls that the ledger remembers no more. */
  drop(calls: readonly number[]): void {
    this.store.drop(calls);
  }

  /** Resolves when every call so far is on the disk, and the keys of its content. */
  async durable(): Promise<void> {
    await Promise.all([this.store.durable(), this.keys.durable()]);
  }

  /**
   * Keeps the call and submits it; nothing is sent to be ordered before it is on the disk. Throws Refusal; while its
   * outcome is unknown the promise stays open.
   */
  submit(call: LedgerCall, entries: readonly OutboxEntry[], options?: SubmitOptions): Promise<Commit> {
    const id = this.store.intend(call, entries, this.now());
    return this.#track(id, this.#carry(id, call, { state: 'intent' }, options));
  }

  /**
   * Keeps requests that share a call and submits it. Where the ledger declines it, each half of them goes by itself, until
   * none is refused but for its own sake: also where the process was started again meanwhile. Returns the end of each.
   */
  submitShared(call: LedgerCall, requests: readonly (Sendable & { readonly entry: OutboxEntry })[]): Promise<Commit>[] {
    const entries = requests.map(({ entry }) => entry);
    const shares = sharesOf(requests);
    const id = this.store.intend(call, entries, this.now(), shares);
    return this.#share({ id, call, shares, standing: { state: 'intent' } });
  }

  /** The end of a call that is still under way in this process, or whose end is not kept yet. */
  pending(found: FoundEntry): Promise<Commit> | undefined {
    const end = this.#unkept.get(found.call);
    if (end === undefined) return this.#sharing.get(found.key)?.promise ?? this.#running.get(found.call);
    return end instanceof Refusal ? Promise.reject(end) : Promise.resolve(end);
  }

  /** Makes a key free again after its request was refused. */
  release(key: string): void {
    this.store.release(key);
  }

  /** Carries on what was open when the gateway stopped; returns how many calls that is. Does not wait for them. */
  recover(): number {
    const open = this.store.open();
    for (const each of open) {
      if (isShared(each)) void this.#share(each);
      else this.#track(each.id, this.#carry(each.id, each.call, each.standing)).catch(() => undefined);
    }
    return open.length;
  }

  /** Resolves when every call that is under way now has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#running.values(), ...[...this.#sharing.values()].map(({ promise }) => promise)]);
  }

  /** Ends the retrying and closes the store; open calls are carried on at the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.settled();
    this.store.close();
  }

  #track(id: number, done: Promise<Commit>): Promise<Commit> {
    this.#running.set(id, done);
    const forget = (): void => {
      this.#running.delete(id);
    };
    done.then(forget, forget);
    return done;
  }

  #share(open: OpenSharedCall): Promise<Commit>[] {
    const ends = open.shares.map(({ key }) => {
      const end = Promise.withResolvers<Commit>();
      end.promise.catch(() => undefined);
      this.#sharing.set(key, end);
      return end.promise;
    });
    void this.#carryShared(open, 0);
    return ends;
  }

  async #carryShared(open: OpenSharedCall, depth: number): Promise<void> {
    const { id, call, standing, shares } = open;
    const isAlone = shares.length === 1;
    try {
      if (this.#stopped.signal.aborted) throw new Error(STOPPED);
      const commit = await this.#untilKnown(id, call, standing, isAlone ? {} : { conflictLimit: 1 });
      this.#keepEnd(id, commit);
      this.#end(open, ({ resolve }) => {
        resolve(commit);
      });
    } catch (error) {
      if (!isAlone && isDeclined(error)) await this.#divide(open, depth);
      else this.#fail(open, error);
    }
  }

  async #divide(open: OpenSharedCall, depth: number): Promise<void> {
    let parts: OpenSharedCall[];
    try {
      parts = await this.#split(open);
    } catch (error) {
      this.#fail(open, error);
      return;
    }
    if (depth < SIDE_BY_SIDE) await Promise.all(parts.map((part) => this.#carryShared(part, depth + 1)));
    else for (const part of parts) await this.#carryShared(part, depth + 1);
  }

  /** Kept before any of it goes; while the disk is full it waits. */
  async #split(open: OpenSharedCall): Promise<OpenSharedCall[]> {
    const halves = halvesOf(open);
    for (;;) {
      // Whose process ends is not refused: it goes on at the next start.
      if (this.#stopped.signal.aborted) throw new Error(STOPPED);
      try {
        const ids = this.store.split(open.id, halves, this.now());
        return halves.map((half, index) => ({ ...half, id: ids[index] ?? 0, standing: { state: 'intent' } }));
      } catch (error) {
        if (!isDiskFailure(error)) throw error;
        await sleep(RESOLVE_PAUSE_MS, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      }
    }
  }

  #fail(open: OpenSharedCall, error: unknown): void {
    if (error instanceof Refusal) this.#keepEnd(open.id, error);
    this.#end(open, ({ reject }) => {
      reject(error);
    });
  }

  #end({ shares }: OpenSharedCall, tell: (end: PromiseWithResolvers<Commit>) => void): void {
    for (const { key } of shares) {
      const end = this.#sharing.get(key);
      this.#sharing.delete(key);
      if (end !== undefined) tell(end);
    }
  }

  async #carry(id: number, call: LedgerCall, standing: CallState, options?: SubmitOptions): Promise<Commit> {
    try {
      const commit = await this.#untilKnown(id, call, standing, options);
      this.#keepEnd(id, commit);
      return commit;
    } catch (error) {
      if (error instanceof Refusal) this.#keepEnd(id, error);
      throw error;
    }
  }

  /** An end that a full disk does not take is still the end: it is kept once there is room. */
  #keepEnd(id: number, end: Commit | Refusal): void {
    if (this.#stopped.signal.aborted && this.#unkept.has(id)) return;
    try {
      if (end instanceof Refusal) this.store.refused(id, end);
      else this.store.committed(id, end);
      this.#unkept.delete(id);
    } catch (error) {
      if (!isDiskFailure(error)) throw error;
      this.#unkept.set(id, end);
      setTimeout(() => {
        this.#keepEnd(id, end);
      }, RESOLVE_PAUSE_MS).unref();
    }
  }

  async #untilKnown(id: number, call: LedgerCall, from: CallState, options?: SubmitOptions): Promise<Commit> {
    let standing = from;
    const observer: SubmitOptions['observer'] = {
      endorsed: async (endorsed) => {
        this.store.endorsed(id, endorsed);
        await this.durable();
        standing = { state: 'endorsed', endorsed };
      },
    };
    for (;;) {
      try {
        if (standing.state !== 'endorsed') return await submitCall(this.steps, call, { ...options, observer });
        const ended = await settle(this.steps, standing.endorsed, { mayBeSent: true });
        if (!(ended instanceof Retriable)) return ended;
        standing = { state: 'intent' };
      } catch (error) {
        if (!isOpen(error) || this.#stopped.signal.aborted) throw error;
        await sleep(RESOLVE_PAUSE_MS, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      }
    }
  }
}

type OpenSharedCall = OpenCall & SharedCall;

const STOPPED = 'the gateway stops';

function isShared(open: OpenCall): open is OpenSharedCall {
  return open.shares !== undefined;
}

/**
 * Whether a call goes on after this: nobody knows what became of it, it could not be kept before it was sent, or the
 * member's own peer would endorse it once another of its peers is back to share the value with.
 */
function isOpen(error: unknown): boolean {
  return error instanceof OutcomeUnknown || isDiskFailure(error) || isUndistributed(error);
}

function isUndistributed(error: unknown): boolean {
  return error instanceof Refusal && error.cause instanceof Retriable && error.cause.reason === 'undistributed';
}
