/** What became of each pack of a step, and how a step's packs are taken in turns. */
import { isRefusal, Refusal } from '../../ledger/refusal.js';
import type { Effect } from './stored.js';

/** What one step did with one pack, container or lot. */
export type Outcome = Omit<Effect, 'event'>;

/** Acts of one event that are on their way at once. */
const AT_ONCE = 20;

/** Does work for each of them, so many at once, and gives the results in their order. */
export async function inTurns<T>(epcs: readonly string[], work: (epc: string) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (let at = 0; at < epcs.length; at += AT_ONCE) {
    done.push(...(await Promise.all(epcs.slice(at, at + AT_ONCE).map(work))));
  }
  return done;
}

/** A refusal that says it stands already is no failure of work that is done again. */
export async function unlessDone(again: boolean, code: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(again && isRefusal(error, code))) throw error;
  }
}

/** What became of work: done, refused with the code, or unknown. */
export async function settled(what: Pick<Outcome, 'act' | 'epc'>, work: () => Promise<void>): Promise<Outcome> {
  try {
    await work();
    return { ...what, state: 'done' };
  } catch (error) {
    if (!(error instanceof Refusal)) return { ...what, state: 'unknown' };
    const state = error.category === 'unavailable' ? 'unknown' : 'refused';
    return { ...what, state, code: error.code, detail: error.detail };
  }
}
