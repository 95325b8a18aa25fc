/**
 * A double of the stub a peer gives to chaincode, with Fabric's rules as far as contracts can notice them: reads never
 * see own writes, collections have members, a private range and a write exclude each other, an empty value deletes.
 */
import { createHash } from 'node:crypto';

/** A value and the version it was written with. */
export interface Cell {
  readonly value: Buffer;
  readonly version: number;
}

/** Public state under '', each collection under its name. */
export type Store = Map<string, Map<string, Cell>>;

/** One transaction's proposal. */
export interface Proposal {
  readonly name: string;
  readonly args: readonly string[];
  readonly transient: Readonly<Record<string, string>>;
  readonly mspId: string;
  readonly certificate: string;
  readonly txId: string;
  readonly timestampMs: number;
  readonly channel: string;
}

/** What a simulation read and wrote. `place` is '' for public state. */
export interface ReadWriteSet {
  /** `hashOnly`: the private value itself was not asked for. */
  readonly reads: { place: string; key: string; version: number | undefined; hashOnly: boolean }[];
  readonly ranges: { place: string }[];
  readonly writes: Map<string, Map<string, Buffer | undefined>>;
  readonly purges: { place: string; key: string }[];
  event: { name: string; payload: Buffer } | undefined;
}

/** The part of fabric-shim's ChaincodeStub that contracts use. */
export class StubDouble {
  readonly rwset: ReadWriteSet = { reads: [], ranges: [], writes: new Map(), purges: [], event: undefined };

  constructor(
    private readonly store: Store,
    private readonly proposal: Proposal,
    private readonly isMemberOf: (collection: string) => boolean,
  ) {}

  getBufferArgs = (): Buffer[] => [this.proposal.name, ...this.proposal.args].map((text) => Buffer.from(text));
  getTxID = (): string => this.proposal.txId;
  getChannelID = (): string => this.proposal.channel;
  getCreator = () => ({ mspid: this.proposal.mspId, idBytes: Buffer.from(this.proposal.certificate) });
  getTransient = () =>
    new Map(Object.entries(this.proposal.transient).map(([key, value]) => [key, Buffer.from(value)] as const));
  getTxTimestamp = () => ({
    seconds: Math.floor(this.proposal.timestampMs / 1000),
    nanos: (this.proposal.timestampMs % 1000) * 1_000_000,
  });

  getState = (key: string) => Promise.resolve(this.read('', key)?.value ?? Buffer.alloc(0));

  getPrivateData(collection: string, key: string) {
    this.demandMember(collection);
    return Promise.resolve(this.read(collection, key)?.value ?? Buffer.alloc(0));
  }

  getPrivateDataHash(collection: string, key: string) {
    const cell = this.read(collection, key, true);
    return Promise.resolve(cell ? createHash('sha256').update(cell.value).digest() : Buffer.alloc(0));
  }

  putState = (key: string, value: Buffer) => this.write('', key, value);

  putPrivateData(collection: string, key: string, value: Buffer) {
    this.demandMember(collection);
    return this.write(collection, key, value);
  }

  deletePrivateData(collection: string, key: string) {
    this.demandMember(collection);
    return this.write(collection, key, undefined);
  }

  purgePrivateData(collection: string, key: string) {
    this.demandMember(collection);
    this.rwset.purges.push({ place: collection, key });
    return this.write(collection, key, undefined);
  }

  setEvent(name: string, payload: Buffer) {
    this.rwset.event = { name, payload };
  }

  getStateByPartialCompositeKey = (type: string, attributes: readonly string[]) => this.range('', type, attributes);

  getPrivateDataByPartialCompositeKey(collection: string, type: string, attributes: readonly string[]) {
    this.demandMember(collection);
    if (this.rwset.writes.size > 0) throw new Error('Queries on pvt data is supported only in a read-only transaction');
    return this.range(collection, type, attributes);
  }

  private read(place: string, key: string, hashOnly = false): Cell | undefined {
    const cell = this.store.get(place)?.get(key);
    this.rwset.reads.push({ place, key, version: cell?.version, hashOnly });
    return cell;
  }

  private write(place: string, key: string, value: Buffer | undefined): Promise<void> {
    if (this.rwset.ranges.some((range) => range.place !== '')) {
      throw new Error('Transaction has already performed queries on pvt data. Writes are not allowed');
    }
    const writes = this.rwset.writes.get(place) ?? new Map<string, Buffer | undefined>();
    this.rwset.writes.set(place, writes.set(key, value?.length === 0 ? undefined : value));
    return Promise.resolve();
  }

  private async *range(place: string, type: string, attributes: readonly string[]) {
    await Promise.resolve();
    this.rwset.ranges.push({ place });
    const prefix = ['', type, ...attributes, ''].join('\u0000');
    const rows = [...(this.store.get(place) ?? [])].filter(([key]) => key.startsWith(prefix));
    rows.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const [key, { value }] of rows) yield { key, value };
  }

  private demandMember(collection: string): void {
    if (!this.isMemberOf(collection)) {
      throw new Error(
        `tx creator does not have read access permission on privatedata in collectionName: ${collection}`,
      );
    }
  }
}
