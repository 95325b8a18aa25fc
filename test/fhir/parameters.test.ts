import assert from 'node:assert/strict';

import { givenOf, parametersAnswer, parametersOf } from '@salus/gateway/fhir/parameters';
import { Refusal } from '@salus/gateway/ledger/refusal';

const resource = {
  resourceType: 'Parameters',
  parameter: [
    null,
    { name: 'reason', valueString: 'moved' },
    { name: 'site', valueCode: 'a' },
    { name: 'site', valueString: 'b' },
    { name: 'slot', valueInteger: 7 },
    { name: 'active', valueBoolean: false },
  ],
};
const invalid = (error: unknown): boolean => error instanceof Refusal && error.category === 'invalid';

describe('Parameters', () => {
  it('are read by name and type, whatever else lies among them', () => {
    const read = parametersOf(JSON.stringify(resource));
    assert.equal(read('reason', 'valueString'), 'moved');
    assert.equal(read('active', 'valueBoolean'), false);
    assert.equal(read('reason', 'valueCode'), undefined);
    assert.equal(read('absent', 'valueString'), undefined);
  });

  it('are demanded, one or all of a name', () => {
    const given = givenOf(resource);
    assert.deepEqual(given.texts('site'), ['a', 'b']);
    assert.deepEqual([given.text('reason'), given.number('slot')], ['moved', 7]);
    assert.throws(() => given.text('absent'), invalid);
    assert.throws(() => given.number('reason'), invalid);
  });

  it('are refused where there are none', () => {
    for (const body of [undefined, 'null', '{}', '[]', '{"resourceType":"Parameters"}', '{"resourceType":"Patient"}']) {
      assert.throws(() => parametersOf(body), invalid, body);
    }
    assert.throws(() => givenOf({ resourceType: 'Patient' }), invalid);
  });

  it('answer what is known, and leave out what is not', () => {
    const { status, resource: answer } = parametersAnswer(200, { state: 'open', reason: undefined });
    assert.deepEqual(answer, { resourceType: 'Parameters', parameter: [{ name: 'state', valueString: 'open' }] });
    assert.equal(status, 200);
  });
});
