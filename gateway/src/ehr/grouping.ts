/**
 * Lets concurrent writes share one transaction, as databases commit in groups: while one is under way what comes gathers,
 * and goes together once it ends. When nothing is under way an item goes at once, unless several were answered or gathered a
 * moment ago: they are given RETURN_MS to come again. What clashes with one that gathers or is under way never joins others,
 * whom its refusal would take along: it goes behind that one, alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Longest time a transaction holds others of its kin up, milliseconds: then those that gathered go beside it. */
export const HOLD_MS = 250;
/** Longest wait for those who were answered by the one that ended to come again, milliseconds. */
const RETURN_MS = 10;
/** Most versions in a shared transaction of clinical records that were asked for without an Idempotency-Key. */
export const GROUP_SIZE = 100;
/** With one, as loads do, whose requests hold many: resources of a usual size fill GROUP_BYTES before. */
export const PACK_SIZE = 1_000;
/** Most characters of ciphertext in either. */
export const GROUP_BYTES = 1_500_000;
/** Most that go at once, each alone, behind what they clash with. */
const BEHIND_AT_ONCE = 16;

/** Something to write that may share a transaction with others of the same `kin`. */
export interface Groupable {
  /** Only items of equal kin share one. */
  readonly kin: string;
  /** How many versions, or acts, it holds. */
  readonly size: number;
  /** Of what it holds, where that is limited, too. */
  readonly bytes?: number;
  /** What it would be the only one to change: no two items of a group may have one in common. */
  readonly claims?: readonly string[];
}

/** What a group claims, and who came after. */
interface Claims<Item> {
  readonly claims: Set<string>;
  readonly behind: Item[];
}

/** What waits of a kin. */
interface Gathering<Item> {
  readonly kin: string;
  items: Item[];
  size: number;
  bytes: number;
  own: Claims<Item>;
  /** Groups under way that what comes waits for. */
  holding: number;
  /** Items that are worth waiting for: as many as waited or were answered when a group ended. */
  expected: number;
  /** Hands over what came in this turn of the event loop. */
  turn?: NodeJS.Immediate | undefined;
  /** Hands it over though not all came again. */
  late?: NodeJS.Timeout | undefined;
}

/** Gathers items and hands them on together; `carry` is told of every group once. */
export class Grouping<Item extends Groupable> {
  readonly #gatherings = new Map<string, Gathering<Item>>();
  /** By claim: the group that gathers or is under way with it. */
  readonly #claimed = new Map<string, Claims<Item>>();

  constructor(
    private readonly carry: (items: readonly Item[]) => Promise<unknown>,
    /** Most that items of a group hold together. */
    private readonly most: number,
    private readonly mostBytes = Infinity,
  ) {}

  /** Whether an item leaves room for no other. */
  fills({ size, bytes = 0 }: Pick<Item, 'size' | 'bytes'>): boolean {
    return size >= this.most || bytes >= this.mostBytes;
  }

  /** Takes an item; when its group is complete, or the one before it has ended, it is carried. */
  add(item: Item): void {
    const { kin, claims = [] } = item;
    const before = claims.map((claim) => this.#claimed.get(claim)).find((claimed) => claimed !== undefined);
    if (before !== undefined) {
      before.behind.push(item);
      return;
    }
    const gathering = this.#gatherings.get(kin) ?? { kin, ...nothing<Item>(), holding: 0, expected: 0 };
    this.#gatherings.set(kin, gathering);
    // Only where there is something: without items a flush lets go of the gathering, and this one goes into it.
    if (gathering.size > 0 && !this.#fits(item, gathering)) this.#flush(gathering);
    gathering.items.push(item);
    gathering.size += item.size;
    gathering.bytes += item.bytes ?? 0;
    for (const claim of claims) {
      gathering.own.claims.add(claim);
      this.#claimed.set(claim, gathering.own);
    }
    if (this.fills(gathering)) this.#flush(gathering);
    else if (gathering.holding === 0) this.#flushIfAllAreHere(gathering);
  }

  #fits({ size, bytes = 0 }: Item, gathering: Gathering<Item>): boolean {
    return gathering.size + size <= this.most && gathering.bytes + bytes <= this.mostBytes;
  }

  /** Alone in the house, an item only waits for those that arrive in the same turn of the event loop. */
  #flushIfAllAreHere(gathering: Gathering<Item>): void {
    if (gathering.items.length < gathering.expected) return;
    gathering.turn ??= setImmediate(() => {
      this.#flush(gathering);
    });
  }

  #flush(gathering: Gathering<Item>): void {
    clearImmediate(gathering.turn);
    clearTimeout(gathering.late);
    const { items, own } = gathering;
    Object.assign(gathering, { ...nothing<Item>(), expected: 0, turn: undefined, late: undefined });
    if (items.length > 0) this.#hand(items, own, gathering);
    else if (gathering.holding === 0) this.#gatherings.delete(gathering.kin);
  }

  #hand(items: readonly Item[], own: Claims<Item>, gathering: Gathering<Item>): void {
    gathering.holding += 1;
    let isHolding = true;
    const release = (): void => {
      clearTimeout(longest);
      if (!isHolding) return;
      isHolding = false;
      void this.#carryBehind(own);
      this.#released(items.length, gathering);
    };
    const longest = setTimeout(release, HOLD_MS);
    this.carry(items).then(release, release);
  }

  /** A few at a time; what it claims is claimed until the last of them went. */
  async #carryBehind({ claims, behind }: Claims<Item>): Promise<void> {
    while (behind.length > 0) {
      const carried = behind.splice(0, BEHIND_AT_ONCE).map((item) => this.carry([item]));
      const waiting = new AbortController();
      const longest = sleep(HOLD_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
      await Promise.race([Promise.allSettled(carried), longest]);
      waiting.abort();
    }
    for (const claim of claims) this.#claimed.delete(claim);
  }

  #released(answered: number, gathering: Gathering<Item>): void {
    gathering.holding -= 1;
    if (gathering.holding > 0) return;
    gathering.expected = gathering.items.length + answered;
    gathering.late ??= setTimeout(() => {
      this.#flush(gathering);
    }, RETURN_MS);
  }
}

function nothing<Item>(): Pick<Gathering<Item>, 'items' | 'size' | 'bytes' | 'own'> {
  return { items: [], size: 0, bytes: 0, own: { claims: new Set(), behind: [] } };
}
