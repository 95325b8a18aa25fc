/** What the ledger holds of a trial's kits. */
import type { Act } from './records';

/** States of a kit; that it is assigned stands with the participant. */
export type KitState = 'shipped' | 'received' | 'quarantined' | 'dispensed' | 'returned' | 'reconciled';

/** One act on a kit of the treatment. */
export interface KitRecord extends Act {
  readonly kit: string;
  readonly n: number;
  readonly act: string;
  readonly state: KitState;
  readonly stratum: string;
  /** The member it was shipped to. */
  readonly site: string;
  /** Salted commitment of lot and pack in the supply chain: while blinded, a lot would tell the arm. */
  readonly pack: string;
  /** Units shipped. */
  readonly units: number;
  readonly delegate: string;
  /** Since it was dispensed. */
  readonly participant?: string;
  /** Units that came back. */
  readonly returned?: number;
  /** Units that the monitor counted; differs from what was returned only with a reason. */
  readonly counted?: number;
  /** Salted commitment of the logger's readings: the kit was outside its limits. */
  readonly excursion?: string;
  readonly reason?: string | undefined;
  /** What `pack` commits to; after unblinding alone. */
  readonly opened?: OpenedPack;
}

/** Lot, and pack where it was serialised, in the supply chain. */
export interface OpenedPack {
  readonly lot: string;
  readonly item?: string | undefined;
  readonly salt: string;
}
