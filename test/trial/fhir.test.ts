import assert from 'node:assert/strict';
import { researchStudy } from '@salus/gateway/trial/research-study';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { TrialWorld } from './world.js';

describe('a trial in FHIR', () => {
  it('is a valid ResearchStudy with its outcomes and without a word on who has which arm', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const study = researchStudy(await world.view()) as Record<string, unknown>;
    assert.deepEqual(validationIssues(study), []);
    assert.equal(study.status, 'active');
    const measures = study.extension as { extension: { valueString?: string }[] }[];
    assert.deepEqual(
      measures.map(({ extension }) => extension[0]?.valueString),
      ['HbA1c', 'body weight', 'sleep'],
    );
    assert.ok(!JSON.stringify(study).includes('P1'));
  });
});
