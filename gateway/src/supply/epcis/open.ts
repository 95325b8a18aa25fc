/** Puts a member's EPCIS interface together from the rooms of its gateway. */
import type { Request, Router } from 'express';

import type { Actor } from '../../ports.js';
import type { GatewaySettings } from '../../settings.js';
import { prefixLengthAmong } from '../gs1/epc.js';
import type { Carry } from '../packs/carry.js';
import { EpcisDesk } from './desk.js';
import { epcisExpress } from './express.js';
import { EventRepository, type RepositoryPorts } from './repository.js';

/** The rooms of a gateway that the EPCIS interface is put together from. */
export interface EpcisRooms extends RepositoryPorts {
  readonly settings: Pick<GatewaySettings, 'members'>;
  /** What captured events do on the ledger. */
  readonly carry: Carry;
  /** Milliseconds since 1970, shifted as the settings say. */
  readonly clock: () => number;
}

/** The router to put under `/epcis`. */
export function openEpcis(
  rooms: EpcisRooms,
  actorOf: (request: Request) => Promise<Actor>,
  onFault: (error: unknown) => void,
): Router {
  const prefixes = rooms.settings.members.flatMap(({ gcp }) => gcp);
  const repository = new EventRepository(rooms);
  const desk = new EpcisDesk({
    repository,
    carry: rooms.carry,
    clock: rooms.clock,
    prefixLength: prefixLengthAmong(prefixes),
  });
  return epcisExpress(desk, actorOf, onFault);
}
