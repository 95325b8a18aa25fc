/** `$outcome-diff`: every version's outcome changes against each milestone, with old and new, as Parameters. Pure. */
import { outcomeDiff, type OutcomeChange, type TrialView, type VersionRecord } from '@salus/chaincode/trial/api';

/** The changes of one version against the version in force at one milestone. */
export interface Comparison {
  readonly version: number;
  readonly milestone: string;
  readonly against: number;
  readonly changes: readonly OutcomeChange[];
}

/** Every later version against the one in force at first enrolment, each interim look, lock and unblinding; earlier locks by number. */
export function compareVersions({ versions, milestones, looks, statuses }: TrialView): readonly Comparison[] {
  const locks = statuses.filter(({ act }) => act === 'lock').slice(0, -1);
  const baselines = [
    ...locks.map(({ version }, index) => ({ milestone: `lock ${index + 1}`, version })),
    ...milestones.map(({ name, version }) => ({ milestone: name, version })),
    ...looks.map(({ look, version }) => ({ milestone: `look ${look}`, version })),
  ];
  return versions.flatMap((record) =>
    baselines
      .filter(({ version }) => version < record.version)
      .map(({ milestone, version }) => comparison(record, milestone, versions[version - 1])),
  );
}

function comparison({ version, protocol }: VersionRecord, milestone: string, base?: VersionRecord): Comparison {
  const changes = base === undefined ? [] : outcomeDiff(base.protocol.outcomes, protocol.outcomes);
  return { version, milestone, against: base?.version ?? 0, changes };
}

/** The parameters of the answer, one for each change. */
export function outcomeChanges(view: TrialView): readonly object[] {
  return compareVersions(view).flatMap(({ version, milestone, against, changes }) =>
    changes.map((change) => ({
      name: 'change',
      part: [
        { name: 'version', valueInteger: version },
        { name: 'milestone', valueString: milestone },
        { name: 'against', valueInteger: against },
        { name: 'kind', valueCode: change.kind },
        { name: 'outcome', valueString: change.outcome },
        ...(change.old === undefined ? [] : [{ name: 'old', valueString: JSON.stringify(change.old) }]),
        ...(change.new === undefined ? [] : [{ name: 'new', valueString: JSON.stringify(change.new) }]),
      ],
    })),
  );
}
