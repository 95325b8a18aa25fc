/** What a member's gateway does beside answering: it follows the ledger, keeps its content, and ticks. */
import { watchBlocks } from './alarms.js';
import { runTicker } from './clock/ticker.js';
import type { Sharing } from './door/sharing.js';
import type { Erasures } from './erasure/erasures.js';
import { follow } from './projection/follower.js';
import { approveRegistry } from './registry/approve.js';
import type { Rooms } from './rooms.js';

/** Follows the ledger, approves the registry, then ticks; rejects when following is at its end. */
export function runInBackground(
  rooms: Rooms,
  sharing: Sharing,
  { series }: Erasures,
  signal: AbortSignal,
): Promise<never> {
  const { settings, log, projection, directory, connected, live, outbox, clock } = rooms;
  outbox.recover();
  series.resume();
  const onInterrupted = (error: unknown): void => {
    log.debug({ name: (error as Error).name }, 'blocks interrupted');
  };
  watchBlocks(rooms, signal);
  void rooms.contents.keepUp(signal, onInterrupted);
  const failed = Promise.withResolvers<never>();
  const fail = (error: unknown): void => {
    if (!signal.aborted) failed.reject(error);
  };
  follow(projection, live.watch(connected), signal, { onInterrupted, now: clock }).catch(fail);
  sharing.run(signal).catch(fail);
  const ticking = {
    member: settings.member,
    order: () => directory.names,
    now: clock,
    onFailure: (error: unknown) => {
      log.debug({ error: (error as Error).message }, 'tick failed');
    },
  };
  const member = Promise.withResolvers<undefined>();
  // Who waits for the others to approve a newcomer goes on ticking meanwhile.
  approveRegistry(connected, settings, signal, () => {
    member.resolve(undefined);
  }).catch(fail);
  member.promise.then(() => runTicker(connected, ticking, signal)).catch(fail);
  return failed.promise;
}
