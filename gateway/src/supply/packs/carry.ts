/** Carries a capture's events out, in their order. */
import type { Actor } from '../../ports.js';
import type { StoredEvent } from '../epcis/stored.js';
import { STANDARD, withContext } from '../event/namespaces.js';
import type { PackActs } from './acts.js';
import { stepOf } from './steps.js';
import type { Effect } from './stored.js';

/** What captured events do on the ledger. */
export type Carry = (actor: Actor, events: readonly StoredEvent[]) => Promise<readonly Effect[]>;

/** The events' steps one after the other: what ships was packed before. */
export function carryEvents(acts: PackActs): Carry {
  return async (actor, events) => {
    const effects: Effect[] = [];
    for (const { event, context, position } of events) {
      const step = stepOf(event, withContext(withContext(STANDARD, context), event['@context']));
      const outcomes = step === undefined ? [] : await acts.carry(actor, step);
      effects.push(...outcomes.map((each) => ({ event: position, ...each })));
    }
    return effects;
  };
}
