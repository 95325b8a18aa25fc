/** Finds the versions that a subscription is about, in the order in which the projection has them. */
import type { Actor, StoredVersion } from '../../ports.js';
import type { HistoryEntry, HistoryQuery } from '../../projection/history.js';
import { outlineOf } from '../../projection/stored.js';
import type { JsonObject } from '../json.js';
import { meets } from './filters.js';
import { SUBSCRIPTION_LIMITS } from './limits.js';
import type { Kept, Place, TopicEvent } from './store.js';
import type { Wish } from './wish.js';

/** Versions looked at for one subscription at a time. */
const LOOKED_AT = 200;

/** What is looked at, and who may see it. */
export interface FindPorts {
  readonly projection: {
    history(query: HistoryQuery): readonly HistoryEntry[];
    newest(): { readonly vid: number; readonly updated: string };
    /** The server's base URL with a slash at its end. */
    readonly base: string;
  };
  /** What the actor may see of a version, with the rights of now. */
  readonly permit: (actor: Actor, stored: StoredVersion) => StoredVersion | undefined;
}

/** Where a subscription that is made now begins. */
export function placeNow({ projection }: Pick<FindPorts, 'projection'>): Place {
  const { vid, updated } = projection.newest();
  return { vid, at: updated };
}

/**
 * What is different of a subscription after a look at further versions; undefined where there are none. `isFlowing`: its
 * subscriber takes what is found, so that no more is found than is kept until then; for others the oldest is let go.
 */
export function foundEvents(ports: FindPorts, kept: Kept, wish: Wish, isFlowing: boolean): Partial<Kept> | undefined {
  const { projection } = ports;
  const newest = placeNow(ports);
  if (newest.vid === kept.place.vid && newest.at === kept.place.at) return undefined;
  const room = isFlowing ? SUBSCRIPTION_LIMITS.events - (kept.count - kept.told) : LOOKED_AT;
  const limit = Math.min(room, LOOKED_AT);
  if (limit <= 0) return undefined;
  const beyond = beforeNext(ports, kept.place);
  const entries = projection.history({ type: wish.type, beyond, ascending: true, limit });
  const found = entries
    .map(({ stored }) => stored)
    .filter((stored) => !isKnown(kept, stored) && concerns(ports, kept, wish, stored));
  const last = entries.length < limit ? undefined : entries.at(-1);
  const place = last === undefined ? newest : { vid: last.position, at: last.stored.lastUpdated };
  const added = found.map((stored, index): TopicEvent => {
    const { id, version, lastUpdated: at } = stored;
    return { number: kept.count + index + 1, id, version, at };
  });
  const events = [...kept.events, ...added].slice(-SUBSCRIPTION_LIMITS.events);
  return { place, count: kept.count + added.length, events };
}

/** The position behind which nothing was looked at: found by time where the projection was derived anew since. */
function beforeNext(ports: Pick<FindPorts, 'projection'>, { vid, at }: Place): number {
  const { projection } = ports;
  const [same] = projection.history({ beyond: vid - 1, ascending: true, limit: 1 });
  if (vid === 0 || (same?.position === vid && same.stored.lastUpdated === at)) return vid;
  const [next] = projection.history({ since: at, ascending: true, limit: 1 });
  return next === undefined ? placeNow(ports).vid : next.position - 1;
}

function isKnown({ events }: Kept, { id, version }: StoredVersion): boolean {
  return events.some((event) => event.id === id && event.version === version);
}

/** Whether its subscriber is told: of what they may not see not even the number. */
function concerns({ projection, permit }: FindPorts, { actor }: Kept, wish: Wish, stored: StoredVersion): boolean {
  if (stored.deleted) return false;
  const shown = permit(actor, stored);
  return (
    shown !== undefined && meets(wish.filters, wish.type, JSON.parse(outlineOf(shown)) as JsonObject, projection.base)
  );
}
