import type { peer } from '@hyperledger/fabric-protos';
import { LIFECYCLE } from '../lifecycle/definition.js';
import type { HistoryEntry, Snapshot, StateEntry, Version } from '../ports.js';
import { RwsetBuilder, type ReadWriteSets } from '../rwset/builder.js';
import { privateHash, sameVersion } from '../rwset/keys.js';
import { InterestRecorder } from './interest.js';
import { refusal } from './messages.js';
import { RangeScan } from './range-scan.js';

/** The namespaces of Fabric's own chaincodes, which need no endorsement plan. */
const SYSTEM_NAMESPACES = new Set([LIFECYCLE, 'lscc']);

const NOTHING = Buffer.alloc(0);

/** What a simulation leaves behind. */
export interface Simulation extends ReadWriteSets {
  readonly interest: peer.ChaincodeInterest;
}

/**
 * One proposal's view of the ledger at one peer: reads see the snapshot and never the proposal's own writes, and
 * everything read and written is recorded (txmgr/tx_simulator.go, query_executor.go). Throws FabricError.
 */
export class Simulator {
  readonly #rwset = new RwsetBuilder();
  readonly #interest = new InterestRecorder();
  readonly #scans: RangeScan[] = [];
  #wrote = false;
  #paginated = false;
  #scannedPrivate = false;

  constructor(
    readonly snapshot: Snapshot,
    private readonly mspId: string,
    private readonly txId: string,
  ) {}

  get(namespace: string, key: string): Buffer {
    const found = this.snapshot.state(namespace, key);
    this.#rwset.read(namespace, key, found?.version);
    return found?.value ?? NOTHING;
  }

  /** kvrwset.KVMetadataWrite of the key, serialized. */
  getMetadata(namespace: string, key: string): Buffer | undefined {
    const found = this.snapshot.state(namespace, key);
    this.#rwset.read(namespace, key, found?.version);
    return found?.metadata;
  }

  scan(namespace: string, start: string, end: string): RangeScan {
    return this.#remember(new RangeScan(namespace, this.snapshot.range(namespace, start, end), { start, end }));
  }

  scanPage(namespace: string, start: string, end: string, pageSize: number): RangeScan {
    if (this.#wrote) throw this.#unsupported('Paginated queries are supported only in a read-only transaction');
    this.#paginated = true;
    const entries = this.snapshot.range(namespace, start, end);
    return this.#remember(new RangeScan(namespace, entries, { start, end }, pageSize));
  }

  /** Newest first; leaves no trace in the read-write set. */
  history(namespace: string, key: string): IterableIterator<HistoryEntry> {
    return this.snapshot.history(namespace, key);
  }

  /** An empty value is a delete. */
  put(namespace: string, key: string, value: Uint8Array): void {
    this.#mayWrite();
    this.#rwset.write(namespace, key, value);
    this.#interest.wrote(namespace, '', key, this.snapshot.state(namespace, key)?.metadata);
  }

  putMetadata(namespace: string, key: string, name: string, value: Uint8Array): void {
    this.#mayWrite();
    this.#rwset.metadata(namespace, key, name, value);
    this.#interest.wrote(namespace, '', key, this.snapshot.state(namespace, key)?.metadata);
  }

  getPrivate(namespace: string, collection: string, key: string): Buffer {
    this.#interest.readPrivate(namespace, collection);
    const clear = this.snapshot.private(this.mspId, namespace, collection, key);
    const hashed = this.snapshot.hashed(namespace, collection, privateHash(key));
    if (!sameVersion(clear?.version, hashed?.version)) {
      throw refusal(
        'private data matching public hash version is not available. ' +
          `Public hash version = ${height(hashed?.version)}, Private data version = ${height(clear?.version)}`,
      );
    }
    this.#rwset.privateRead(namespace, collection, key, clear?.version);
    return clear?.value ?? NOTHING;
  }

  getPrivateHash(namespace: string, collection: string, key: string): Buffer {
    return this.#hashed(namespace, collection, key)?.valueHash ?? NOTHING;
  }

  /** kvrwset.KVMetadataWrite of the key, serialized. */
  getPrivateMetadata(namespace: string, collection: string, key: string): Buffer | undefined {
    return this.#hashed(namespace, collection, key)?.metadata;
  }

  /** Not protected against changes before the commit: Fabric records nothing of it. */
  scanPrivate(namespace: string, collection: string, start: string, end: string): IterableIterator<StateEntry> {
    if (this.#wrote) throw this.#unsupported('Queries on pvt data is supported only in a read-only transaction');
    this.#scannedPrivate = true;
    return this.snapshot.privateRange(this.mspId, namespace, collection, start, end);
  }

  /** An empty value is a delete. */
  putPrivate(namespace: string, collection: string, key: string, value: Uint8Array): void {
    this.#mayWrite();
    this.#rwset.privateWrite(namespace, collection, key, value);
    this.#wrotePrivate(namespace, collection, key);
  }

  purgePrivate(namespace: string, collection: string, key: string): void {
    this.#mayWrite();
    this.#rwset.privateWrite(namespace, collection, key, NOTHING, true);
    this.#wrotePrivate(namespace, collection, key);
  }

  putPrivateMetadata(namespace: string, collection: string, key: string, name: string, value: Uint8Array): void {
    this.#mayWrite();
    this.#rwset.privateMetadata(namespace, collection, key, name, value);
    this.#wrotePrivate(namespace, collection, key);
  }

  /** The result; the simulator is not used afterwards. */
  finish(): Simulation {
    for (const scan of this.#scans) this.#rwset.range(scan.namespace, scan.info());
    const touched = this.#rwset.touched().map(({ namespace }) => namespace);
    const interest = this.#interest.build(touched.filter((namespace) => !SYSTEM_NAMESPACES.has(namespace)));
    return { ...this.#rwset.build(), interest };
  }

  #remember(scan: RangeScan): RangeScan {
    this.#scans.push(scan);
    return scan;
  }

  #hashed(namespace: string, collection: string, key: string): ReturnType<Snapshot['hashed']> {
    const hashed = this.snapshot.hashed(namespace, collection, privateHash(key));
    this.#rwset.privateRead(namespace, collection, key, hashed?.version);
    return hashed;
  }

  #wrotePrivate(namespace: string, collection: string, key: string): void {
    const hashed = this.snapshot.hashed(namespace, collection, privateHash(key));
    this.#interest.wrote(namespace, collection, key, hashed?.metadata);
  }

  #mayWrite(): void {
    const done = 'Transaction has already performed';
    if (this.#scannedPrivate) throw this.#unsupported(`${done} queries on pvt data. Writes are not allowed`);
    if (this.#paginated) throw this.#unsupported(`${done} a paginated query. Writes are not allowed`);
    this.#wrote = true;
  }

  /** The misspelling is Fabric's. */
  #unsupported(why: string): Error {
    return refusal(`txid [${this.txId}]: unsuppored transaction. ${why}`);
  }
}

function height(version: Version | undefined): string {
  return version ? `{BlockNum: ${version.block}, TxNum: ${version.tx}}` : '<nil>';
}
