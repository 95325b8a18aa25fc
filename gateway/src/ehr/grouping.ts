/**
 * Lets concurrent writes share one transaction, as databases commit in groups: while one is under way what comes gathers,
 * and goes together once it ends. When nothing is under way an item goes at once, unless several were answered or gathered a
 * moment ago: they are given RETURN_MS to come again.
 */

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

/** Something to write that may share a transaction with others of the same `kin`. */
export interface Groupable {
  /** Only items of equal kin share one. */
  readonly kin: string;
  /** How many versions, or acts, it holds. */
  readonly size: number;
  /** Of what it holds, where that is limited, too. */
  readonly bytes?: number;
}

/** What waits of a kin. */
interface Gathering<Item> {
  readonly kin: string;
  items: Item[];
  size: number;
  bytes: number;
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
    const { kin } = item;
    const gathering = this.#gatherings.get(kin) ?? { kin, items: [], size: 0, bytes: 0, holding: 0, expected: 0 };
    this.#gatherings.set(kin, gathering);
    // Only where there is something: without items a flush lets go of the gathering, and this one goes into it.
    if (gathering.size > 0 && !this.#fits(item, gathering)) this.#flush(gathering);
    gathering.items.push(item);
    gathering.size += item.size;
    gathering.bytes += item.bytes ?? 0;
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
    const { items } = gathering;
    Object.assign(gathering, { items: [], size: 0, bytes: 0, expected: 0, turn: undefined, late: undefined });
    if (items.length > 0) this.#hand(items, gathering);
    else if (gathering.holding === 0) this.#gatherings.delete(gathering.kin);
  }

  #hand(items: readonly Item[], gathering: Gathering<Item>): void {
    gathering.holding += 1;
    let isHolding = true;
    const release = (): void => {
      clearTimeout(longest);
      if (isHolding) this.#released(items.length, gathering);
      isHolding = false;
    };
    const longest = setTimeout(release, HOLD_MS);
    this.carry(items).then(release, release);
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
