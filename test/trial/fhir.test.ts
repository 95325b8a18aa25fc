import assert from 'node:assert/strict';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { planDefinition } from '@salus/gateway/trial/plan-definition';
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
    assert.deepEqual(study.protocol, [{ reference: 'PlanDefinition/TRIAL-1' }]);
  });

  it('has a valid PlanDefinition: criteria, arms, visits with their forms, and nobody in it', async () => {
    const world = await TrialWorld.founded();
    await world.registered();
    const draft = planDefinition(await world.view()) as { status: string };
    assert.equal(draft.status, 'draft');
    await world.activated(1);
    await world.document(1);
    await world.enrolled('P1', 'stmary', 's1', 1);
    const plan = planDefinition(await world.view()) as JsonObject & { action: { title: string; action: object[] }[] };
    assert.deepEqual(validationIssues(plan), []);
    assert.equal(plan.status, 'active');
    assert.deepEqual(
      plan.action.map(({ title, action }) => [title, ...action.map((each) => (each as { title: string }).title)]),
      [
        ['Eligibility', 'adult', 'diabetes'],
        ['Allocation', 'treatment A', 'treatment B'],
        ['v1', 'vitals', 'labs'],
      ],
    );
    assert.ok(!JSON.stringify(plan).includes('P1'));
  });
});
