/** A gateway's subscriptions to topics, put together from its rooms. */
import type { Server } from 'node:http';

import type { Sharing } from './door/sharing.js';
import { stableBy } from './fhir/idempotency.js';
import type { Subscriptions, TypeHandler } from './fhir/request.js';
import { Bindings } from './fhir/subscription/bindings.js';
import { SubscriptionDesk } from './fhir/subscription/desk.js';
import { Notifying } from './fhir/subscription/notifying.js';
import { SubscriptionSockets } from './fhir/subscription/sockets.js';
import { SubscriptionStore } from './fhir/subscription/store.js';
import { fhirBase } from './identity/issuer.js';
import { PendingWork } from './keys/pending-work.js';
import type { Actor, StoredVersion } from './ports.js';
import type { Rooms } from './rooms.js';

/** What of a gateway subscriptions work with. */
type SubscriptionRooms = Pick<Rooms, 'settings' | 'keys' | 'projection' | 'destinations' | 'clock'>;

/** Subscriptions as the gateway serves them. */
export interface OpenSubscriptions {
  /** Operations on them. */
  readonly desk: Subscriptions;
  /** Of the type Subscription. */
  readonly handler: TypeHandler;
  /** Takes over websockets of a server. */
  serve(server: Server): void;
  /** Tells subscribers until the signal aborts. */
  goOn(signal: AbortSignal): void;
  /** Closes the websockets. */
  endSockets(): Promise<void>;
  /** Resolves once nobody is told anything any more, after the signal. */
  ended(): Promise<void>;
}

/** Opens them; nobody is told before `goOn`. */
export function openSubscriptions(
  { settings, keys, projection, destinations, clock }: SubscriptionRooms,
  sharing: Pick<Sharing, 'decision' | 'mandates' | 'read'>,
  onFault: (error: unknown) => void,
): OpenSubscriptions {
  const { decision, mandates } = sharing;
  const store = new SubscriptionStore(new PendingWork(keys, settings.gateway));
  const baseUrl = fhirBase(settings.baseUrl);
  const permit = (actor: Actor, stored: StoredVersion): StoredVersion | undefined =>
    decision.permit(mandates.renewed(actor), stored, 'vread');
  const own = { store, projection, permit, destinations, clock, baseUrl };
  const notifying = new Notifying({
    ...own,
    version: (type, id, version) => projection.version(type, id, version),
    read: (actor, what, work) => sharing.read(actor, what, work),
    onFault,
  });
  const bindings = new Bindings(clock);
  const desk = new SubscriptionDesk({
    ...{ ...own, notifying, bindings, stable: stableBy(keys) },
    allow: (actor, type) => {
      decision.allow(actor, type, 'search');
    },
  });
  const sockets = new SubscriptionSockets({ bindings, notifying, clock, onFault });
  let running = Promise.resolve();
  return {
    desk,
    handler: desk.handler,
    serve: (server) => {
      sockets.serve(server);
    },
    goOn: (signal) => {
      running = notifying.goOn(signal);
    },
    endSockets: () => sockets.end(),
    ended: () => running,
  };
}
