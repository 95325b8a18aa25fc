/** Acts that share a transaction: all of them take effect, or none does. Pure. */
import type { Refusal } from '../lib/refusal';
import { list, object, type Parser } from '../lib/schema';
import { type Act, parseAct, refuse } from './api';
import type { Known } from './origin';

/** Most acts in one transaction. */
export const MAX_ACTS = 100;

/** supply:acts. */
export interface Acts {
  readonly acts: readonly Act[];
}

/** Parser of Acts. */
export const parseActs: Parser<Acts> = object<Acts>({ acts: list(parseAct, 1, MAX_ACTS) });

/**
 * Each act is judged on what was committed before the transaction, so none may bear on another: no item twice, none
 * that another's lies in, no fill twice. `known` is of each act, in their order.
 */
export function collision(acts: readonly Act[], known: readonly Known[]): Refusal | undefined {
  const items = new Set(acts.map(({ item }) => item));
  const fills = acts.flatMap(({ fill }) => fill ?? []);
  const isApart =
    items.size === acts.length &&
    new Set(fills).size === fills.length &&
    !known.some(({ above }) => above.some(({ id }) => items.has(id)));
  return isApart ? undefined : refuse('acts-collide', 'acts that bear on one another do not share a transaction');
}
