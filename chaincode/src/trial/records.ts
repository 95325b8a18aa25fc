/** What the ledger holds of a trial. Everything but arms and claims is public; instants are FHIR instants. */
import type { PublicJwk } from '../lib/schema';
import type { Allotted } from './allotted';
import type { OutcomeChange, ReportedOutcome, ResultFinding } from './outcomes';
import type { Parties, Protocol } from './protocol';
import type { Doer } from './rights';

/** Who did it, the proposal's timestamp, and the transaction. */
export interface Act {
  readonly by: Doer;
  readonly at: string;
  readonly tx: string;
}

/** What people signed of an act: compact JWS over exactly that (21 CFR 11.70). */
export interface Signed {
  readonly statements: readonly string[];
}

/** A trial's parties. */
export interface TrialRecord extends Act {
  readonly trial: string;
  readonly parties: Parties;
}

/** The outcomes' changes against the version in force at one milestone. */
export interface ChangesSince {
  /** `first-enrolment`, `lock`, `unblinding`. */
  readonly milestone: string;
  readonly version: number;
  readonly changes: readonly OutcomeChange[];
}

/** One version of the protocol. */
export interface VersionRecord extends Act {
  readonly trial: string;
  readonly version: number;
  readonly previous?: string;
  readonly protocol: Protocol;
  readonly reason?: string;
  /** Stay for ever. Empty before first enrolment. */
  readonly flags: readonly ChangesSince[];
  /** SHA-256 of the RFC 8785 form of all the rest but `by`, `at` and `tx`. */
  readonly hash: string;
}

/** One approval; it counts only with what was signed of it, which the oldest do not have. */
export interface ApprovalRecord extends Act, Partial<Signed> {
  /** `version:<n>` or `list:<stratum>`. */
  readonly subject: string;
  readonly hash: string;
}

/** The version in force; of a document, signed by the ethics committee. */
export interface InForceRecord extends Act, Partial<Signed> {
  readonly version: number;
  readonly hash: string;
  /** Of documents, also by versions that came between: until when participants under one before a version may go on. */
  readonly deadlines?: readonly { readonly before: number; readonly by: string }[];
}

/** Something that happened once, and the version in force then. */
export interface MilestoneRecord extends Act, Partial<Signed> {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  /** With `lock`: the root of every data point's newest record, as lockRootOf has it, and how many there are. */
  readonly root?: string;
  readonly points?: number;
}

/** What stops a trial or lets it go on; signed, but for what an unblinding brings. */
export interface StatusRecord extends Act, Partial<Signed> {
  /** Its place among all of the trial. */
  readonly n: number;
  readonly act: 'halt' | 'resume' | 'lock' | 'unlock' | 'unblinding';
  readonly state: 'running' | 'halted' | 'locked' | 'unblinded';
  readonly reason?: string;
  /** The protocol version in force then. */
  readonly version: number;
  /** With `lock`, as in its milestone. */
  readonly root?: string;
  readonly points?: number;
}

/** An interim look. */
export interface LookRecord extends Act {
  readonly look: number;
  readonly version: number;
  readonly reason: string;
}

/** Published results. */
export interface ResultsRecord extends Act {
  readonly publication: string;
  readonly published: string;
  readonly against: number;
  readonly outcomes: readonly ReportedOutcome[];
  readonly findings: readonly ResultFinding[];
}

/** A committed list. */
export interface ListRecord extends Act {
  readonly trial: string;
  readonly stratum: string;
  readonly root: string;
  /** Kit numbers in the order of the slots. */
  readonly kits: readonly string[];
  readonly hash: string;
}

/** A slot taken. */
export interface SlotRecord extends Act {
  readonly slot: number;
  readonly kit: string;
  readonly participant: string;
}

/** A list in clear. */
export interface RevealRecord extends Act {
  readonly stratum: string;
  readonly slots: readonly Allotted[];
}

/** An emergency unblinding. */
export interface UnblindingRecord extends Act {
  readonly stratum: string;
  readonly slot: number;
  readonly participant: string;
  readonly reason: string;
  /** The one person to whom the arm is told, by the delegation log. */
  readonly delegate: string;
}

/** A version of the consent document. */
export interface DocumentRecord extends Act {
  readonly trial: string;
  readonly version: number;
  readonly translations: readonly { readonly language: string; readonly hash: string }[];
  readonly optionalParts: readonly string[];
  readonly reconsentBy?: string;
  readonly hash: string;
}

