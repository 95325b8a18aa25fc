/** Carries a capture's events out, in their order. */
import type { Actor } from '../../ports.js';
import type { StoredEvent } from '../epcis/stored.js';
import { STANDARD, withContext } from '../event/namespaces.js';
import type { PackActs } from './acts.js';
import { stepsOf } from './steps.js';
import type { Watch } from './watch.js';
import type { Effect } from './stored.js';

/** What captured events do on the ledger; `again` where a killed gateway may have done some of it. */
export type Carry = (actor: Actor, events: readonly StoredEvent[], again: boolean) => Promise<readonly Effect[]>;

/** What else follows from all of a capture. */
export type Afterwards = (actor: Actor, effects: readonly Effect[], captureID: string) => Promise<readonly Effect[]>;

/** The events' steps one after the other: what ships was packed before. */
export function carryEvents(acts: Pick<PackActs, 'carry'>, watching: () => Watch, afterwards: Afterwards): Carry {
  return async (actor, events, again) => {
    const effects: Effect[] = [];
    const watch = watching();
    for (const { event, context, captureID, position } of events) {
      const seen = watch.sightingIn(event);
      const way = { again, place: { captureID, event: position }, seen };
      for (const step of stepsOf(event, withContext(withContext(STANDARD, context), event['@context']))) {
        const together = step.kind === 'act' ? watch.together(step.epcs, again) : undefined;
        const carried = await acts.carry(actor, step, way);
        const isWatched = seen !== undefined && together !== undefined;
        const outcomes = isWatched ? await watch.outcomes(actor, seen, carried, together) : carried;
        effects.push(...outcomes.map((each) => ({ event: position, ...each })));
      }
    }
    return [...effects, ...(await afterwards(actor, effects, events[0]?.captureID ?? ''))];
  };
}
