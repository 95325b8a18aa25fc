/**
 * Adverse events and their clocks. The investigator has 24 hours to the sponsor (EU CTR Art 41); the sponsor has, from
 * its awareness, 7 days to the regulator for a fatal or life-threatening suspected unexpected serious adverse reaction
 * and 15 for another (Art 42). All by ticks. Late is recorded, never refused. Pure.
 */
import type { Refusal } from '../lib/refusal';
import type { AcknowledgeEvent, AssessEvent, ReportEvent, SubmitEvent } from './acts';
import type { AcknowledgementRecord, Act, EventRecord, Severity, SubmissionRecord } from './records';
import { refuse } from './refusals';

const DAY_MS = 86_400_000;
/** From the site's awareness of a serious event to the sponsor's, ms. */
const TO_SPONSOR_MS = DAY_MS;
/** From the sponsor's awareness to the regulator, ms. */
const FATAL_MS = 7 * DAY_MS;
/** The same for what is neither fatal nor life-threatening, ms. */
const OTHER_MS = 15 * DAY_MS;

/** What is known of an event. */
export interface EventFacts {
  /** Where the participant consented first, and when. */
  readonly taking: { readonly site: string; readonly since: string } | undefined;
  readonly before: EventRecord | undefined;
  readonly there: EventRecord | undefined;
  /** Whether every regulator acknowledged a report of `before`: what comes after it is owed anew, from when the sponsor hears of it. */
  readonly isReported: boolean;
  /** The last tick. */
  readonly tick: string;
}

/** A report, or a follow-up that may make it worse. */
export function reportEvent(request: ReportEvent, facts: EventFacts, act: Act): EventRecord | Refusal {
  const {
    event,
    n,
    participant,
    commitment,
    isSerious,
    isFatal,
    severity,
    causality: byInvestigator,
    awareAt,
  } = request;
  const { before, tick } = facts;
  const problem = reportProblem(request, facts, act);
  if (problem !== undefined) return problem;
  const isNews = before === undefined || facts.isReported || isWorse(request, before);
  const sponsorAwareAt = isNews ? tick : before.sponsorAwareAt;
  const by = dueAtSponsor(request);
  const isLate = by !== undefined && tick > by;
  const own = {
    event,
    n,
    participant,
    act: 'report' as const,
    commitment,
    isSerious,
    isFatal,
    severity,
    byInvestigator,
    awareAt,
  };
  return due(
    { ...sponsorsWord(before, isNews), ...own, sponsorAwareAt, isLate, ...act },
    facts.isReported ? undefined : before?.dueBy,
  );
}

const SEVERITIES: readonly Severity[] = ['mild', 'moderate', 'severe'];

/** What makes it worse is news: the sponsor's days run from when it hears of that. Severity, for it may be more than expected (ICH E2A II C). */
function isWorse({ isSerious, isFatal, severity, causality }: ReportEvent, before: EventRecord): boolean {
  const isRelatedNow = causality === 'related' && before.byInvestigator !== 'related' && before.bySponsor !== 'related';
  const isMoreSevere = SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(before.severity);
  return (isSerious && !before.isSerious) || (isFatal && !before.isFatal) || isMoreSevere || isRelatedNow;
}

/** That something was expected is not said of what is news: that is unassessed until the sponsor says so again. */
function sponsorsWord(
  before: EventRecord | undefined,
  isNews: boolean,
): Pick<EventRecord, 'bySponsor' | 'isUnexpected'> {
  if (before?.bySponsor === undefined) return {};
  const { bySponsor, isUnexpected } = before;
  return isUnexpected === undefined || (isNews && !isUnexpected) ? { bySponsor } : { bySponsor, isUnexpected };
}

function reportProblem({ n, participant, awareAt }: ReportEvent, facts: EventFacts, { by }: Act): Refusal | undefined {
  const { taking, before, tick } = facts;
  if (taking === undefined) return refuse('no-consent', 'there is no such participant');
  if (taking.site !== by.member) return refuse('not-your-participant', "another site's participant");
  const isSame = before === undefined || before.participant === participant;
  if (!isNext(n, facts) || !isSame) return refuse('event-out-of-line', 'send the next number of this event');
  if (awareAt > tick || awareAt < taking.since) {
    return refuse('awareness-not-credible', 'awareness lies between consent and the last tick');
  }
  return undefined;
}

function isNext(n: number, { before, there }: EventFacts): boolean {
  return there === undefined && (n === 1 || before !== undefined);
}

