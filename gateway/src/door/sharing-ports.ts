/** What sharing works with. */
import type { Destinations } from '../delivery/destinations.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Memory } from '../keys/memory.js';
import type { SigningKey } from '../identity/keys.js';
import type { Outbox } from '../ledger/outbox.js';
import type { Facts } from '../patient/lookup.js';
import type { Ledger, RecordWriter, StoredVersion } from '../ports.js';
import type { Directory } from '../registry/directory.js';
import type { GatewaySettings } from '../settings.js';
import type { ReadTransaction } from './evidence.js';

/** The rooms of one gateway that reading, consenting and answering at the door work with. */
export interface SharingPorts {
  readonly settings: GatewaySettings;
  readonly ledger: Ledger;
  readonly outbox: Pick<Outbox, 'old' | 'drop'>;
  readonly transaction: ReadTransaction;
  readonly keys: KeyStore;
  readonly memory: Memory;
  readonly projection: Facts & {
    /** Number of the last block that is applied. */
    readonly block: number;
    readonly base: string;
    current(type: string, id: string): StoredVersion | undefined;
    version(type: string, id: string, version: number): StoredVersion | undefined;
    ofPatient(type: string, patient: string): readonly StoredVersion[];
    holding(type: string, parameter: string, value: string, limit?: number): readonly StoredVersion[];
    attaching(id: string): readonly StoredVersion[];
    reached(block: number, timeoutMs: number): Promise<boolean>;
  };
  readonly directory: Directory;
  /** The writer of the member's own record. */
  readonly writer: RecordWriter;
  readonly signingKey: SigningKey;
  /** Where subscribers may be told. */
  readonly destinations: Destinations;
  /** Milliseconds since 1970, shifted as the settings say. */
  readonly clock: () => number;
  /** Something that failed and is tried again, for the log. */
  readonly delayed: (what: string, error: unknown) => void;
  /** Something an operator must see; never names a patient. */
  readonly alarm: (what: string, about: Readonly<Record<string, string>>) => void;
}
