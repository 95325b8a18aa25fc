import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';

import { refuse as access } from '@salus/chaincode/access/api';
import { events as clockEvents, refuse as clock } from '@salus/chaincode/clock/api';
import { refuse as consent } from '@salus/chaincode/consent/api';
import { decodeRefusal, refuseCall } from '@salus/chaincode/dist/lib/refusal.js';
import { events as ehrEvents, refuse as ehr } from '@salus/chaincode/ehr/api';
import { refuse as patient } from '@salus/chaincode/patient/api';
import { events as registryEvents, refuse as registry } from '@salus/chaincode/registry/api';
import { events as supplyEvents, refuse as supply } from '@salus/chaincode/supply/api';
import { events as trialEvents, refuse as trial } from '@salus/chaincode/trial/api';
import Mocha from 'mocha';

import { ContractWorld } from '../support/contract-world.js';

const domains = { access, clock, consent, ehr, patient, registry, supply, trial };
const events = [clockEvents, ehrEvents, registryEvents, supplyEvents, trialEvents].flatMap((table) =>
  Object.values(table),
);
/** Files of tests of the contracts beside every domain's contract.test.js. */
const further = [
  'access/late-contract',
  'chaincode/trust',
  'consent/replacing-contract',
  'supply/climate',
  'supply/containers',
  'supply/exceptions-contract',
  'supply/shared-acts-contract',
  'trial/illegal',
  'trial/kits',
  'trial/parties',
];
const compiled = dirname(import.meta.dirname);

/** Refusal codes and events that the contracts answered with. */
const observed = new Set<string>();

/** Says nothing: what fails is said by the domain's own run. */
function quiet(): void {
  // A reporter that listens to no event.
}

/** Runs the contracts' tests here once more; resolves with how many failed. */
async function contractTests(): Promise<number> {
  const mocha = new Mocha({ timeout: 120_000, reporter: quiet as unknown as Mocha.ReporterConstructor });
  const inDomain = Object.keys(domains).map((domain) => `${domain}/contract`);
  for (const name of [...inDomain, ...further]) mocha.addFile(join(compiled, `${name}.test.js`));
  await mocha.loadFilesAsync();
  return await new Promise((resolve) => mocha.run(resolve));
}

describe('the contracts', () => {
  it('refuse with no code, and emit no event, that their tests do not bring about', async () => {
    ContractWorld.watch = ({ status, message, rwset }) => {
      const name = status === 200 ? rwset.event?.name : decodeRefusal(message)?.code;
      if (name !== undefined) observed.add(name);
    };
    assert.equal(await contractTests(), 0);
    const codes = Object.values({ ...domains, call: refuseCall }).flatMap(({ codes: table }) => Object.keys(table));
    assert.deepEqual(
      [...codes, ...events].filter((name) => !observed.has(name)),
      [],
    );
  }).timeout(240_000);
});
