/** The rooms of one member's gateway: what is opened once and shared by all that runs in it. */
import type { Logger } from 'pino';

import type { Destinations } from './delivery/destinations.js';
import type { ContentCare } from './ehr/content-care.js';
import type { RecentContents } from './ehr/recent.js';
import type { EhrWriter } from './ehr/writer.js';
import type { SigningKey } from './identity/keys.js';
import type { KeyStore } from './keys/key-store.js';
import type { ConnectedLedger } from './ledger/fabric-ledger.js';
import type { LiveBlocks } from './ledger/live.js';
import type { Outbox } from './ledger/outbox.js';
import type { Meters } from './metrics.js';
import type { Ledger } from './ports.js';
import type { Projection } from './projection/projection.js';
import type { Directory } from './registry/directory.js';
import type { GatewaySettings } from './settings.js';

/** Everything of one member that is open while it runs. */
export interface Rooms {
  readonly settings: GatewaySettings;
  readonly log: Logger;
  readonly clock: () => number;
  readonly keys: KeyStore;
  readonly connected: ConnectedLedger;
  readonly live: LiveBlocks;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly writer: EhrWriter;
  readonly recent: RecentContents;
  readonly projection: Projection;
  readonly contents: ContentCare;
  readonly directory: Directory;
  readonly signingKey: SigningKey;
  readonly meters: Meters;
  readonly importOrigins: readonly string[];
  /** Where subscribers may be told. */
  readonly destinations: Destinations;
}
