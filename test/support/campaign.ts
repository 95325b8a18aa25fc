/** `npm run campaign -- NAME [--full] [--seed S]`: one campaign by itself, its slice or the whole. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** Test files of each campaign. */
const files: Readonly<Record<string, string | readonly string[]>> = {
  attack: 'proofs/attack-model.test.js',
  consent: ['consent/properties.test.js', 'consent/replacing-properties.test.js'],
  dictionary: 'proofs/dictionary.test.js',
  doors: 'proofs/doors.test.js',
  erasure: 'erasure/erasure.test.js',
  'erasure-peers': 'erasure/peers.test.js',
  examples: 'fhir/examples.test.js',
  fuzz: 'fhir/fuzz.test.js',
  garbage: 'proofs/garbage.test.js',
  hidden: 'proofs/hidden.test.js',
  kill: 'faults/kill.test.js',
  planted: 'proofs/planted.test.js',
  race: 'proofs/two-gateways.test.js',
  packs: 'supply/races.test.js',
  'real-peer': 'ledger/real-peer.test.js',
  straight: 'proofs/straight.test.js',
  supply: 'supply/model.test.js',
  trial: 'trial/enrolment.test.js',
  validation: 'fhir/acceptance.test.js',
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { full: { type: 'boolean', default: false }, seed: { type: 'string' } },
});
const [name = ''] = positionals;
const file = files[name];
if (file === undefined) {
  console.error(`no campaign is called "${name}"; there are: ${Object.keys(files).join(' ')}`);
  process.exit(2);
}
const run = spawnSync(process.execPath, [join(import.meta.dirname, 'run.js'), ...[file].flat()], {
  stdio: 'inherit',
  env: {
    ...process.env,
    ...(values.full ? { SALUS_CAMPAIGN: name } : {}),
    ...(values.seed === undefined ? {} : { SALUS_SEED: values.seed }),
  },
});
process.exit(run.status ?? 1);
