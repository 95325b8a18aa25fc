import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { refuse as access } from '@salus/chaincode/access/api';
import { events as clockEvents, refuse as clock } from '@salus/chaincode/clock/api';
import { refuse as consent } from '@salus/chaincode/consent/api';
import { refuseCall } from '@salus/chaincode/dist/lib/refusal.js';
import { events as ehrEvents, refuse as ehr } from '@salus/chaincode/ehr/api';
import { refuse as patient } from '@salus/chaincode/patient/api';
import { events as registryEvents, refuse as registry } from '@salus/chaincode/registry/api';
import { events as supplyEvents, refuse as supply } from '@salus/chaincode/supply/api';
import { events as trialEvents, refuse as trial } from '@salus/chaincode/trial/api';
import { projectRoot } from '../support/shared.js';

const own = basename(import.meta.filename).replace('.js', '.ts');
const tests = readdirSync(join(projectRoot, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && !file.startsWith('dist') && !file.endsWith(own))
  .map((file) => readFileSync(join(projectRoot, 'test', file), 'utf8'))
  .join('\n');

describe('the contracts', () => {
  it('refuse with no code, and emit no event, that no test brings about', () => {
    const domains = { access, clock, consent, ehr, patient, registry, supply, trial, call: refuseCall };
    const codes = Object.values(domains).flatMap(({ codes: table }) => Object.keys(table));
    const events = [clockEvents, ehrEvents, registryEvents, supplyEvents, trialEvents].flatMap((table) =>
      Object.values(table),
    );
    assert.deepEqual(
      [...codes, ...events].filter((name) => !tests.includes(`'${name}'`)),
      [],
    );
  });
});