/** A delegation. */
export interface DelegateRecord extends Act {
  readonly member: string;
  readonly role: string;
  readonly jwk: PublicJwk;
  readonly ended?: string;
}

/** A consent or its withdrawal. */
export interface ConsentRecord extends Act {
  readonly participant: string;
  readonly n: number;
  readonly document: number;
  readonly language: string;
  readonly parts: readonly string[];
  /** The participant's own key. */
  readonly jwk: PublicJwk;
  readonly statement: string;
  readonly countersigned?: string;
  readonly withdrawn?: 'keep-data' | 'use-no-data';
}

/** Whether the participant's consents deny the sponsor's people the contents, as the site's gateway found. */
export interface UseRecord extends Act {
  readonly participant: string;
  readonly n: number;
  readonly isRestricted: boolean;
}

/** The site's word on eligibility. */
export interface EligibleRecord extends Act {
  readonly version: number;
  /** Salted commitments of the answers, one for each criterion. */
  readonly criteria: readonly { readonly id: string; readonly commitment: string }[];
}

/** An allocated participant. */
export interface ParticipantRecord extends Act {
  readonly site: string;
  readonly stratum: string;
  readonly slot: number;
  readonly kit: string;
  readonly consent: number;
  readonly version: number;
}

/** States of a data point. */
export type PointState = 'open' | 'clean' | 'verified' | 'signed' | 'frozen' | 'locked';

/** One act on a data point. */
export interface PointRecord extends Act {
  readonly participant: string;
  readonly visit: string;
  readonly form: string;
  readonly n: number;
  readonly act: string;
  readonly state: PointState;
  /** Salted commitment of the content, which lies in the site's collection. */
  readonly commitment: string;
  readonly delegate: string;
  readonly queries: readonly string[];
  readonly reason?: string;
  readonly statements?: readonly string[];
  /** Of a correction: the consent under which the data were entered does not hold any more. */
  readonly lapsed?: Lapse;
}

/** Why a consent does not hold any more. */
export type Lapse = 'after-withdrawal' | 'after-deadline';

/** How much was entered of a participant, so that a lock can tell whether all of it is meant. */
export interface EnteredRecord {
  /** Data points. */
  readonly points: number;
  /** Acts on them. */
  readonly acts: number;
  /** Queries open on them. */
  readonly queries: number;
}

/** An adverse event in one of its states. */
export interface EventRecord extends Act {
  readonly event: string;
  readonly n: number;
  readonly participant: string;
  readonly act: 'report' | 'assess';
  readonly commitment: string;
  readonly isSerious: boolean;
  readonly isFatal: boolean;
  readonly severity: Severity;
  readonly byInvestigator: Causality;
  readonly bySponsor?: Causality;
  readonly isUnexpected?: boolean;
  /** When the site became aware. */
  readonly awareAt: string;
  /** The tick by which the sponsor knew. */
  readonly sponsorAwareAt: string;
  readonly isLate: boolean;
  /** Until when the regulator must have it; only of a suspected unexpected serious adverse reaction. */
  readonly dueBy?: string;
}

/** Whether the event is thought to come from the treatment. */
export type Causality = 'related' | 'unrelated';

/** How intense it is (ICH E2A II B), which is another thing than serious. */
export type Severity = 'mild' | 'moderate' | 'severe';

/** The sponsor's word that it sent a report to the regulators; it counts as reported once they acknowledge it. */
export interface SubmissionRecord extends Act {
  readonly event: string;
  /** Which state of the event was reported. */
  readonly n: number;
  readonly participant: string;
  readonly commitment: string;
  readonly isLate: boolean;
  readonly tick: string;
}

/** The word of the sponsor or a regulator that a content came: from this tick on it is reported. */
export interface AcknowledgementRecord extends Act {
  readonly event: string;
  /** Which report of the event, or which submission, it is of. */
  readonly n: number;
  readonly commitment: string;
  /** Whether the 24 hours, or the 7 or 15 days, were over by then. */
  readonly isLate: boolean;
  readonly tick: string;
}

/** A list's arms, at the allocator. */
export interface ArmsRecord {
  readonly trial: string;
  readonly stratum: string;
  readonly slots: readonly Allotted[];
}

/** A claim of a person. */
export interface ClaimRecord {
  readonly trial: string;
  readonly participant: string;
  readonly site: string;
}

/** Under which a trial's sites make the codes of persons. */
export interface TrialSecret {
  readonly secret: string;
}
