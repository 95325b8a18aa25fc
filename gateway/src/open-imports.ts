/** A member's bulk imports as its gateway opens them: they write through the interface that clients write through. */
import type { Logger } from 'pino';

import type { Sharing } from './door/sharing.js';
import { officers } from './erasure/rules.js';
import { stableBy } from './fhir/idempotency.js';
import { ImportDesk } from './fhir/import/desk.js';
import type { Fhir } from './fhir/request.js';
import { fhirBase } from './identity/issuer.js';
import type { KeyStore } from './keys/key-store.js';
import type { Projection } from './projection/projection.js';
import type { GatewaySettings } from './settings.js';

/** What of a gateway imports are put together from. */
export interface ImportRooms {
  readonly settings: GatewaySettings;
  readonly keys: KeyStore;
  readonly projection: Pick<Projection, 'current'>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly importOrigins: readonly string[];
  readonly log: Logger;
}

/** Opens the imports of a gateway; none goes on before `goOn`. */
export function openImports(
  { settings, keys, projection, clock, importOrigins, log }: ImportRooms,
  { decision, handlers, remote, mandates }: Pick<Sharing, 'decision' | 'handlers' | 'remote' | 'mandates'>,
  fhir: Fhir,
): ImportDesk {
  return new ImportDesk({
    ...{ keys, decision, fhir, gateway: settings.gateway, origins: importOrigins, now: clock },
    baseUrl: fhirBase(settings.baseUrl),
    apart: new Set(Object.keys(handlers)),
    isOfficer: ({ role }) => officers.includes(role),
    actorNow: (actor) => mandates.renewed(actor),
    current: (actor, type, id) => {
      const stored = projection.current(type, id);
      return stored && decision.permit(actor, stored, 'update');
    },
    isElsewhere: (type, id) => remote.holds(type, id),
    stable: stableBy(keys).codeOf,
    onFault: (error) => {
      log.error({ name: (error as Error).name, stack: (error as Error).stack }, 'an import was cut short');
    },
  });
}
