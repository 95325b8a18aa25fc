/** The one table of what may be done with a unit or container: from, event, to, who, guard, refusal, alert. */
import type { ItemState } from './api';

/** What must hold for an act; each has its refusal in rules.ts. */
export type Guard =
  | 'in-possession'
  | 'not-recalled'
  | 'not-expired'
  | 'not-quarantined'
  | 'a-unit'
  | 'at-a-pharmacy'
  | 'within-ten-days'
  | 'same-premises'
  | 'undoable';

/** One act. */
export interface ActRow {
  readonly from: readonly ItemState[];
  readonly to: ItemState;
  /** Whose commitment the salt must open. */
  readonly who: 'owner' | 'holder' | 'receiver';
  /** Roles of the people who may. */
  readonly roles: readonly string[];
  readonly guards: readonly Guard[];
  /** What becomes of a prescription's fill: the one that the act names, or the one that the end it undoes spent. */
  readonly fill?: 'spent' | 'given back';
  /** Which refusals are a suspicion, and of what; no other one is. */
  readonly alerts: Readonly<Record<string, string>>;
}

const people = ['supply-operator', 'pharmacist'] as const;
const fit = ['not-recalled', 'not-expired', 'not-quarantined'] as const;
/** The pack is somewhere it cannot be. */
const elsewhere = {
  'not-yours': 'clone',
  'unknown-item': 'ghost',
  'not-in-lot': 'ghost',
  'not-in-container': 'ghost',
  'forged-parent': 'forged-parent',
};

/** The acts. */
export const ACTS = {
  ship: {
    from: ['active'],
    to: 'in-transit',
    who: 'owner',
    roles: people,
    guards: ['in-possession', ...fit],
    alerts: { ...elsewhere, 'already-dispensed': 're-entry', decommissioned: 're-entry' },
  },
  return: {
    from: ['active', 'returned'],
    to: 'in-transit',
    who: 'owner',
    roles: people,
    guards: ['in-possession'],
    alerts: { ...elsewhere, 'already-dispensed': 're-entry', decommissioned: 're-entry' },
  },
  'hand-over': {
    from: ['in-transit'],
    to: 'in-transit',
    who: 'holder',
    roles: [...people, 'carrier'],
    guards: [],
    alerts: elsewhere,
  },
  receive: {
    from: ['in-transit'],
    to: 'active',
    who: 'receiver',
    roles: people,
    guards: [],
    alerts: {
      ...elsewhere,
      'not-the-receiver': 'diversion',
      'already-dispensed': 're-entry',
      decommissioned: 're-entry',
    },
  },
  decline: {
    from: ['in-transit'],
    to: 'in-transit',
    who: 'receiver',
    roles: people,
    guards: [],
    alerts: elsewhere,
  },
  'verify-return': {
    from: ['returned'],
    to: 'active',
    who: 'owner',
    roles: [...people, 'quality-officer'],
    guards: fit,
    alerts: elsewhere,
  },
  unpack: {
    from: ['active'],
    to: 'active',
    who: 'owner',
    roles: people,
    guards: ['in-possession', 'not-quarantined'],
    alerts: elsewhere,
  },
  dispense: {
    from: ['active'],
    to: 'dispensed',
    who: 'owner',
    roles: ['pharmacist'],
    guards: ['a-unit', 'at-a-pharmacy', 'in-possession', ...fit],
    fill: 'spent',
    alerts: { ...elsewhere, 'already-dispensed': 'double-dispense', decommissioned: 're-entry' },
  },
  decommission: {
    from: ['active', 'returned'],
    to: 'decommissioned',
    who: 'owner',
    roles: [...people, 'quality-officer'],
    guards: ['a-unit', 'in-possession'],
    alerts: elsewhere,
  },
  undo: {
    from: ['dispensed', 'decommissioned'],
    to: 'active',
    who: 'owner',
    roles: [...people, 'quality-officer'],
    guards: ['same-premises', 'within-ten-days', 'undoable', ...fit],
    fill: 'given back',
    alerts: elsewhere,
  },
} as const satisfies Readonly<Record<string, ActRow>>;

/** Name of an act. */
export type ActName = keyof typeof ACTS;

/** The suspicion that a refused act is, by the table; undefined where it is none. */
export function suspicionOf(name: ActName, code: string): string | undefined {
  const alerts: Readonly<Record<string, string>> = ACTS[name].alerts;
  return Object.hasOwn(alerts, code) ? alerts[code] : undefined;
}
