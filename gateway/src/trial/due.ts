/**
 * What is due of a trial's safety reports: the site's 24 hours to the sponsor, and the sponsor's 7 or 15 days to the regulator.
 * Deadlines and lateness of what came are the contracts', by ticks; whether what has not come is overdue, by the asker's clock.
 */
import type { EventRecord, SubmissionRecord, TrialView } from '@salus/chaincode/trial/api';

/** One step that was or is owed. */
export interface Due {
  readonly event: string;
  readonly to: 'sponsor' | 'regulator';
  readonly from: string;
  readonly by?: string;
  /** `expected`: nothing was owed any more, for the sponsor said before the deadline that it was expected. */
  readonly state: 'open' | 'overdue' | 'in-time' | 'late' | 'expected';
}

/** Every step of every event, those that are owed first, the earliest deadline before the others. */
export function dueList({ trial, events, submissions }: TrialView, now: string): readonly Due[] {
  const names = [...new Set(events.map(({ event }) => event))];
  const steps = names.flatMap((name) => {
    const line = events.filter(({ event }) => event === name);
    const sent = submissions.filter(({ event }) => event === name);
    return [...toSponsor(line), ...toRegulator(line, sent, trial.parties.sponsor, now)];
  });
  return steps.sort((a, b) => rankOf(a) - rankOf(b) || ((a.by ?? '') < (b.by ?? '') ? -1 : 1));
}

const order: Readonly<Record<Due['state'], number>> = { overdue: 0, open: 1, late: 2, 'in-time': 2, expected: 2 };

function rankOf({ state }: Due): number {
  return order[state];
}

function toSponsor(line: readonly EventRecord[]): Due[] {
  return line
    .filter(({ act, isSerious }) => act === 'report' && isSerious)
    .map(({ event, by, isLate }): Due => ({
      event,
      to: 'sponsor',
      from: by.member,
      state: isLate ? 'late' : 'in-time',
    }));
}

/** Every report that came, late or not, and every deadline that an assessment ended; beside them what the newest state makes due, until that or a later one is reported. */
function toRegulator(
  line: readonly EventRecord[],
  sent: readonly SubmissionRecord[],
  from: string,
  now: string,
): Due[] {
  const ended = line.flatMap(({ event, act, dueBy }, index): Due[] => {
    const by = line[index - 1]?.dueBy;
    const isEnded = act === 'assess' && dueBy === undefined && !sent.some(({ n }) => n === line[index - 1]?.n);
    return isEnded && by !== undefined ? [{ event, to: 'regulator', from, by, state: 'expected' }] : [];
  });
  const came = sent.map(({ event, n, isLate }): Due => {
    const by = line.find((each) => each.n === n)?.dueBy;
    return { event, to: 'regulator', from, ...(by !== undefined && { by }), state: isLate ? 'late' : 'in-time' };
  });
  const newest = line.at(-1);
  const told = line.findLast(({ act }) => act === 'report')?.n ?? 1;
  if (newest?.dueBy === undefined || sent.some(({ n }) => n >= told)) return [...ended, ...came];
  const { event, dueBy: by } = newest;
  return [...ended, ...came, { event, to: 'regulator', from, by, state: now > by ? 'overdue' : 'open' }];
}

/** The list as parameters of an answer. */
export function dueParameters(view: TrialView, now: string): readonly object[] {
  return dueList(view, now).map(({ event, to, from, by, state }) => ({
    name: 'due',
    part: [
      { name: 'event', valueString: event },
      { name: 'to', valueCode: to },
      { name: 'from', valueString: from },
      ...(by === undefined ? [] : [{ name: 'by', valueInstant: by }]),
      { name: 'state', valueCode: state },
    ],
  }));
}
