/** `salus verify-trial`: checks a trial's package against the blocks of a peer of one's own, record by record. */
import { parseKey } from '@salus/chaincode/registry/api';
import type { SlotRecord } from '@salus/chaincode/trial/api';
import { type Command, CommandError } from '@salus/network/command';

import { canonicalForm } from '../identity/statements.js';
import { checkAllocation } from '../trial/verify-lists.js';
import { checkContents } from '../trial/verify-contents.js';
import { checkNames } from '../trial/verify-names.js';
import { checkLock, type TrialRecords } from '../trial/verify-lock.js';
import { packageIn, recordsIn, type TrialPackage } from '../trial/package.js';
import { BLOCKS_OF, textOf, verdict } from './against-blocks.js';
import { validWrites } from './record-chain.js';

/** Kinds of records about one participant: of those that were only screened, the package has none. */
const OF_ONE = ['trial-consent', 'trial-use', 'trial-eligible'];

/** Exit code 1 with a sentence for each finding when the package is not what the ledger has, all of it and nothing else. */
export const verifyTrial: Command = {
  name: 'verify-trial',
  summary: "check a trial's $package against the blocks of a member's peer",
  arguments: [{ name: 'file', summary: 'what $package answered, as JSON', required: true }],
  options: BLOCKS_OF,
  async run({ args, options }, io) {
    const found = readPackage(args[0] ?? '');
    const onLedger = await ledgerRecords(io.stateDir, String(options['member']), found.trial);
    const inPackage = recordsIn(found);
    const { contents = [], names = [] } = found;
    const checked = checkContents(onLedger, contents);
    const signed = checkNames(onLedger, names);
    const findings = [
      ...differences(onLedger, inPackage),
      ...checkAllocation(found.view)
        .strata.filter(({ isListIntact }) => isListIntact === false)
        .map(({ stratum }) => `the list of ${stratum} is not the one committed to`),
      ...checkLock(onLedger, found.trial),
      ...checked.findings,
      ...signed.findings,
    ];
    const records = `${inPackage.size} records, each as on the ledger, none left out`;
    const said = `${contents.length} of the ${checked.committed} contents that they commit to, each as committed to`;
    return verdict(io, findings, [`${records}; ${said}`, ...signed.signatures].join('\n'));
  },
};

/** What the package leaves out, and what in it is not on the ledger under that key. */
function differences(onLedger: TrialRecords, inPackage: ReadonlyMap<string, object>): readonly string[] {
  const left = [...onLedger.keys()].filter((name) => !inPackage.has(name));
  const other = [...inPackage].filter(([name, record]) => {
    const known = onLedger.get(name);
    return known === undefined || canonicalForm(known) !== canonicalForm(record);
  });
  return [
    ...left.map((name) => `it leaves out ${name}`),
    ...other.map(([name, record]) => `not on the ledger: ${name} ${canonicalForm(record).slice(0, 200)}`),
  ];
}

async function ledgerRecords(stateDir: string, member: string, trial: string): Promise<TrialRecords> {
  const records = new Map<string, object>();
  for await (const { collection, key = '', value } of validWrites(stateDir, member)) {
    const { name = '', attributes = [] } = parseKey(key) ?? {};
    if (collection !== undefined || value === undefined || attributes[0] !== trial || !/^trial(?:-|$)/.test(name))
      continue;
    records.set([name, ...attributes].join('/'), JSON.parse(Buffer.from(value).toString('utf8')) as object);
  }
  return withoutScreened(records);
}

/** Of those who never got a slot, no consent and no eligibility. */
function withoutScreened(records: TrialRecords): TrialRecords {
  const slots = [...records].filter(([name]) => name.startsWith('trial-slot/'));
  const enrolled = new Set(slots.map(([, record]) => (record as SlotRecord).participant));
  return new Map(
    [...records].filter(([key]) => {
      const [name = '', , participant = ''] = key.split('/');
      return !OF_ONE.includes(name) || enrolled.has(participant);
    }),
  );
}

function readPackage(file: string): TrialPackage {
  const found = packageIn(textOf(file));
  if (found !== undefined) return found;
  throw new CommandError(`${file} holds no package of a trial: give it what $package answered`, 2);
}
