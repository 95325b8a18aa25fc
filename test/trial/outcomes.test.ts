import assert from 'node:assert/strict';
import { judgeResults, type Outcome, outcomeDiff } from '@salus/chaincode/trial/api';
import { outcomes } from './world.js';

const [o1, o2, o3] = outcomes as [Outcome, Outcome, Outcome];
const kinds = (after: readonly Outcome[]) =>
  outcomeDiff(outcomes, after).map(({ kind, outcome }) => `${kind} ${outcome}`);

describe('the outcome diff', () => {
  it('finds nothing between equal lists in any order', () => {
    assert.deepEqual(kinds(outcomes), []);
    assert.deepEqual(kinds([o3, o1, o2]), []);
  });

  it('names what was added, dropped, promoted, demoted, re-timed and re-measured, with old and new', () => {
    const after: Outcome[] = [
      { ...o1, role: 'secondary', timeFrame: 'week 12' },
      { ...o2, role: 'primary', analysis: 'per protocol' },
      { id: 'o4', role: 'primary', measure: 'mortality', timeFrame: 'week 26' },
    ];
    const expected = ['demoted o1', 're-timed o1', 'promoted o2', 're-measured o2', 'dropped o3', 'added o4'];
    assert.deepEqual(kinds(after), expected);
    const [demoted] = outcomeDiff(outcomes, after);
    assert.deepEqual([demoted?.old, demoted?.new], [o1, after[0]]);
    const metric = outcomeDiff([o1], [{ ...o1, metric: 'value at week 26' }]);
    assert.deepEqual(
      metric.map(({ kind }) => kind),
      ['re-measured'],
    );
  });

  it('judges results: correct, not reported, changed, novel declared, novel silent', () => {
    const novel: Outcome = { id: 'n1', role: 'primary', measure: 'pain', timeFrame: 'week 4' };
    const reported = [
      { ...o1, role: 'secondary' as const },
      { ...novel, declaredNovel: true },
      { ...novel, id: 'n2' },
    ];
    assert.deepEqual(judgeResults(outcomes, reported), [
      { finding: 'changed', outcome: 'o1', changes: ['demoted'] },
      { finding: 'not-reported', outcome: 'o2' },
      { finding: 'novel-declared', outcome: 'n1' },
      { finding: 'novel-silent', outcome: 'n2' },
    ]);
    const honest = judgeResults(outcomes, outcomes).map(({ finding }) => finding);
    assert.deepEqual(honest, ['correct', 'correct', 'correct']);
  });
});
