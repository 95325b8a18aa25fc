import { ledger } from '@hyperledger/fabric-protos';
import type { StateEntry } from '../ports.js';
import { RangeReads } from '../rwset/range-reads.js';
import type { ResultIterator } from './query-response.js';

/** queryresult.KV of a row, serialized. */
export function keyValue(namespace: string, entry: StateEntry): Uint8Array {
  const row = new ledger.queryresult.KV();
  row.setNamespace(namespace);
  row.setKey(entry.key);
  row.setValue(entry.value);
  return row.serializeBinary();
}

/** A scan of public keys that remembers what it handed out, for the phantom check at commit. */
export class RangeScan implements ResultIterator {
  readonly #reads = new RangeReads();
  readonly #info = new ledger.rwset.kvrwset.RangeQueryInfo();
  readonly #end: string;
  #handedOut = 0;

  /** An empty end means to the end of the namespace; a page size of 0, no limit. */
  constructor(
    readonly namespace: string,
    private readonly entries: IterableIterator<StateEntry>,
    range: { readonly start: string; readonly end: string },
    private readonly pageSize = 0,
  ) {
    this.#info.setStartKey(range.start);
    this.#end = range.end;
  }

  next(): Uint8Array | undefined {
    const entry = this.#full() ? undefined : this.#take();
    if (!entry) {
      this.#info.setItrExhausted(true);
      this.#info.setEndKey(this.#end);
      return undefined;
    }
    this.#handedOut++;
    this.#reads.add(entry.key, entry.version);
    // The caller may never ask for more, so the range ends here until it does.
    this.#info.setEndKey(entry.key);
    return keyValue(this.namespace, entry);
  }

  /** Ends the scan. Returns the key the next page begins with, empty at the end. */
  close(): string {
    const following = this.#take();
    this.entries.return?.();
    return following?.key ?? '';
  }

  /** What was read. Call it once, when the simulation is over. */
  info(): ledger.rwset.kvrwset.RangeQueryInfo {
    this.#reads.describe(this.#info);
    return this.#info;
  }

  #full(): boolean {
    return this.pageSize > 0 && this.#handedOut >= this.pageSize;
  }

  #take(): StateEntry | undefined {
    const step = this.entries.next();
    return step.done ? undefined : step.value;
  }
}
