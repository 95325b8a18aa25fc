/** A member's projection as its gateway opens it: the domains' projectors, and the keys that open content. */
import { join } from 'node:path';

import { originSpaces, projectors } from './domains.js';
import type { RecentContents } from './ehr/recent.js';
import { openStored } from './ehr/translate.js';
import { fhirBase } from './identity/issuer.js';
import type { KeyStore } from './keys/key-store.js';
import { heldBy } from './ledger/held.js';
import type { Fault } from './projection/faults.js';
import { Projection } from './projection/projection.js';
import type { GatewaySettings } from './settings.js';

/** Database file of a gateway's projection. */
export function projectionFile({ dataDir, gateway }: GatewaySettings): string {
  return join(dataDir, `projection-${gateway}.db`);
}

/** Where the projection lies and what it need not decrypt. */
export interface ProjectionPlace {
  /** Instead of the gateway's own file. */
  readonly path?: string;
  /** What this process wrote itself and need not decrypt. */
  readonly recent?: RecentContents;
  /** Hears of what cannot be read or indexed. */
  readonly onFault?: (fault: Fault) => void;
}

/** Opens a projection; content whose key was destroyed stays closed. */
export function openProjection(
  settings: GatewaySettings,
  keys: KeyStore,
  { path = projectionFile(settings), recent, onFault }: ProjectionPlace = {},
): Projection {
  return new Projection({
    path,
    projectors: projectors(settings.member, keys),
    open: (ledgerKey, value) => openStored(ledgerKey, value, { keys, ...(recent === undefined ? {} : { recent }) }),
    join: (ledgerKey, text) => keys.joined(ledgerKey, text),
    held: heldBy(settings),
    origins: originSpaces,
    base: `${fhirBase(settings.baseUrl)}/`,
    ...(onFault === undefined ? {} : { onFault }),
  });
}
