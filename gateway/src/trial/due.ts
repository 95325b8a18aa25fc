/**
 * What is due of a trial's safety reports: the site's 24 hours to the sponsor, and the sponsor's 7 or 15 days to each regulator.
 * A report came when who was owed it acknowledged its content, not when who owed it says so. Everything is by the ledger's
 * ticks: deadlines and lateness by the contracts, what has not come by the last tick that the gateway asked has.
 */
import type { Tick } from '@salus/chaincode/clock/api';
import {
  type AcknowledgementRecord,
  dueAtSponsor,
  type EventRecord,
  type SubmissionRecord,
  type TrialView,
} from '@salus/chaincode/trial/api';

/** One step that was or is owed. */
export interface Due {
  readonly event: string;
  readonly to: 'sponsor' | 'regulator';
  /** The members. */
  readonly from: string;
  readonly at: string;
  readonly by?: string;
  /** When it was put on record as sent: the proposal's time of a report, the tick of a submission. */
  readonly sent?: string;
  /** The tick by which it was acknowledged. */
  readonly acknowledged?: string;
  /**
   * `sent`: and not acknowledged, before the deadline; after it, sent or not, `overdue`. `expected`: nothing was owed any
   * more, for the sponsor said before the deadline that it was expected.
   */
  readonly state: 'open' | 'sent' | 'overdue' | 'in-time' | 'late' | 'expected';
}

/** Every step of every event, those that are owed first, the earliest deadline before the others; before the first tick nothing is overdue. */
export function dueList(view: TrialView, tick: string | undefined): readonly Due[] {
  const { sponsor, regulators } = view.trial.parties;
  const steps = linesOf(view).flatMap((line) => [
    ...toSponsor(line, sponsor, tick),
    ...regulators.flatMap((at) => toRegulator(line, { from: sponsor, at }, tick)),
  ]);
  return steps.sort((a, b) => rankOf(a) - rankOf(b) || ((a.by ?? '') < (b.by ?? '') ? -1 : 1));
}

const order: Readonly<Record<Due['state'], number>> = {
  ...{ overdue: 0, open: 1, sent: 1 },
  ...{ late: 2, 'in-time': 2, expected: 2 },
};

function rankOf({ state }: Due): number {
  return order[state];
}

/** One event: its steps, what the sponsor sent of it, and what was acknowledged. */
interface Line {
  readonly steps: readonly EventRecord[];
  readonly sent: readonly SubmissionRecord[];
  readonly acknowledged: readonly AcknowledgementRecord[];
}

function linesOf({ events, submissions, acknowledgements }: TrialView): readonly Line[] {
  const names = [...new Set(events.map(({ event }) => event))];
  return names.map((name) => ({
    steps: events.filter(({ event }) => event === name),
    sent: submissions.filter(({ event }) => event === name),
    acknowledged: acknowledgements.filter(({ event }) => event === name),
  }));
}

function toSponsor({ steps, acknowledged }: Line, at: string, tick: string | undefined): Due[] {
  return steps
    .filter(({ act, isSerious }) => act === 'report' && isSerious)
    .map((record): Due => {
      const by = dueAtSponsor(record);
      const came = acknowledged.find(({ n, by: doer }) => n === record.n && doer.member === at);
      const about = { event: record.event, to: 'sponsor', from: record.by.member, at, sent: record.at } as const;
      return { ...about, ...(by !== undefined && { by }), ...stateOf({ came, by, tick, unless: 'sent' }) };
    });
}

/** What is known of one step, and how it is called while it has not come and is not overdue. */
interface Known {
  readonly came: AcknowledgementRecord | undefined;
  readonly by: string | undefined;
  readonly tick: string | undefined;
  readonly unless: 'open' | 'sent';
}

function stateOf({ came, by, tick, unless }: Known): Pick<Due, 'state' | 'acknowledged'> {
  if (came !== undefined) return { state: came.isLate ? 'late' : 'in-time', acknowledged: came.tick };
  return { state: by !== undefined && tick !== undefined && tick > by ? 'overdue' : unless };
}

/** Every report that came, late or not, what was sent and did not come, every deadline that an assessment ended, and what the newest state makes due. */
function toRegulator(line: Line, ends: Pick<Due, 'from' | 'at'>, tick: string | undefined): Due[] {
  const own = line.acknowledged.filter(({ by }) => by.member === ends.at);
  const newest = line.steps.at(-1);
  const sent = line.sent.flatMap((record): Due[] => {
    const { event, n, tick: at } = record;
    const by = line.steps.find((each) => each.n === n)?.dueBy;
    const came = own.find((each) => each.n === n);
    // What a later report or an assessment made good is owed no more.
    if (came === undefined && (newest?.dueBy === undefined || own.some((each) => each.n > n))) return [];
    const state = stateOf({ came, by, tick, unless: 'sent' });
    return [{ event, to: 'regulator', ...ends, ...(by !== undefined && { by }), sent: at, ...state }];
  });
  const told = line.steps.findLast(({ act }) => act === 'report')?.n ?? 1;
  if (newest?.dueBy === undefined || line.sent.some(({ n }) => n >= told)) return [...ended(line, ends, own), ...sent];
  const { event, dueBy: by } = newest;
  const open = {
    event,
    to: 'regulator',
    ...ends,
    by,
    ...stateOf({ came: undefined, by, tick, unless: 'open' }),
  } as const;
  return [...ended(line, ends, own), ...sent, open];
}

/** Every deadline that an assessment ended. */
function ended({ steps }: Line, ends: Pick<Due, 'from' | 'at'>, own: readonly AcknowledgementRecord[]): Due[] {
  return steps.flatMap(({ event, act, dueBy }, index): Due[] => {
    const before = steps[index - 1];
    const isEnded = act === 'assess' && dueBy === undefined && !own.some(({ n }) => n === before?.n);
    const by = before?.dueBy;
    return isEnded && by !== undefined ? [{ event, to: 'regulator', ...ends, by, state: 'expected' }] : [];
  });
}

/** The list as parameters of an answer, and the tick by which it is. */
export function dueParameters(view: TrialView, tick: Tick | undefined): readonly object[] {
  const asOf = tick === undefined ? [] : [{ name: 'asOf', valueInstant: tick.time }];
  const list = dueList(view, tick?.time).map(({ event, to, from, at, by, sent, acknowledged, state }) => ({
    name: 'due',
    part: [
      { name: 'event', valueString: event },
      { name: 'to', valueCode: to },
      { name: 'from', valueString: from },
      { name: 'at', valueString: at },
      ...instants({ by, sent, acknowledged }),
      { name: 'state', valueCode: state },
    ],
  }));
  return [...asOf, ...list];
}

function instants(known: Readonly<Record<string, string | undefined>>): readonly object[] {
  return Object.entries(known).flatMap(([name, valueInstant]) =>
    valueInstant === undefined ? [] : [{ name, valueInstant }],
  );
}
