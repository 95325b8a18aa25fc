/** Lets concurrent writes share one transaction: each waits a moment at most, none waits when nothing is under way. */

/** Longest wait for company, milliseconds. */
const GROUP_WAIT_MS = 5;
/** Most versions in a shared transaction of clinical records. */
export const GROUP_SIZE = 100;

/** Something to write that may share a transaction with others of the same `kin`. */
export interface Groupable {
  /** Only items of equal kin share one. */
  readonly kin: string;
  /** How many versions, or acts, it holds. */
  readonly size: number;
}

interface Gathering<Item> {
  readonly items: Item[];
  size: number;
  timer: NodeJS.Timeout | NodeJS.Immediate;
}

/** Gathers items and hands them on together; `carry` is told of every group once. */
export class Grouping<Item extends Groupable> {
  readonly #gatherings = new Map<string, Gathering<Item>>();
  #underway = 0;

  constructor(
    private readonly carry: (items: readonly Item[]) => Promise<unknown>,
    /** Most that items of a group hold together. */
    private readonly most: number,
  ) {}

  /** Takes an item; when its group is complete, or has waited long enough, it is carried. */
  add(item: Item): void {
    let gathering = this.#gatherings.get(item.kin);
    if (gathering !== undefined && gathering.size + item.size > this.most) {
      this.#flush(item.kin, gathering);
      gathering = undefined;
    }
    gathering ??= this.#open(item.kin);
    gathering.items.push(item);
    gathering.size += item.size;
    if (gathering.size >= this.most) this.#flush(item.kin, gathering);
  }

  #open(kin: string): Gathering<Item> {
    const flush = (): void => {
      this.#flush(kin, gathering);
    };
    // Alone in the house, an item only waits for those that arrived in the same turn of the event loop.
    const timer = this.#underway === 0 ? setImmediate(flush) : setTimeout(flush, GROUP_WAIT_MS);
    const gathering: Gathering<Item> = { items: [], size: 0, timer };
    this.#gatherings.set(kin, gathering);
    return gathering;
  }

  #flush(kin: string, gathering: Gathering<Item>): void {
    if (this.#gatherings.get(kin) !== gathering) return;
    this.#gatherings.delete(kin);
    clearTimer(gathering.timer);
    this.#underway += 1;
    const done = (): void => {
      this.#underway -= 1;
    };
    this.carry(gathering.items).then(done, done);
  }
}

function clearTimer(timer: NodeJS.Timeout | NodeJS.Immediate): void {
  if ('refresh' in timer) clearTimeout(timer);
  else clearImmediate(timer);
}
