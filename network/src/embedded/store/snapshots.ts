import type { DatabaseSync } from 'node:sqlite';
import { common } from '@hyperledger/fabric-protos';
import type { HashedValue, HistoryEntry, Snapshot, StateEntry, StateValue } from '../ports.js';
import { historyEntry } from './history.js';
import type { PrivateStore } from './private-store.js';
import type { PublicStore } from './public-store.js';
import { StateReader } from './state-reader.js';

/** Idle connections kept for the next height. */
const SPARE_CONNECTIONS = 8;

/** One read transaction, shared by all who read at its height. */
interface View {
  readonly height: number;
  readonly db: DatabaseSync;
  readonly reader: StateReader;
  users: number;
}

/** Hands out snapshots: one read transaction a height, counted, ended before the next commit unless in use. */
export class Snapshots {
  private current: View | undefined;
  private readonly views = new Set<View>();
  private readonly spare: { readonly db: DatabaseSync; readonly reader: StateReader }[] = [];

  constructor(
    private readonly store: PublicStore,
    private readonly members: ReadonlyMap<string, PrivateStore>,
    /** Called when a snapshot behind the newest height ended, so that what only it could read may go. */
    private readonly onOldReleased: () => void,
  ) {}

  take(): Snapshot {
    this.current ??= this.open();
    const view = this.current;
    view.users += 1;
    return new HeldSnapshot(view.height, view.reader, this.members, () => {
      this.leave(view);
    });
  }

  /** Height of the oldest snapshot in use, or `height` when none is older. */
  oldest(height: number): number {
    return Math.min(height, ...[...this.views].map((view) => view.height));
  }

  /** Before a commit: the newest height is about to change, and an idle read transaction would keep the log from it. */
  retire(): void {
    const view = this.current;
    this.current = undefined;
    if (view?.users === 0) this.end(view);
  }

  close(): void {
    for (const view of this.views) view.db.close();
    for (const { db } of this.spare) db.close();
    this.views.clear();
    this.spare.length = 0;
    this.current = undefined;
  }

  private open(): View {
    const connection = this.spare.pop() ?? this.connect();
    connection.db.exec('BEGIN');
    // BEGIN alone takes no snapshot: the first read does.
    const view = { ...connection, height: connection.reader.height(), users: 0 };
    this.views.add(view);
    return view;
  }

  private connect(): { db: DatabaseSync; reader: StateReader } {
    const db = this.store.connect();
    return { db, reader: new StateReader(db) };
  }

  private leave(view: View): void {
    view.users -= 1;
    if (view.users > 0 || view === this.current || !this.views.has(view)) return;
    this.end(view);
    this.onOldReleased();
  }

  private end(view: View): void {
    this.views.delete(view);
    view.db.exec('ROLLBACK');
    if (this.spare.length < SPARE_CONNECTIONS) this.spare.push(view);
    else view.db.close();
  }
}

class HeldSnapshot implements Snapshot {
  private held = true;

  constructor(
    readonly height: number,
    private readonly reader: StateReader,
    private readonly members: ReadonlyMap<string, PrivateStore>,
    private readonly leave: () => void,
  ) {}

  state(namespace: string, key: string): StateValue | undefined {
    return this.open().state(namespace, key);
  }

  range(namespace: string, start: string, end: string): IterableIterator<StateEntry> {
    return this.open().range(namespace, start, bound(end));
  }

  hashed(namespace: string, collection: string, keyHash: Buffer): HashedValue | undefined {
    return this.open().hashed(namespace, collection, keyHash);
  }

  private(mspId: string, namespace: string, collection: string, key: string): StateValue | undefined {
    this.open();
    return this.members.get(mspId)?.value(namespace, collection, key, this.height);
  }

  privateRange(
    mspId: string,
    namespace: string,
    collection: string,
    start: string,
    end: string,
  ): IterableIterator<StateEntry> {
    this.open();
    const store = this.members.get(mspId);
    return store?.range(namespace, collection, start, bound(end), this.height) ?? [][Symbol.iterator]();
  }

  *history(namespace: string, key: string): IterableIterator<HistoryEntry> {
    for (const { block, tx } of this.open().writers(namespace, key)) {
      const bytes = this.open().block(block);
      const data = bytes && common.Block.deserializeBinary(bytes).getData()?.getDataList_asU8()[tx];
      const entry = data && historyEntry(data, namespace, key);
      if (entry !== undefined) yield entry;
    }
  }

  hasTransaction(txId: string): boolean {
    return this.open().transaction(txId) !== undefined;
  }

  release(): void {
    if (!this.held) return;
    this.held = false;
    this.leave();
  }

  private open(): StateReader {
    if (!this.held) throw new Error('this snapshot was released');
    return this.reader;
  }
}

function bound(end: string): string | undefined {
  return end === '' ? undefined : end;
}
