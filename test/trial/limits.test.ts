import assert from 'node:assert/strict';

import { MAX_CLAIM_CODES } from '@salus/chaincode/trial/api';
import { MAX_QUERIES } from '@salus/chaincode/dist/trial/points.js';

import { random } from '../support/contract-world.js';
import { Attempts, commitment, reason } from './attempts.js';
import { TrialWorld } from './world.js';

describe('a claim of a person', () => {
  it(`has at most ${MAX_CLAIM_CODES} codes`, async () => {
    const world = await TrialWorld.enrolling(4);
    const codes = (count: number) =>
      world.hidden('investigator', { participant: 'P7', hmacs: Array.from({ length: count }, random), salt: random() });
    await world.ledger.refused('invalid-request', 'stmary', 'trial:claim', codes(MAX_CLAIM_CODES + 1));
    await world.ledger.submit('stmary', 'trial:claim', codes(MAX_CLAIM_CODES));
  });
});

describe('a data point of a trial', () => {
  it(`has at most ${MAX_QUERIES} open queries`, async () => {
    const world = await TrialWorld.enrolling(4);
    await world.enrolled('P1', 'stmary', 's1', 1);
    const about = { participant: 'P1', form: 'vitals' };
    await world.point('stmary', 'coordinator', { ...about, n: 1, act: 'enter', commitment, consent: 1 });
    for (let query = 1; query <= MAX_QUERIES; query += 1) {
      const asked = { ...about, n: query + 1, act: 'query', query: `q${query}`, reason };
      assert.ok(await world.point('acme', 'monitor', asked));
    }
    const attempts = new Attempts(world);
    const more = { form: 'vitals', n: MAX_QUERIES + 2, act: 'query', query: 'one-more', reason };
    await attempts.point('one more', 'unknown-query', ['acme', 'monitor'], more);
  });
});
