import { kind } from '../lib/kind';
import type { KitRecord } from './kit-records';
import type * as records from './records';

/** trial/<trial>: parties; written once. */
export const trialKind = kind<records.TrialRecord>('trial', 'public', 'trial');
/** trial-version/<trial>/<version>: a chain, each naming the hash of the one before. */
export const versionKind = kind<records.VersionRecord>('trial-version', 'public', 'trial', 'version');
/** trial-approval/<trial>/<hash>/<role>/<member>: one key for each approval of a version, list or document. */
export const approvalKind = kind<records.ApprovalRecord>('trial-approval', 'public', 'trial', 'hash', 'role', 'member');
/** trial-in-force/<trial>/<protocol|document>: which version counts now. */
export const inForceKind = kind<records.InForceRecord>('trial-in-force', 'public', 'trial', 'what');
/** trial-milestone/<trial>/<name>: first-enrolment, the newest lock, unblinding. */
export const milestoneKind = kind<records.MilestoneRecord>('trial-milestone', 'public', 'trial', 'name');
/** trial-status-act/<trial>/<n>: every halt, its end, lock, unlock and the unblinding, in line; none is written over. */
export const statusActKind = kind<records.StatusRecord>('trial-status-act', 'public', 'trial', 'n');
/** trial-status/<trial>: the newest of them; absent while nothing of that came. */
export const statusKind = kind<records.StatusRecord>('trial-status', 'public', 'trial');
/** trial-look/<trial>/<look>: an interim look. */
export const lookKind = kind<records.LookRecord>('trial-look', 'public', 'trial', 'look');
/** trial-results/<trial>/<publication>: published outcomes, judged. */
export const resultsKind = kind<records.ResultsRecord>('trial-results', 'public', 'trial', 'publication');
/** trial-list/<trial>/<stratum>: the commitment to a list; its kits are public, its arms are not. */
export const listKind = kind<records.ListRecord>('trial-list', 'public', 'trial', 'stratum');
/** trial-slot/<trial>/<stratum>/<slot>: one key for each slot taken. */
export const slotKind = kind<records.SlotRecord>('trial-slot', 'public', 'trial', 'stratum', 'slot');
/** trial-reveal/<trial>/<stratum>: the list in clear, after lock. */
export const revealKind = kind<records.RevealRecord>('trial-reveal', 'public', 'trial', 'stratum');
/** trial-unblinding/<trial>/<stratum>/<slot>: an emergency unblinding; names no arm. */
export const unblindingKind = kind<records.UnblindingRecord>('trial-unblinding', 'public', 'trial', 'stratum', 'slot');
/** trial-document/<trial>/<version>: hashes of a consent document's translations. */
export const documentKind = kind<records.DocumentRecord>('trial-document', 'public', 'trial', 'version');
/** trial-delegate/<trial>/<kid>: a key of somebody to whom a member delegated a role. */
export const delegateKind = kind<records.DelegateRecord>('trial-delegate', 'public', 'trial', 'kid');
/** trial-consent/<trial>/<participant>/<n>: consents and withdrawals in line. */
export const consentKind = kind<records.ConsentRecord>('trial-consent', 'public', 'trial', 'participant', 'n');
/** trial-use/<trial>/<participant>/<n>: restrictions of use by consents beside the trial's own, and their ends, in line. */
export const useKind = kind<records.UseRecord>('trial-use', 'public', 'trial', 'participant', 'n');
/** trial-eligible/<trial>/<participant>/<version>: the site's word on that version's criteria, over its own content. */
export const eligibleKind = kind<records.EligibleRecord>('trial-eligible', 'public', 'trial', 'participant', 'version');
/** trial-participant/<trial>/<participant>: where somebody was allocated. */
export const participantKind = kind<records.ParticipantRecord>('trial-participant', 'public', 'trial', 'participant');
/** trial-point/<trial>/<participant>/<visit>/<form>/<n>: a data point's acts in line. */
export const pointKind = kind<records.PointRecord>(
  'trial-point',
  'public',
  'trial',
  'participant',
  'visit',
  'form',
  'n',
);
/** trial-entered/<trial>/<participant>: how many data points and open queries. */
export const enteredKind = kind<records.EnteredRecord>('trial-entered', 'public', 'trial', 'participant');
/** trial-kit/<trial>/<kit>/<n>: a kit's acts in line. */
export const kitKind = kind<KitRecord>('trial-kit', 'public', 'trial', 'kit', 'n');
/** trial-event/<trial>/<event>/<n>: an adverse event as reported, then followed up and assessed. */
export const eventKind = kind<records.EventRecord>('trial-event', 'public', 'trial', 'event', 'n');
/** trial-submission/<trial>/<event>/<n>: the report to the regulator of that state of the event. */
export const submissionKind = kind<records.SubmissionRecord>('trial-submission', 'public', 'trial', 'event', 'n');
/** trial-acknowledgement/<trial>/<event>/<n>/<member>: that the sponsor has a site's report, or a regulator the sponsor's. */
export const acknowledgementKind = kind<records.AcknowledgementRecord>(
  'trial-acknowledgement',
  'public',
  'trial',
  'event',
  'n',
  'member',
);
/** trial-arms/<trial>/<stratum>: a list in clear, at its keeper alone. */
export const armsKind = kind<records.ArmsRecord>('trial-arms', 'of-{member}', 'trial', 'stratum');
/** trial-secret/<trial>: under which the sites make their codes. */
export const secretKind = kind<records.TrialSecret>('trial-secret', 'care-keys', 'trial');
/** trial-enrolled/<hmac>: one person, under the trial's secret. */
export const enrolledKind = kind<records.ClaimRecord>('trial-enrolled', 'care', 'hmac');
/** trial-claim/<trial>/<site>/<participant>: that the site claimed the participant; its hash alone is read outside. */
export const claimKind = kind<records.ClaimRecord>('trial-claim', 'care', 'trial', 'site', 'participant');

/** A number as part of a key: six digits, so that keys sort like numbers. */
export function numberPart(value: number): string {
  return value.toString().padStart(6, '0');
}
