/** What anybody recomputes of an allocation from public data after the reveal. Pure. */
import { type Allotted, rootOf, type TrialView } from '@salus/chaincode/trial/api';

/** One stratum, checked. */
export interface StratumCheck {
  readonly stratum: string;
  /** The revealed list has the root committed before activation; undefined before the reveal. */
  readonly isListIntact?: boolean;
  /** Slots that were skipped, taken twice, or gave another kit than the list's. */
  readonly wrongSlots: readonly number[];
  readonly enrolled: number;
  /** Participants in each arm; empty before the reveal. */
  readonly arms: Readonly<Record<string, number>>;
  /** Slots of each arm on the whole list, by which its ratio is judged; empty before the reveal. */
  readonly listed: Readonly<Record<string, number>>;
  /** Arms on the list that the protocol does not name. */
  readonly unknownArms: readonly string[];
}

/** Every stratum of a trial, and participants that hold more than one slot. */
export interface AllocationCheck {
  readonly strata: readonly StratumCheck[];
  readonly doubled: readonly string[];
}

/** Recomputes lists, slots and balance. */
export function checkAllocation(view: TrialView): AllocationCheck {
  const holders = view.slots.flatMap(({ taken }) => taken.map(({ participant }) => participant));
  return {
    strata: view.lists.map(({ stratum }) => checkStratum(view, stratum)),
    doubled: [...new Set(holders.filter((holder, index) => holders.indexOf(holder) !== index))],
  };
}

function checkStratum({ trial, lists, slots, reveals, versions }: TrialView, stratum: string): StratumCheck {
  const list = lists.find((each) => each.stratum === stratum);
  const taken = slots.find((each) => each.stratum === stratum)?.taken ?? [];
  const revealed = reveals.find((each) => each.stratum === stratum)?.slots;
  const wrong = taken.filter(({ slot, kit }, index) => slot !== index + 1 || kit !== list?.kits[index]);
  const check = { stratum, wrongSlots: wrong.map(({ slot }) => slot), enrolled: taken.length };
  if (revealed === undefined) return { ...check, arms: {}, listed: {}, unknownArms: [] };
  const isListIntact = list !== undefined && rootOf(trial.trial, stratum, revealed) === list.root;
  const listed = armsOf(revealed);
  const named = new Set(versions[0]?.protocol.allocation.arms.map(({ code }) => code));
  const unknownArms = Object.keys(listed).filter((arm) => !named.has(arm));
  return { ...check, isListIntact, arms: armsOf(revealed.slice(0, taken.length)), listed, unknownArms };
}

function armsOf(slots: readonly Allotted[]): Record<string, number> {
  const arms: Record<string, number> = {};
  for (const { arm } of slots) arms[arm] = (arms[arm] ?? 0) + 1;
  return arms;
}
