import { strict as assert } from 'node:assert';

import { POSTED_LIMITS } from '@salus/gateway/projection/posted/definition';

import type { Json } from '../support/fhir-server.js';
import { Stepwise } from './stepwise.js';

describe('search parameters that cannot be had', () => {
  let at: Stepwise;
  beforeEach(() => {
    at = new Stepwise();
  });
  afterEach(() => {
    at.close();
  });

  const long = (length: number): string => {
    const around = ["Patient.name.where(text='", "').text"];
    return around.join('x'.repeat(length - around.join('').length));
  };

  const refused: readonly (readonly [string, Json, string, RegExp])[] = [
    ['a code of R4', { code: 'gender' }, 'code', /R4 has a search parameter 'gender' of Patient/],
    ['a code that is no name', { code: 'eye:color' }, 'code', /starts with a letter/],
    ['a code that says whose record it is', { code: 'subject', base: ['Location'] }, 'code', /whose record/],
    ['all types', { base: ['Resource'], expression: 'Resource.id' }, 'base', /one by one/],
    ['a composite', { type: 'composite' }, 'type', /one of token/],
    ['a special', { type: 'special' }, 'type', /one of token/],
    ['no expression', { expression: undefined }, 'expression', /no expression/],
    ['a path of another type', { expression: 'Observation.code' }, 'expression', /one of the types of its base/],
    ['a type without a path', { base: ['Patient', 'Group'] }, 'expression', /no path is for Group/],
    ['an unknown element', { expression: 'Patient.eyes' }, 'expression', /eyes leads to nothing in Patient/],
    ['an unknown function', { expression: "Patient.name.trace('x')" }, 'expression', /function trace/],
    ['an operator', { expression: 'Patient.name.given + Patient.name.family' }, 'expression', /no path/],
    ['an index', { expression: 'Patient.name[1].family' }, 'expression', /index \[1\]/],
    ['code', { expression: "Patient.name.where(text='' + process.exit())" }, 'expression', /no path|condition/],
    [
      'what it cannot hold',
      { type: 'date', expression: 'Patient.name' },
      'expression',
      /date parameter holds no HumanName/,
    ],
    [
      'within a primitive',
      { expression: 'Patient.birthDate.extension.value' },
      'expression',
      /extension leads to nothing/,
    ],
    ['a reference to anywhere', { type: 'reference', expression: 'Patient.link.other' }, 'target', /which types/],
  ];

  it('are refused with the reason where they cannot be had', async () => {
    for (const [what, more, element, why] of refused) {
      const { status, json } = await at.post(more);
      assert.equal(status, 422, what);
      const [issue] = json.issue;
      assert.deepEqual(issue.expression, [`SearchParameter.${element}`], what);
      assert.match(issue.diagnostics as string, why, what);
    }
    assert.deepEqual(at.projection.parameters.posted, []);
  });

  it('are refused beyond their limits', async () => {
    assert.equal((await at.post({ expression: long(POSTED_LIMITS.characters) })).status, 201);
    const longer = await at.post({ expression: long(POSTED_LIMITS.characters + 1) });
    assert.equal(longer.status, 422);
    assert.match(longer.json.issue[0].diagnostics as string, /at most 1000 characters/);

    const types = ['Account', 'Basic', 'CarePlan', 'Claim', 'Device', 'Encounter', 'Goal', 'Group', 'Library', 'Media'];
    const base = (all: readonly string[]): Json => ({
      ...{ code: 'tongue', type: 'token', base: all },
      expression: all.map((type) => `${type}.language`).join('|'),
    });
    assert.equal(types.length, POSTED_LIMITS.bases);
    assert.equal((await at.post(base(types), 'tongue')).status, 201);
    assert.equal((await at.post(base([...types, 'Patient']), 'tongue')).status, 422);

    for (let count = 2; count < POSTED_LIMITS.parameters; count += 1) {
      assert.equal((await at.post({ code: `c${count}` }, `c${count}`)).status, 201);
    }
    const beyond = await at.post({ code: 'beyond' }, 'beyond');
    assert.equal(beyond.status, 422);
    assert.match(beyond.json.issue[0].diagnostics as string, /at most 50 posted parameters/);
    assert.equal((await at.post({ status: 'retired' }, 'c2')).status, 200);
    assert.equal((await at.post({ code: 'beyond' }, 'beyond')).status, 201);
  });
});
