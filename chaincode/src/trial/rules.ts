/** Registration: versions of the protocol, approvals, what puts a version in force, results. Pure. */
import { canonical, digest } from '../lib/canonical';
import type { Refusal } from '../lib/refusal';
import type { PostResults, RegisterTrial, RegisterVersion } from './api';
import { judgeResults, outcomeDiff } from './outcomes';
import type { Parties, Protocol } from './protocol';
import type {
  Act,
  ApprovalRecord,
  ChangesSince,
  InForceRecord,
  ListRecord,
  MilestoneRecord,
  ResultsRecord,
  StatusRecord,
  TrialRecord,
  VersionRecord,
} from './records';
import { refuse } from './refusals';
import { permit, type Phase, type RegisteredPhase } from './rights';

/** What is known of a trial when something is asked of it. */
export interface Standing {
  readonly trial: TrialRecord;
  readonly inForce?: InForceRecord | undefined;
  readonly firstEnrolment?: MilestoneRecord | undefined;
  readonly status?: StatusRecord | undefined;
}

/** The state of the trial. */
export function phaseOf({ inForce, firstEnrolment, status }: Omit<Standing, 'trial'>): RegisteredPhase {
  if (status !== undefined && status.state !== 'running') return status.state;
  if (firstEnrolment !== undefined) return 'enrolling';
  return inForce === undefined ? 'registered' : 'active';
}

/** What a first registration is judged by. */
export interface RegistrationFacts {
  readonly known: TrialRecord | undefined;
  /** Whether every party is a member of the consortium. */
  readonly areMembers: boolean;
  /** Whether every regulator named has that role by its entry in the registry. */
  readonly areRegulators: boolean;
}

/** The first registration. Refusals in order of precedence. */
export function register(request: RegisterTrial, facts: RegistrationFacts, act: Act): VersionRecord | Refusal {
  const { trial, parties, protocol } = request;
  const { known } = facts;
  const problem = permit('register', act.by, parties, known === undefined ? 'unregistered' : 'registered');
  if (problem !== undefined) return problem;
  if (isMixed(parties)) {
    return refuse('parties-mixed', 'nobody judges itself: see which parties may not be the same member');
  }
  if (!facts.areMembers) return refuse('unknown-party', 'every party is a member of the consortium');
  if (!facts.areRegulators) return refuse('not-a-regulator', 'by the registry, a member named is no regulator');
  return unfit(protocol) ?? sealed({ trial, version: 1, protocol, flags: [] }, act);
}

/** What a further version is judged by. */
export interface VersionNeighbours {
  readonly before?: VersionRecord | undefined;
  readonly there?: VersionRecord | undefined;
  /** The version in force. */
  readonly inForce?: VersionRecord | undefined;
  /** The versions in force at the milestones that came, with their names. */
  readonly baselines: readonly { readonly milestone: string; readonly record: VersionRecord }[];
}

/** A further version: appended to the chain, flagged for ever where it changes an outcome after first enrolment. */
export function registerVersion(
  request: RegisterVersion,
  phase: Phase,
  { before, there, inForce, baselines }: VersionNeighbours,
  act: Act,
): VersionRecord | Refusal {
  const { trial, version, previous, protocol, reason } = request;
  if (there !== undefined || before?.hash !== previous) {
    return refuse('version-out-of-line', 'send the next number and the hash of the version before');
  }
  if (phase !== 'registered' && reason === undefined) {
    return refuse('amendment-without-reason', 'once the trial is active a further version needs a reason');
  }
  const frozen = frozenPart(protocol, phase, inForce);
  if (frozen !== undefined) return frozen;
  const flags = flagsOf(protocol, baselines);
  const draft = { trial, version, previous, protocol, flags, ...(reason !== undefined && { reason }) };
  return unfit(protocol) ?? sealed(draft, act);
}

function frozenPart(protocol: Protocol, phase: Phase, inForce: VersionRecord | undefined): Refusal | undefined {
  if (inForce === undefined) return undefined;
  const isSame = canonical(protocol.outcomes) === canonical(inForce.protocol.outcomes);
  if (phase === 'unblinded' && !isSame) {
    return refuse('outcomes-frozen', 'after unblinding no outcome is changed: declare it novel with the results');
  }
  if (canonical(protocol.allocation) !== canonical(inForce.protocol.allocation)) {
    return refuse('design-frozen', 'arms and strata stay as they are once lists are committed to them');
  }
  return undefined;
}

function flagsOf(protocol: Protocol, baselines: VersionNeighbours['baselines']): ChangesSince[] {
  return baselines.flatMap(({ milestone, record }) => changesSince(milestone, record, protocol));
}

function changesSince(milestone: string, { version, protocol }: VersionRecord, now: Protocol): ChangesSince[] {
  const changes = outcomeDiff(protocol.outcomes, now.outcomes);
  return changes.length === 0 ? [] : [{ milestone, version, changes }];
}

function sealed(draft: Omit<VersionRecord, 'hash' | keyof Act>, act: Act): VersionRecord {
  return { ...draft, hash: digest(draft), ...act };
}

