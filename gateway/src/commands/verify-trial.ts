/** `salus verify-trial`: checks a trial's package against the blocks of a peer of one's own, record by record. */
import { existsSync, readFileSync } from 'node:fs';

import { parseKey } from '@salus/chaincode/registry/api';
import { lockRootOf } from '@salus/chaincode/trial/api';
import { type Command, CommandError } from '@salus/network/command';

import { canonicalForm } from '../identity/statements.js';
import { checkAllocation } from '../trial/verify-lists.js';
import { packageIn, recordsIn, type TrialPackage } from '../trial/package.js';
import { validWrites } from './record-chain.js';

/** Kinds of records about one participant: of those that were only screened, the package has none. */
const OF_ONE = ['trial-consent', 'trial-eligible'];

/** Exit code 1 with a sentence for each finding when the package is not what the ledger has, all of it and nothing else. */
export const verifyTrial: Command = {
  name: 'verify-trial',
  summary: "check a trial's $package against the blocks of a member's peer",
  arguments: [{ name: 'file', summary: 'what $package answered, as JSON', required: true }],
  options: [{ flags: '--member <name>', summary: 'whose peer delivers the blocks', default: 'authority' }],
  async run({ args, options }, io) {
    const found = readPackage(args[0] ?? '');
    const onLedger = await ledgerRecords(io.stateDir, String(options['member']), found);
    const inPackage = new Set(recordsIn(found).map((record) => canonicalForm(record)));
    const values = new Set(onLedger.values());
    const findings = [
      ...[...onLedger].filter(([, value]) => !inPackage.has(value)).map(([key]) => `it leaves out ${nameOf(key)}`),
      ...[...inPackage]
        .filter((value) => !values.has(value))
        .map((value) => `not on the ledger: ${value.slice(0, 200)}`),
      ...checkAllocation(found.view)
        .strata.filter(({ isListIntact }) => isListIntact === false)
        .map(({ stratum }) => `the list of ${stratum} is not the one committed to`),
      ...lockFindings(found),
    ];
    for (const finding of findings) io.err(finding);
    io.out(findings.length === 0 ? `${inPackage.size} records, each as on the ledger, none left out` : 'not verified');
    return findings.length === 0 ? 0 : 1;
  },
};

/** Nothing is locked, or everything that is there is what the lock named; unlocked since, it may have changed. */
function lockFindings({ view, lines }: TrialPackage): readonly string[] {
  const lock = view.milestones.find(({ name }) => name === 'lock');
  if (lock === undefined || !['locked', 'unblinded'].includes(view.phase)) return [];
  const { root, points } = lockRootOf(lines.flatMap(([, line]) => line.points));
  if (root === lock.root && points === lock.points) return [];
  return [`the lock names ${lock.points} data points of another root than the ${points} that are there`];
}

/** What the ledger has of the trial, by key: the value that a valid transaction wrote last. */
async function ledgerRecords(stateDir: string, member: string, found: TrialPackage): Promise<Map<string, string>> {
  const isAbout = scopeOf(found);
  const records = new Map<string, string>();
  for await (const { collection, key = '', value } of validWrites(stateDir, member)) {
    if (collection !== undefined || value === undefined || !isAbout(key)) continue;
    records.set(key, canonicalForm(JSON.parse(Buffer.from(value).toString('utf8')) as object));
  }
  return records;
}

/** Whether a key is of a record that the package must have. */
function scopeOf({ trial, lines }: TrialPackage): (key: string) => boolean {
  const participants = new Set(lines.map(([participant]) => participant));
  return (key) => {
    const { name = '', attributes: [of, participant = ''] = [] } = parseKey(key) ?? {};
    const isOfTrial = of === trial && /^trial(?:-|$)/.test(name);
    return isOfTrial && (!OF_ONE.includes(name) || participants.has(participant));
  };
}

function nameOf(key: string): string {
  const { name = '', attributes = [] } = parseKey(key) ?? {};
  return [name, ...attributes].join('/');
}

function readPackage(file: string): TrialPackage {
  if (!existsSync(file)) throw new CommandError(`there is no file ${file}`, 2);
  const found = packageIn(readFileSync(file, 'utf8'));
  if (found !== undefined) return found;
  throw new CommandError(`${file} holds no package of a trial: give it what $package answered`, 2);
}
