/** Puts a member's EPCIS interface together from the rooms of its gateway. */
import type { Destinations } from '../../delivery/destinations.js';
import type { GatewaySettings } from '../../settings.js';
import { prefixLengthAmong } from '../gs1/epc.js';
import type { Carry } from '../packs/carry.js';
import type { PendingWork } from '../../keys/pending-work.js';
import { EpcisDesk } from './desk.js';
import type { EventRepository } from './repository.js';

/** The rooms of a gateway that the EPCIS interface is put together from. */
export interface EpcisRooms {
  readonly repository: EventRepository;
  readonly settings: Pick<GatewaySettings, 'members'>;
  /** What captured events do on the ledger. */
  readonly carry: Carry;
  /** What was promised and is not done yet. */
  readonly pending: PendingWork;
  /** Where webhooks may be. */
  readonly destinations: Destinations;
  /** Milliseconds since 1970, shifted as the settings say. */
  readonly clock: () => number;
}

/** A member's events and what goes on with them. */
export function openDesk(rooms: EpcisRooms): EpcisDesk {
  const prefixes = rooms.settings.members.flatMap(({ gcp }) => gcp);
  const { repository, carry, pending, destinations, clock } = rooms;
  const prefixLength = prefixLengthAmong(prefixes);
  return new EpcisDesk({ repository, carry, pending, destinations, clock, prefixLength });
}
