/** What a decision asks for of every resource that it shows, remembered until the projection changes. */
import type { StoredVersion } from '../ports.js';

/** One of a domain's facts. */
export interface Fact {
  readonly key: string;
  readonly value: string;
}

/** Questions remembered of each kind; beyond, memory is emptied and filled again. */
const KEPT = 1_000;
/** Facts of an answer that is worth remembering: longer ones are not asked for again and again. */
const FEW = 50;
/** Characters of a fact that is worth remembering. */
const SHORT = 4_096;

/** The same answer, and the same object, until something changes. */
export class Asked {
  private readonly patients = new Map<string, StoredVersion | undefined>();
  private readonly lists = new Map<string, readonly Fact[]>();
  private readonly single = new Map<string, string | undefined>();
  private isChanging = false;

  /** The Patient in force under an id, read once. */
  patient(id: string, read: () => StoredVersion | undefined): StoredVersion | undefined {
    if (this.patients.has(id)) return this.patients.get(id);
    const found = read();
    if (this.patients.size >= KEPT) this.patients.clear();
    this.patients.set(id, found);
    return found;
  }

  /** Facts of a space under a prefix, read once. */
  facts(space: string, prefix: string, read: () => readonly Fact[]): readonly Fact[] {
    const name = `${space}\n${prefix}`;
    const known = this.lists.get(name);
    if (known !== undefined) return known;
    const found = read();
    if (this.lists.size >= KEPT) this.lists.clear();
    if (found.length <= FEW) this.lists.set(name, found);
    return found;
  }

  /** One fact, read once; what is asked while a change is made is read each time. */
  fact(space: string, key: string, read: () => string | undefined): string | undefined {
    const name = `${space}\n${key}`;
    if (!this.isChanging && this.single.has(name)) return this.single.get(name);
    const found = read();
    if (this.single.size >= KEPT) this.single.clear();
    if (!this.isChanging && (found?.length ?? 0) <= SHORT) this.single.set(name, found);
    return found;
  }

  /** Makes a change; whatever comes of it, nothing that was asked for before is answered from memory after it. */
  changing(change: () => void): void {
    this.isChanging = true;
    try {
      change();
    } finally {
      this.isChanging = false;
      this.patients.clear();
      this.lists.clear();
      this.single.clear();
    }
  }
}