/**
 * The allocator is neither sponsor nor site, the sponsor no site; the board neither sponsor nor site, whose data
 * it may unlock; none of sponsor, allocator and sites is among those who approve.
 */
function isMixed({ sponsor, allocator, board, ethics, regulators, sites }: Parties): boolean {
  const judged = [sponsor, allocator, ...sites];
  const isOwnJudge = [...ethics, ...regulators].some((member) => judged.includes(member));
  return isOwnJudge || [sponsor, ...sites].includes(board) || new Set(judged).size !== new Set(sites).size + 2;
}

function unfit({ outcomes, allocation, criteria, visits, forms = [] }: Protocol): Refusal | undefined {
  const named = [outcomes, visits, forms].map((items) => items.map(({ id }) => id));
  const lists = [...named, allocation.arms.map((arm) => arm.code), allocation.strata, criteria];
  if (lists.some((ids) => new Set(ids).size !== ids.length)) {
    return refuse('duplicate-item', 'outcomes, arms, strata, criteria, visits and forms are named once');
  }
  const scheduled = new Set(visits.flatMap((visit) => visit.forms));
  if (forms.every(({ id }) => scheduled.has(id))) return undefined;
  return refuse('not-in-schedule', 'a form with a questionnaire belongs to a visit');
}

/** Whether there is an approval that somebody signed; one that nobody did does not count, and may be given again. */
export function isSigned(approval: ApprovalRecord | undefined): boolean {
  return (approval?.statements ?? []).length > 0;
}

/** An approval of something by its hash. */
export function approve(
  subject: string,
  asked: string,
  record: { readonly hash: string } | undefined,
  known: ApprovalRecord | undefined,
  act: Act,
): Omit<ApprovalRecord, 'statements'> | Refusal {
  if (record?.hash !== asked) return refuse('unknown-version', 'there is nothing of that name with this hash');
  if (isSigned(known)) return refuse('already-approved', 'the calling member approved this in this role');
  return { subject, hash: asked, ...act };
}

/** Whose signature a version needs: the sponsor's, and of every ethics committee and every regulator named. */
export function approversOf({ sponsor, ethics, regulators }: Parties): readonly { role: string; member: string }[] {
  return [
    { role: 'sponsor', member: sponsor },
    ...ethics.map((member) => ({ role: 'ethics', member })),
    ...regulators.map((member) => ({ role: 'regulator', member })),
  ];
}

/** A stratum's list, and what became of it. */
export interface ListStanding {
  readonly list: ListRecord | undefined;
  readonly isApproved: boolean;
  /** Whether the allocator keeps the list in clear: by its hash alone. */
  readonly isKept: boolean;
}

/** What putting a version in force is judged by. */
export interface ActivationFacts {
  readonly phase: Phase;
  /** `there` is the version asked for. */
  readonly near: VersionNeighbours;
  /** Version 1: what lists are committed to before any is in force. */
  readonly first: VersionRecord;
  readonly lists: readonly ListStanding[];
  readonly isApproved: boolean;
}

/** Puts a version in force: judged again by what came since it was registered. */
export function activate(
  asked: number,
  { phase, near, first, lists, isApproved }: ActivationFacts,
  act: Act,
): InForceRecord | Refusal {
  const { there: record, inForce, baselines } = near;
  if (record === undefined) return refuse('unknown-version', 'this version is not registered');
  if (inForce !== undefined && asked <= inForce.version) {
    return refuse('version-out-of-line', 'a later version is in force');
  }
  const frozen = frozenPart(record.protocol, phase, inForce ?? first);
  if (frozen !== undefined) return frozen;
  if (canonical(flagsOf(record.protocol, baselines)) !== canonical(record.flags)) {
    return refuse('flags-outdated', 'what it changes is not flagged, for a milestone came since: register it again');
  }
  if (!isApproved)
    return refuse('not-approved', 'the sponsor must have signed it, every ethics committee and regulator approved it');
  if (lists.some(({ list, isApproved: has }) => list === undefined || !has)) {
    return refuse('list-missing', 'every stratum needs a list that is committed and approved by a regulator');
  }
  if (lists.some(({ isKept }) => !isKept)) {
    return refuse('arms-missing', 'the allocator keeps the arms of every list first: nobody could be unblinded');
  }
  return { version: asked, hash: record.hash, ...act };
}

/** Judges published results by the outcomes in force at first enrolment. */
export function postResults(
  { publication, published, outcomes }: PostResults,
  registered: VersionRecord | undefined,
  known: ResultsRecord | undefined,
  act: Act,
): ResultsRecord | Refusal {
  if (registered === undefined) return refuse('unknown-version', 'nobody was enrolled under a registered version');
  if (known !== undefined) return refuse('already-posted', 'the results of this publication are posted');
  if (new Set(outcomes.map(({ id }) => id)).size !== outcomes.length) {
    return refuse('duplicate-item', 'an outcome is reported once');
  }
  const findings = judgeResults(registered.protocol.outcomes, outcomes);
  return { publication, published, against: registered.version, outcomes, findings, ...act };
}
