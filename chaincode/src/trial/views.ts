/** What trial:read, trial:line and trial:kits answer: everything public of a trial but its data points. */
import type * as records from './records';
import type { RegisteredPhase } from './rights';

export type * from './kit-records';
export type * from './records';

/** A trial as everybody sees it. Lists of records are in the order of their keys. */
export interface TrialView {
  readonly trial: records.TrialRecord;
  readonly phase: RegisteredPhase;
  readonly inForce?: records.InForceRecord;
  readonly document?: records.InForceRecord;
  readonly status?: records.StatusRecord;
  /** Every halt, its end, lock, unlock and the unblinding. */
  readonly statuses: readonly records.StatusRecord[];
  readonly versions: readonly records.VersionRecord[];
  readonly approvals: readonly records.ApprovalRecord[];
  readonly milestones: readonly records.MilestoneRecord[];
  readonly looks: readonly records.LookRecord[];
  readonly results: readonly records.ResultsRecord[];
  readonly lists: readonly records.ListRecord[];
  readonly slots: readonly { readonly stratum: string; readonly taken: readonly records.SlotRecord[] }[];
  readonly reveals: readonly records.RevealRecord[];
  readonly unblindings: readonly records.UnblindingRecord[];
  readonly events: readonly records.EventRecord[];
  readonly submissions: readonly records.SubmissionRecord[];
  readonly acknowledgements: readonly records.AcknowledgementRecord[];
  /** Versions of the consent document, and the delegation log. */
  readonly documents: readonly records.DocumentRecord[];
  readonly delegates: readonly records.DelegateRecord[];
  /** The last word of everybody who has a slot and withdrew. */
  readonly withdrawals: readonly records.ConsentRecord[];
}

/** What trial:line answers: everything public of one participant. Lists are in the order of their keys. */
export interface ParticipantView {
  readonly trial: string;
  /** Absent before enrolment. */
  readonly participant?: records.ParticipantRecord;
  readonly entered?: records.EnteredRecord;
  /** One for each version by which the site declared it. */
  readonly eligibility: readonly records.EligibleRecord[];
  readonly consents: readonly records.ConsentRecord[];
  /** Restrictions of use and their ends; the last counts. */
  readonly uses: readonly records.UseRecord[];
  readonly points: readonly records.PointRecord[];
}