/** The sponsor's word beside the investigator's; it never takes back that something is related or unexpected. */
export function assessEvent(request: AssessEvent, facts: EventFacts, act: Act): EventRecord | Refusal {
  const { n, causality: bySponsor, isUnexpected } = request;
  const { before } = facts;
  if (before === undefined) return refuse('unknown-event', 'assess what was reported');
  if (!isNext(n, facts)) return refuse('event-out-of-line', 'send the next number of this event');
  const takesBack =
    (before.bySponsor === 'related' && bySponsor === 'unrelated') || (before.isUnexpected === true && !isUnexpected);
  if (takesBack) return refuse('downgrade', 'the sponsor does not take back related or unexpected');
  const { dueBy, ...known } = before;
  const isEnded = facts.isReported || endsClock(request, dueBy, facts.tick);
  return due({ ...known, n, act: 'assess', bySponsor, isUnexpected, ...act }, isEnded ? undefined : dueBy);
}

/** Said in time, "expected" ends the clock; said after the deadline, the report is still owed, and late. */
function endsClock({ isUnexpected }: AssessEvent, dueBy: string | undefined, tick: string): boolean {
  return !isUnexpected && dueBy !== undefined && tick <= dueBy;
}

/**
 * Unless the sponsor said that it was expected, a serious related event is due at the regulator; once due, until it is
 * reported or said in time to be expected, and never later than it was.
 */
function due(record: Omit<EventRecord, 'dueBy'>, earlier: string | undefined): EventRecord {
  if (!isSuspected(record)) return earlier === undefined ? record : { ...record, dueBy: earlier };
  const limit = Date.parse(record.sponsorAwareAt) + (record.isFatal ? FATAL_MS : OTHER_MS);
  const computed = new Date(limit).toISOString();
  return { ...record, dueBy: earlier !== undefined && earlier < computed ? earlier : computed };
}

function isSuspected({ isSerious, isUnexpected, byInvestigator, bySponsor }: Omit<EventRecord, 'dueBy'>): boolean {
  const isRelated = byInvestigator === 'related' || bySponsor === 'related';
  return isSerious && isUnexpected !== false && isRelated;
}

/** That the sponsor sent a report to the regulators, late or not. */
export function submitEvent(
  { event: name, n, commitment }: Pick<SubmitEvent, 'event' | 'n' | 'commitment'>,
  event: EventRecord | undefined,
  known: SubmissionRecord | undefined,
  tick: string,
  act: Act,
): SubmissionRecord | Refusal {
  if (event === undefined) return refuse('unknown-event', 'there is no such event');
  if (event.dueBy === undefined) return refuse('not-due', 'the regulator is owed no report of this event');
  if (known !== undefined) return refuse('already-submitted', 'this state of the event was reported');
  const { participant, dueBy } = event;
  return { event: name, n, participant, commitment, isLate: tick > dueBy, tick, ...act };
}

/** What an acknowledgement is judged by. */
export interface AcknowledgementFacts {
  readonly event: EventRecord | undefined;
  readonly submission: SubmissionRecord | undefined;
  readonly there: AcknowledgementRecord | undefined;
  /** Whether the caller is the sponsor, who has reports of sites; else a regulator, who has the sponsor's. */
  readonly isSponsor: boolean;
  readonly tick: string;
}

/** That what was owed came, late or not: by the tick of whom it was owed to, not by the word of who owed it. */
export function acknowledgeEvent(
  { event: name, n, commitment }: Pick<AcknowledgeEvent, 'event' | 'n' | 'commitment'>,
  { event, submission, there, isSponsor, tick }: AcknowledgementFacts,
  act: Act,
): AcknowledgementRecord | Refusal {
  if (event === undefined) return refuse('unknown-event', 'there is no such event');
  const sent = isSponsor && event.act === 'report' ? event : submission;
  if (sent === undefined) return refuse('not-submitted', 'nothing of this number was sent to the calling member');
  if (sent.commitment !== commitment) return refuse('another-content', 'what was sent has another commitment');
  if (there !== undefined) return refuse('already-acknowledged', 'the calling member acknowledged it');
  const by = isSponsor ? dueAtSponsor(event) : event.dueBy;
  return { event: name, n, commitment, isLate: by !== undefined && tick > by, tick, ...act };
}

/** Until when the sponsor must have a site's report; only of a serious event. FHIR instant. */
export function dueAtSponsor({ isSerious, awareAt }: Pick<EventRecord, 'isSerious' | 'awareAt'>): string | undefined {
  return isSerious ? new Date(Date.parse(awareAt) + TO_SPONSOR_MS).toISOString() : undefined;
}
