/** Outcomes compared: a protocol's with an earlier version's, and published results with the registered ones. Pure. */
import type { Outcome, OutcomeRole } from './protocol';

/** What happened to one outcome between two versions. */
export const changeKinds = ['added', 'dropped', 'promoted', 'demoted', 're-timed', 're-measured'] as const;

/** One change, with what was and what is. */
export interface OutcomeChange {
  readonly kind: (typeof changeKinds)[number];
  readonly outcome: string;
  readonly old?: Outcome;
  readonly new?: Outcome;
}

const rank: Readonly<Record<OutcomeRole, number>> = { exploratory: 0, secondary: 1, primary: 2 };

/** Every change from `before` to `after`, in the order of `before`, then what was added. */
export function outcomeDiff(before: readonly Outcome[], after: readonly Outcome[]): readonly OutcomeChange[] {
  const now = new Map(after.map((outcome) => [outcome.id, outcome]));
  const known = new Set(before.map(({ id }) => id));
  const added = after.filter(({ id }) => !known.has(id));
  return [
    ...before.flatMap((old) => changesOf(old, now.get(old.id))),
    ...added.map((outcome): OutcomeChange => ({ kind: 'added', outcome: outcome.id, new: outcome })),
  ];
}

function changesOf(old: Outcome, now: Outcome | undefined): readonly OutcomeChange[] {
  if (now === undefined) return [{ kind: 'dropped', outcome: old.id, old }];
  const kinds: OutcomeChange['kind'][] = [];
  if (rank[now.role] > rank[old.role]) kinds.push('promoted');
  if (rank[now.role] < rank[old.role]) kinds.push('demoted');
  if (now.timeFrame !== old.timeFrame) kinds.push('re-timed');
  if (isMeasuredOtherwise(old, now)) kinds.push('re-measured');
  return kinds.map((kind) => ({ kind, outcome: old.id, old, new: now }));
}

function isMeasuredOtherwise(old: Outcome, now: Outcome): boolean {
  return old.measure !== now.measure || old.metric !== now.metric || old.analysis !== now.analysis;
}

/** An outcome as a publication reports it. */
export interface ReportedOutcome extends Outcome {
  /** The publication says that it was not registered. */
  readonly declaredNovel?: boolean | undefined;
}

/** How one outcome of the register or of the publication stands to the other side. */
export interface ResultFinding {
  readonly finding: 'correct' | 'not-reported' | 'changed' | 'novel-declared' | 'novel-silent';
  readonly outcome: string;
  /** With `changed`: what differs from what was registered. */
  readonly changes?: readonly OutcomeChange['kind'][];
}

/** Judges published outcomes by the registered ones; exploratory outcomes need not be reported. */
export function judgeResults(
  registered: readonly Outcome[],
  reported: readonly ReportedOutcome[],
): readonly ResultFinding[] {
  const published = new Map(reported.map((outcome) => [outcome.id, outcome]));
  const known = new Set(registered.map(({ id }) => id));
  const due = registered.filter(({ id, role }) => role !== 'exploratory' || published.has(id));
  return [
    ...due.map((outcome) => findingOf(outcome, published.get(outcome.id))),
    ...reported.filter(({ id }) => !known.has(id)).map(novelty),
  ];
}

function findingOf(registered: Outcome, reported: ReportedOutcome | undefined): ResultFinding {
  const { id: outcome } = registered;
  if (reported === undefined) return { finding: 'not-reported', outcome };
  const changes = changesOf(registered, reported).map(({ kind }) => kind);
  return changes.length === 0 ? { finding: 'correct', outcome } : { finding: 'changed', outcome, changes };
}

function novelty({ id, declaredNovel }: ReportedOutcome): ResultFinding {
  return { finding: declaredNovel === true ? 'novel-declared' : 'novel-silent', outcome: id };
}
