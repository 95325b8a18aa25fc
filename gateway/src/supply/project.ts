/** What the projection makes of the member's own events, packs and containers. */
import type { Change } from '../projection/projector.js';
import { epcisChange } from './epcis/stored.js';
import { packChanges } from './packs/stored.js';

/** The changes for a version of one of the supply chain's types; undefined for all others. */
export function supplyChanges(type: string, id: string, text: string | undefined): readonly Change[] | undefined {
  const event = epcisChange(type, id, text);
  return event === undefined ? packChanges(type, id, text) : [event];
}
