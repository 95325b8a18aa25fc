/** Printed names of who signed, against the commitments in what they signed on the ledger. Pure. */
import { commitmentOf, type PrintedName } from './content.js';
import { saidIn } from './signed.js';
import type { TrialRecords } from './verify-lock.js';

/** What was found of names, and every signature as people read it: printed name, key, time, meaning. */
export interface NamesCheck {
  readonly findings: readonly string[];
  readonly signatures: readonly string[];
}

/** Checks names against a trial's records as the ledger has them; a name that nobody signed under is a finding. */
export function checkNames(onLedger: TrialRecords, names: readonly PrintedName[]): NamesCheck {
  const printed = new Map(names.map(({ name, salt }) => [commitmentOf({ name, salt }), name]));
  const said = [...onLedger].flatMap(([key, record]) => signedIn(key, record).map(saidIn));
  const signed = new Set(said.map(({ name }) => name));
  const wrong = [...printed].filter(([commitment]) => !signed.has(commitment));
  return {
    findings: wrong.map(([, name]) => `not a printed name that anybody signed under: ${name}`),
    signatures: said.map(({ kid, meaning, signedAt, name }) => {
      return `${meaning}, signed ${signedAt} by ${printed.get(name) ?? 'a name not told'} (key ${kid})`;
    }),
  };
}

/** The newest status stands also in its own line, the document in force and the milestone of a lock repeat a statement: each once. */
const REPEATING = ['trial-status', 'trial-milestone'];

function signedIn(key: string, record: object): readonly string[] {
  const [kind = ''] = key.split('/');
  if (REPEATING.includes(kind)) return [];
  const {
    statements = [],
    countersigned,
    withdrawn,
  } = record as {
    readonly statements?: readonly string[];
    readonly countersigned?: string;
    readonly withdrawn?: string;
  };
  return countersigned === undefined || withdrawn !== undefined ? statements : [...statements, countersigned];
}
